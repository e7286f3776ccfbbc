"""The market stall: receipts as a till prints them."""
