"""Verbs on a tenant's generated dbt projects."""
