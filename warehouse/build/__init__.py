"""Builds: project files are written, dbt runs, its results are read."""
