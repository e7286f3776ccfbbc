"""Builds that somebody asked for over HTTP."""
