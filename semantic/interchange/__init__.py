"""Definitions of a published run in the formats that other programs read."""
