"""Stars become answers: definitions, plans, and one aggregate per fact."""
