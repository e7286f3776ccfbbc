"""Shopify: contract, synthetic exports, engine, unit tests."""
