"""Configuration: tenants.yaml with the catalog of connectors; every error names file and line."""
