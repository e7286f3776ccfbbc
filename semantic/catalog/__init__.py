"""The catalog of a run: metrics, dimensions, formulas, conditions."""
