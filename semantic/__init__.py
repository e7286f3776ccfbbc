"""Semantic layer: turns stars into answers by definitions, plans, one aggregate per fact."""
