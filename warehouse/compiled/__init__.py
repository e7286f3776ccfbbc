"""Compiled SQL: kept from a run of dbt under the digest of its inputs, for runs without dbt."""
