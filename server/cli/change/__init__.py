"""The verb that explains a change of a metric."""
