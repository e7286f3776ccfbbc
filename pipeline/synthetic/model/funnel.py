"""The funnel: how likely a visit goes one step further, and its visitor comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.synthetic.arrays.rng import Floats

STEPS = ("session_start", "view_item", "add_to_cart", "begin_checkout", "add_payment_info", "purchase")
PURCHASE = len(STEPS) - 1
MAX_VISITS = 3  # of one visitor, so that a cohort is over within a bounded number of days
CEILING = 0.95  # a boosted chance never passes this


class Expected(NamedTuple):
    """What one visitor does, on average."""

    visits: float
    events: float
    purchases: float


@dataclass(frozen=True)
class Funnel:
    """Chances, by step.

    Attributes:
        advance: From each step but the last to the next one.
        boosted: The same, of a visitor who has bought before.
        come_back: To visit again, by the last step of a visit.
    """

    advance: Floats
    boosted: Floats
    come_back: Floats

    def expected(self) -> Expected:
        """What one visitor does over all visits, on average; the event of a first visit included."""
        new, known = _outcomes(self.advance), _outcomes(self.boosted)
        length = np.arange(1.0, len(STEPS) + 1)
        fresh, customers = 1.0, 0.0
        visits, events, purchases = 0.0, 1.0, 0.0
        for _ in range(MAX_VISITS):
            ended = fresh * new + customers * known
            visits += float(ended.sum())
            events += float(ended @ length)
            purchases += float(ended[PURCHASE])
            customers = float(customers * (known @ self.come_back) + fresh * new[PURCHASE] * self.come_back[PURCHASE])
            fresh *= float(new[:PURCHASE] @ self.come_back[:PURCHASE])
        return Expected(visits, events, purchases)


def build_funnel(advance: Floats, come_back: Floats, boost: float, rate: float | None = None) -> Funnel:
    """The funnel of these chances; with a `rate`, its steps are moved alike until that share of visits buys."""

    def moved(factor: float) -> Funnel:
        steps = np.minimum(advance * factor, 1.0)
        return Funnel(steps, np.minimum(steps * boost, np.maximum(steps, CEILING)), come_back)

    if rate is None:
        return moved(1.0)
    low, high = 0.0, 1.0 / float(np.min(advance, where=advance > 0, initial=1.0))
    for _ in range(50):
        middle = (low + high) / 2
        expected = moved(middle).expected()
        low, high = (middle, high) if expected.purchases < rate * expected.visits else (low, middle)
    return moved(high if rate else 0.0)


def _outcomes(advance: Floats) -> Floats:
    """How likely a visit ends at each step."""
    reached = np.cumprod(np.concatenate([[1.0], advance]))
    return np.asarray(reached * (1.0 - np.concatenate([advance, [0.0]])), dtype=np.float64)
