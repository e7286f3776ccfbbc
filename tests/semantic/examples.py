"""How many random examples a test tries: few in `make test`, thousands in `bench.random_questions`."""

from __future__ import annotations

import os

from hypothesis import settings

TIMES = "RANDOM_QUESTIONS_TIMES"
"""The variable by which the bench multiplies the examples of each test."""


def examples(count: int) -> settings:
    return settings(max_examples=count * int(os.environ.get(TIMES, "1")), deadline=None)
