"""Verbs that read the ledger of runs."""
