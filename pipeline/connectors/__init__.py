"""Connectors: one folder per vendor, found by name, imported by nobody."""
