"""Microsoft Advertising (Bing Ads): contract, synthetic exports, engine, unit tests."""
