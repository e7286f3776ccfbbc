"""Published runs: their files, staging, commit, pointer, pruning."""
