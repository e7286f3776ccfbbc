"""The history of runs: what commands did, as the ledger and files beside it say."""
