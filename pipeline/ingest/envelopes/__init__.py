"""Envelopes: what records come wrapped in."""
