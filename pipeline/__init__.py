"""Raw data comes in: configuration, contracts, landing, published runs."""
