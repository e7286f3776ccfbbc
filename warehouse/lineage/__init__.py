"""Lineage of columns, read from the SQL that a build ran."""
