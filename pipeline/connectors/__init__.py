"""Connectors: one folder per vendor, found by name and imported by nobody."""
