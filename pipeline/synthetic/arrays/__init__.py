"""Whole columns of values: random numbers, texts, money, local times."""
