"""Blocks of tenants.yaml: semantic, table logic, generation, filters."""
