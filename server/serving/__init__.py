"""Services behind every interface: tools as plain functions, access, limits; no protocol."""
