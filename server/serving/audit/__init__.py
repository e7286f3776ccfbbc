"""The audit log: a record of each call."""
