"""What keeps the work for one tenant from stopping that for the others."""
