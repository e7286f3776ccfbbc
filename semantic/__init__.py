"""Stars become answers: definitions, plans, one aggregate per fact."""
