"""Mixpanel: contract, synthetic exports, engine, unit tests."""
