"""The simulated shop at rest: parameters, accounts, products, campaigns, funnel."""
