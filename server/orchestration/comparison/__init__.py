"""Comparison of what a tenant's build would look at with what its last one saw."""
