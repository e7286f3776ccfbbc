"""Orchestration of builds: steps, worker pool, reports; no protocol."""
