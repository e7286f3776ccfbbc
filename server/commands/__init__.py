"""The verbs of the command line, and how people read answers there."""
