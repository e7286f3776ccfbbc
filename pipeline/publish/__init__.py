"""Published runs: what they are made of, staged, committed, pointed to, pruned."""
