"""Setup of a serving process: memory, logs, error reports, traces."""
