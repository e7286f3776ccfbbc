"""Exchange rates: read, checked, applied."""
