"""The history of runs: what commands did, as the ledger says it."""
