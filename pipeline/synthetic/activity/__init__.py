"""What happens in a simulated shop: visits, orders, payments, ad results."""
