"""The definitions of a run, made from built tables with the tenant's configuration."""
