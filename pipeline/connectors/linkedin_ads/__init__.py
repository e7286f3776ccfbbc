"""LinkedIn ads: contract, synthetic exports, engine, unit tests."""
