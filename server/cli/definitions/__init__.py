"""Verbs about the definitions of a published run."""
