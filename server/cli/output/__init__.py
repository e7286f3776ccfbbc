"""Output of the command line: tables, progress bars, stdout."""
