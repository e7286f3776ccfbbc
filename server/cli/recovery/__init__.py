"""Verbs of recovery."""
