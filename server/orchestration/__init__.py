"""The steps of a build, its worker pool, its reports; no protocol."""
