"""Guided analyses: tasks with the calls that answer them."""
