"""Google Analytics 4: contract, synthetic exports, engine and its unit tests."""
