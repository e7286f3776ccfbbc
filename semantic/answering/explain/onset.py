"""The onset of a change: the first day on which a metric left its usual band, to the side that it changed to.

The band is the median of the days before, give or take three times their spread (pipeline/gates/bands.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from pipeline.gates.bands import WEEKS_BEFORE, usual

LEAST_DAYS = 14
"""Days with a value that a band needs."""
WIDTH = 3


@dataclass(frozen=True)
class UsualBand:
    """The usual values of a metric by day."""

    low: Decimal
    high: Decimal

    @property
    def ends(self) -> tuple[Decimal, Decimal]:
        return self.low, self.high


@dataclass(frozen=True)
class Onset:
    """The first day outside the band, and its value."""

    day: date
    value: Decimal
    band: UsualBand


def first_baseline_day(start: date) -> date:
    """The first of the days before a window that say what is usual."""
    return start - timedelta(weeks=WEEKS_BEFORE)


def find_onset(values: Mapping[date, Decimal | None], start: date, change: Decimal) -> Onset | None:
    """The first day from `start` on that is outside the usual band, on the side of the change; None where none is.

    Args:
        values: By day, of the days before and of the window; None where a ratio has none.
        start: The first day of the window.
        change: Its sign is the side to look at.
    """
    known = {day: value for day, value in values.items() if value is not None}
    band = usual_band([value for day, value in known.items() if day < start])
    if band is None or not change:
        return None
    for day in sorted(day for day in known if day >= start):
        if known[day] > band.high if change > 0 else known[day] < band.low:
            return Onset(day, known[day], band)
    return None


def usual_band(values: list[Decimal]) -> UsualBand | None:
    """The band of these values; None of too few."""
    if len(values) < LEAST_DAYS:
        return None
    found = usual(values)
    return UsualBand(found.middle - WIDTH * found.spread, found.middle + WIDTH * found.spread)
