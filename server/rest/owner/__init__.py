"""REST routes of a tenant's own people."""
