"""Simulated activity of the shop: visits, orders, payments, ad results."""
