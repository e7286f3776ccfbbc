"""Stripe: contract, synthetic exports, engine, unit tests."""
