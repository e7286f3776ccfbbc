"""Erasure of a tenant or a person."""
