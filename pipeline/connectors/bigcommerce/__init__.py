"""BigCommerce: contract, synthetic exports, engine, unit tests."""
