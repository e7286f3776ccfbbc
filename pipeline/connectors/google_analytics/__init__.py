"""Google Analytics 4: contract, synthetic exports, engine, unit tests."""
