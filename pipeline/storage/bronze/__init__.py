"""Bronze: every delivery as it was received, in batches that are never rewritten."""
