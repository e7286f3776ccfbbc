"""dbt's property files, which describe what is generated."""
