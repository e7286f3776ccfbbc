"""Configuration: tenants.yaml with the catalog of connectors; an error names its file with the line."""
