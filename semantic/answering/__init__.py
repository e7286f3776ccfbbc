"""Answers a plan: compiled statements, execution, rollups, notes, listings."""
