"""Envelopes: what loaders and APIs wrap records in, and how the records are taken out of it."""
