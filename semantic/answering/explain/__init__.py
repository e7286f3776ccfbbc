"""The decomposition of a metric's change over the members of a dimension."""
