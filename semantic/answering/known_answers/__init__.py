"""Questions with known answers, asked of a run."""
