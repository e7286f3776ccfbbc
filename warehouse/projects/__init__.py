"""The dbt projects of the hub and the tenants, as {path: text}."""
