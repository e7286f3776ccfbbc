"""Repeatable random numbers: those of a day come from a generator seeded by the tenant, the purpose and the day."""

from __future__ import annotations

from enum import IntEnum
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Purpose(IntEnum):
    """The use of random numbers. Each purpose has its own generators, so a new purpose never changes the others."""

    VISITORS = 0
    FIRST_VISIT = 1
    SECOND_VISIT = 2
    THIRD_VISIT = 3
    ORDERS = 4
    TEST_ORDERS = 5
    ANONYMOUS = 6
    SPEND = 7
    CATALOG = 8
    REVISIONS = 9
    BRAND_ADS = 10


def seed_of(*names: str) -> int:
    """The seed derived from these names, the same on every machine."""
    return int.from_bytes(sha256("/".join(names).encode()).digest()[:8], "big")


def draw_counts(seed: int, purpose: Purpose, days: Ints, means: Floats) -> Ints:
    """A count for each day, drawn from a Poisson distribution with that day's mean."""
    counts = [
        np.random.default_rng((seed, purpose, 0, day)).poisson(mean) for day, mean in zip(days, means, strict=True)
    ]
    return np.array(counts, dtype=np.int64)


def draw_uniform(seed: int, purpose: Purpose, days: Ints, counts: Ints, columns: int) -> Floats:
    """Uniform numbers in [0, 1): `columns` for each of a day's `counts`, day after day."""
    return np.concatenate(
        [
            np.random.default_rng((seed, purpose, 1, day)).random((count, columns))
            for day, count in zip(days, counts, strict=True)
        ]
    )


def draw_choice(uniform: Floats, weights: Floats) -> Ints:
    """Positions drawn by uniform numbers; the probability of position k is proportional to its weight."""
    edges = np.cumsum(weights) / np.sum(weights)
    return np.minimum(np.searchsorted(edges, uniform, side="right"), len(weights) - 1).astype(np.int64)


def normal(uniform: Floats, angle: Floats) -> Floats:
    """Standard normal numbers from two uniform ones (Box and Muller)."""
    return np.asarray(np.sqrt(-2.0 * np.log1p(-uniform)) * np.cos(2.0 * np.pi * angle), dtype=np.float64)
