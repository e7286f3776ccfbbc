"""Raw data comes in: configuration, contracts, landing, runs and publishing."""
