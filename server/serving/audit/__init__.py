"""The audit log: who called what, when, and how it went."""
