"""What can be asked: metrics, dimensions, formulas and conditions."""
