"""What every interface serves: tools as plain functions, access, limits; no protocol."""
