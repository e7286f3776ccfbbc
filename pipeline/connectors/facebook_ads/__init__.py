"""Meta ads (Facebook): contract, synthetic exports, engine and its unit tests."""
