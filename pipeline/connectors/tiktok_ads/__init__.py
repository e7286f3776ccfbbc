"""TikTok ads: contract, synthetic exports, engine and its unit tests."""
