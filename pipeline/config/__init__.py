"""Configuration: tenants.yaml with the catalog of connectors; every wrong value is named with file, line."""
