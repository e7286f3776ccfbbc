"""What a simulated shop is: its parameters, accounts, products, campaigns and funnel."""
