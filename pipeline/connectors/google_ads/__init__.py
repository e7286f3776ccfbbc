"""Google Ads: contract, synthetic exports, engine, unit tests."""
