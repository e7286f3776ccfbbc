"""Lineage of what can be asked for: from fields of payloads to metrics."""
