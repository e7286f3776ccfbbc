"""Columns of values as arrays: random numbers, texts, money, local times."""
