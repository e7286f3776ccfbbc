"""What a serving process sets up for itself: memory, logs, error reports, traces."""
