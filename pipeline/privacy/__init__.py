"""Erasure of tenants and persons."""
