"""Usual bands of numbers by day: the median of the days before, give or take some spreads.

A spread is 1.4826 x the median absolute deviation from the median, which for normal values is the standard deviation;
1.2533 x the mean absolute deviation where most days are equal.
Source: Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

WEEKS_BEFORE = 8
LEAST_WEEKS = 4
"""Weeks of history that a band of a weekday needs."""
LEAST_SPREAD = Decimal("0.1")
"""Of the median: a number that hardly ever moves is not unusual because it moves a little."""
_OF_MEDIAN, _OF_MEAN = Decimal("1.4826"), Decimal("1.2533")


@dataclass(frozen=True)
class Usual:
    """The median of some numbers, and their spread around it."""

    middle: Decimal
    spread: Decimal


def usual(values: Sequence[Decimal]) -> Usual:
    """The median and the spread of at least one number."""
    middle = median(values)
    distances = [abs(value - middle) for value in values]
    spread = _OF_MEDIAN * median(distances) or _OF_MEAN * sum(distances, Decimal(0)) / len(distances)
    return Usual(middle, spread)


def usual_of_weekday(values: Mapping[date, Decimal], day: date) -> Usual | None:
    """What is usual on the weekday of a day, from the eight weeks before it; None with less than four of them.

    Args:
        values: By day; the weeks before the first of them are unknown, a day between that is not there is 0.
        day: It says nothing about itself.
    """
    first = min(values, default=day)
    before = [day - timedelta(weeks=weeks) for weeks in range(1, WEEKS_BEFORE + 1)]
    known = [values.get(each, Decimal(0)) for each in before if each >= first]
    if len(known) < LEAST_WEEKS:
        return None
    found = usual(known)
    return Usual(found.middle, max(found.spread, LEAST_SPREAD * abs(found.middle), Decimal(1) / 10**6))


def spreads_away(value: Decimal, of: Usual) -> Decimal:
    """The distance of a value from what is usual, in spreads; to two decimals."""
    return (abs(value - of.middle) / of.spread).quantize(Decimal("0.01"))
