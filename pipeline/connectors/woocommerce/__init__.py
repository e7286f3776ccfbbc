"""WooCommerce: contract, synthetic exports, engine, unit tests."""
