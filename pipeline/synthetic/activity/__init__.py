"""The simulated shop at work: visits, orders, payments, ad results."""
