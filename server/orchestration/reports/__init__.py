"""Quality reports of a run: what came through each layer, from the ledger alone."""
