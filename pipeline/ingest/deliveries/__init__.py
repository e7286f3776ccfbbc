"""Deliveries: one export or pull of one object of one account, the unit of landing."""
