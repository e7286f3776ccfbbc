"""The steps of a build, its worker pool and its reports; no protocol."""
