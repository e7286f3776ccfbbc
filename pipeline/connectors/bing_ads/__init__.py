"""Microsoft Advertising (Bing Ads): contract, synthetic exports, engine and its unit tests."""
