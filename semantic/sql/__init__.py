"""Compiles a plan to one SQL statement: fact aggregates, drill-across, stages."""
