"""Meta ads (Facebook): contract, synthetic exports, engine, unit tests."""
