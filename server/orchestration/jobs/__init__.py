"""Builds that callers start over HTTP, each in a process of its own."""
