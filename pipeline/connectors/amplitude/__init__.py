"""Amplitude: contract, synthetic exports, engine, unit tests."""
