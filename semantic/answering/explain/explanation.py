"""The result of an explanation: the change of a metric, its parts, and the effects of the members of one dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

from semantic.answering.explain.compared_coverage import ComparedDays
from semantic.answering.explain.effects import DIGITS, NO_SIDES, Effect, Sides, own_values
from semantic.answering.explain.onset import Onset

_PLACES = 11
"""Decimal places of a ratio of 1 or more; a smaller one has as many digits."""
_SHARE_PLACES = 4
SUM_METHOD = "effect = value - previous; effects add up to change exactly."
RATIO_METHOD = (
    "Symmetric: mix_effect = change of the member's weight (its share of {denominator}) x (its mean value - the mean"
    " of all); rate_effect = change of its value x its mean weight. A member without {denominator} in a period has mix"
    " only. Effects add up to change."
)
CONCENTRATION_METHOD = (
    "concentration: the members' share of all effects beyond their share of the size, x |change| / sum of |effects|; 0:"
    " all moved alike, 1: one small member did it."
)


@dataclass(frozen=True, kw_only=True)
class RatioPart:
    """The numerator or denominator of a ratio, and what its change adds to that of the ratio."""

    name: str
    sides: Sides
    effect: Decimal


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """The effects of the members of one dimension."""

    dimension: str
    effects: tuple[Effect, ...]
    """The largest first."""
    rest: Effect | None
    """That of all members that were too many to read."""
    concentration: Decimal
    onsets: Mapping[str, date | None]
    """By member, for those that were looked at: the first day outside their usual band."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why a metric changed; `about` has the parts of an answer: days, filters, as_of, run_id, notes."""

    metric: str
    unit: str | None
    sides: Sides
    compared_with: Mapping[str, str | None] | None
    parts: tuple[RatioPart, ...]
    breakdown: Breakdown | None
    concentrations: Mapping[str, Decimal]
    """Of every dimension that was looked at, the most concentrated first."""
    onset: Onset | None
    covered: ComparedDays
    about: Mapping[str, Any]  # Any: JSON values
    notes: tuple[str, ...]

    def to_dict(self, most: int, notes: int) -> dict[str, Any]:  # Any: JSON values and Decimal
        """The explanation with at most `most` members; all others are one entry, `other`, and so nothing is lost.

        Args:
            most: How many members are listed.
            notes: How many notes are; the others are counted.
        """
        with localcontext(prec=DIGITS):
            return self._dict(most, notes)

    def _dict(self, most: int, notes: int) -> dict[str, Any]:  # Any: as above
        places, change = self._places(), self.sides.change
        listed = self.breakdown.effects[:most] if self.breakdown else ()
        more = [f"And {len(self.notes) - notes} more notes: ask query for them."] if len(self.notes) > notes else []
        return {
            "metric": self.metric,
            "unit": self.unit,
            "time_range": self.about["time_range"],
            "compared_with": self.compared_with,
            "value": _rounded(self.sides.current, places),
            "previous": _rounded(self.sides.previous, places),
            "change": _rounded(change, places),
            "change_ratio": _rounded(change / abs(self.sides.previous), 6) if self.sides.previous else None,
            "parts": [self._part(part, places) for part in self.parts],
            "dimension": self.breakdown.dimension if self.breakdown else None,
            "columns": self._columns() if self.breakdown else [],
            "rows": [self._row(effect, places) for effect in listed],
            "other": self._other(most, places),
            "concentration": {name: _rounded(value, 3) for name, value in list(self.concentrations.items())[:6]},
            "onset": self._onset(),
            "coverage": dict(vars(self.covered)),
            "method": self._method(),
            "filters": list(self.about["filters"]),
            "as_of": self.about["as_of"],
            "run_id": self.about["run_id"],
            "notes": [*self.notes[:notes], *more],
        }

    def _places(self) -> int | None:
        """Decimal places to show; None for a sum, which is shown exactly."""
        if not self.parts:
            return None
        size = max(abs(self.sides.current), abs(self.sides.previous), abs(self.sides.change))
        return _PLACES - min(0, size.adjusted()) if size else _PLACES

    def _columns(self) -> list[str]:
        name = self.breakdown.dimension if self.breakdown else ""
        measured = ["mix_effect", "rate_effect", "weight", "weight_previous"] if self.parts else []
        return [name, "value", "previous", "effect", *measured, "onset"]

    def _row(self, effect: Effect, places: int | None) -> list[Any]:  # Any: JSON values and Decimal
        member = effect.member
        onset = self.breakdown.onsets.get(str(member.name)) if self.breakdown else None
        measured: list[Any] = [*own_values(member), effect.effect]  # Any: as above
        if self.parts:
            whole, part = self.parts[1].sides, member.denominator or NO_SIDES
            weights = (part.current / whole.current, part.previous / whole.previous)
            measured = [_rounded(value, places and places - 5) for value in own_values(member)]
            measured += [*_effects(effect, places), *(_rounded(weight, _SHARE_PLACES) for weight in weights)]
        return [member.name, *measured, onset.isoformat() if onset else None]

    def _other(self, most: int, places: int | None) -> dict[str, Any] | None:  # Any: as above
        if self.breakdown is None:
            return None
        others = [*self.breakdown.effects[most:], *([self.breakdown.rest] if self.breakdown.rest else [])]
        if not others:
            return None
        added = Effect(
            others[0].member,
            sum((each.effect for each in others), Decimal(0)),
            sum((each.mix or Decimal(0) for each in others), Decimal(0)) if self.parts else None,
            sum((each.rate or Decimal(0) for each in others), Decimal(0)) if self.parts else None,
        )
        names = ("effect", "mix_effect", "rate_effect")[: 3 if self.parts else 1]
        effects = _effects(added, places) if self.parts else [added.effect]
        known = len(self.breakdown.effects[most:])
        members = f"more than {known}" if self.breakdown.rest else known
        return {"members": members, **dict(zip(names, effects, strict=True))}

    @staticmethod
    def _part(part: RatioPart, places: int | None) -> dict[str, Any]:  # Any: as above
        sides = {"value": part.sides.current, "previous": part.sides.previous}
        return {"name": part.name, **sides, "effect": _rounded(part.effect, places)}

    def _onset(self) -> dict[str, Any] | None:  # Any: as above
        if self.onset is None:
            return None
        places = (self._places() or _PLACES - 2) - 5
        value, *band = (_rounded(each, places) for each in (self.onset.value, *self.onset.band.ends))
        return {"date": self.onset.day.isoformat(), "value": value, "usual": band}

    def _method(self) -> str:
        method = RATIO_METHOD.format(denominator=self.parts[1].name) if self.parts else SUM_METHOD
        return f"{method} {CONCENTRATION_METHOD}" if len(self.concentrations) > 1 else method


def _effects(effect: Effect, places: int | None) -> list[Decimal | None]:
    return [_rounded(value, places) for value in (effect.effect, effect.mix, effect.rate)]


def _rounded(value: Decimal | None, places: int | None) -> Decimal | None:
    if value is None or places is None:
        return value
    return round(value, places)
