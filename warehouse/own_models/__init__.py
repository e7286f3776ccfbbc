"""Models that a tenant writes over its own finished star."""
