"""Answers as charts, for people."""
