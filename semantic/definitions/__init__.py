"""Definitions of a run, derived from built tables with the tenant's configuration."""
