"""The funnel: probabilities that a visit reaches the next step, and that its visitor returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.synthetic.arrays.rng import Floats

STEPS = ("session_start", "view_item", "add_to_cart", "begin_checkout", "add_payment_info", "purchase")
PURCHASE = len(STEPS) - 1
MAX_VISITS = 3  # of one visitor, so that a cohort ends within a bounded number of days
CEILING = 0.95  # maximum of a boosted probability


class Expected(NamedTuple):
    """Means per visitor."""

    visits: float
    events: float
    purchases: float


@dataclass(frozen=True)
class Funnel:
    """Probabilities, by step.

    Attributes:
        advance: From each step but the last to the next one.
        boosted: The same for a visitor who has bought before.
        come_back: Of another visit, by the last step of a visit.
    """

    advance: Floats
    boosted: Floats
    come_back: Floats

    def expected(self) -> Expected:
        """Means per visitor over all visits; the event of a first visit is included."""
        new_outcomes, customer_outcomes = _outcomes(self.advance), _outcomes(self.boosted)
        length = np.arange(1.0, len(STEPS) + 1)
        new_visitors, customers = 1.0, 0.0
        visits, events, purchases = 0.0, 1.0, 0.0
        for _ in range(MAX_VISITS):
            ended = new_visitors * new_outcomes + customers * customer_outcomes
            visits += float(ended.sum())
            events += float(ended @ length)
            purchases += float(ended[PURCHASE])
            customers = float(
                customers * (customer_outcomes @ self.come_back)
                + new_visitors * new_outcomes[PURCHASE] * self.come_back[PURCHASE]
            )
            new_visitors *= float(new_outcomes[:PURCHASE] @ self.come_back[:PURCHASE])
        return Expected(visits, events, purchases)


def build_funnel(advance: Floats, come_back: Floats, boost: float, rate: float | None = None) -> Funnel:
    """The funnel of these probabilities; with a `rate`, all steps are scaled until that share of visits buys."""

    def scaled(factor: float) -> Funnel:
        steps = np.minimum(advance * factor, 1.0)
        return Funnel(steps, np.minimum(steps * boost, np.maximum(steps, CEILING)), come_back)

    if rate is None:
        return scaled(1.0)
    low, high = 0.0, 1.0 / float(np.min(advance, where=advance > 0, initial=1.0))
    for _ in range(50):
        middle = (low + high) / 2
        expected = scaled(middle).expected()
        low, high = (middle, high) if expected.purchases < rate * expected.visits else (low, middle)
    return scaled(high if rate else 0.0)


def _outcomes(advance: Floats) -> Floats:
    """The probability that a visit ends at each step."""
    reached = np.cumprod(np.concatenate([[1.0], advance]))
    return np.asarray(reached * (1.0 - np.concatenate([advance, [0.0]])), dtype=np.float64)
