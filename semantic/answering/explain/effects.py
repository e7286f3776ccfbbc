"""Effects of the members of a dimension on the change of a sum or of a quotient of sums: exact arithmetic, no SQL.

Of a sum, a member's effect is its own change. Of a quotient N / D, with the share w of a member in D and its rate r,

    mix    its change of w, times how far its mean r is above or below the mean quotient
    rate   its change of r, times its mean w

where means are of both windows (the symmetric, or midpoint, decomposition), so no window is the base. The shares add up
to 1 in each window, so mix and rate add up to the change. A member without D in a window has no rate in it: all of its
effect on N / D is mix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

DIGITS = 50
"""Of the arithmetic: more than any sum has, and far more than a quotient shows."""


@dataclass(frozen=True)
class Sides:
    """A sum in the window and in the one before."""

    current: Decimal
    previous: Decimal

    @property
    def change(self) -> Decimal:
        return self.current - self.previous

    @property
    def mean(self) -> Decimal:
        return (self.current + self.previous) / 2

    def minus(self, other: Sides) -> Sides:
        return Sides(self.current - other.current, self.previous - other.previous)


NO_SIDES = Sides(Decimal(0), Decimal(0))


@dataclass(frozen=True)
class Member:
    """A member of a dimension and its sums; the denominator of a quotient only."""

    name: str | bool | None
    numerator: Sides
    denominator: Sides | None = None
    is_known: bool = True
    """Whether a source covers it in the window; what is not known adds nothing to the total."""
    was_known: bool = True
    """Likewise in the window before."""

    @property
    def is_empty(self) -> bool:
        """Whether it has nothing in either window."""
        return self.numerator == NO_SIDES and self.denominator in (None, NO_SIDES)


@dataclass(frozen=True)
class Effect:
    """What a member adds to the change; mix and rate of a quotient, together the whole effect."""

    member: Member
    effect: Decimal
    mix: Decimal | None = None
    rate: Decimal | None = None


def effects_of(members: Sequence[Member], total: Member) -> list[Effect]:
    """The effect of each member, the largest first, whichever its sign; they add up to the change of `total`."""
    with localcontext(prec=DIGITS):
        if total.denominator is None:
            effects = [Effect(member, member.numerator.change) for member in members]
        else:
            effects = [_quotient_effect(member, total, total.denominator) for member in members]
    return sorted(effects, key=lambda each: (-abs(each.effect), each.member.name is None, str(each.member.name)))


def _quotient_effect(member: Member, total: Member, whole: Sides) -> Effect:
    part = member.denominator or NO_SIDES
    now, before = part.current / whole.current, part.previous / whole.previous
    added = member.numerator.current / whole.current - member.numerator.previous / whole.previous
    effect = added - quotient(total).mean * (now - before)
    if not part.current or not part.previous:
        return Effect(member, effect, effect, Decimal(0))
    rate = (now + before) / 2 * quotient(member).change
    return Effect(member, effect, effect - rate, rate)


def quotient(member: Member) -> Sides:
    """The numerator by the denominator in both windows, where neither is 0."""
    if member.denominator is None:
        return member.numerator
    with localcontext(prec=DIGITS):
        return Sides(
            member.numerator.current / member.denominator.current,
            member.numerator.previous / member.denominator.previous,
        )


def own_values(member: Member) -> tuple[Decimal | None, Decimal | None]:
    """The value of a member in both windows; None where it has no denominator, or no source covers it."""
    part = member.denominator or Sides(Decimal(1), Decimal(1))
    with localcontext(prec=DIGITS):
        return (
            member.numerator.current / part.current if part.current and member.is_known else None,
            member.numerator.previous / part.previous if part.previous and member.was_known else None,
        )


def part_effects(total: Member) -> tuple[Decimal, Decimal]:
    """What the numerator and the denominator of a quotient add to its change; together all of it."""
    whole = total.denominator or NO_SIDES
    with localcontext(prec=DIGITS):
        return (
            total.numerator.change / whole.mean,
            -quotient(total).mean * whole.change / whole.mean,
        )


def remainder(members: Sequence[Member], total: Member) -> Member | None:
    """What no member of the list holds of the total, as a member without a name; None where they hold all."""
    with localcontext(prec=DIGITS):
        numerator = total.numerator.minus(added_sides([each.numerator for each in members]))
        divisors = added_sides([each.denominator or NO_SIDES for each in members])
        denominator = total.denominator and total.denominator.minus(divisors)
    rest = Member(None, numerator, denominator)
    return None if rest.is_empty else rest


def added_sides(sides: Sequence[Sides]) -> Sides:
    """Add up sums of both windows."""
    return Sides(sum((each.current for each in sides), Decimal(0)), sum((each.previous for each in sides), Decimal(0)))


def concentration(effects: Sequence[Effect]) -> Decimal:
    """How far a change lies in few members: 0 where all moved by their size, near 1 where one small member did it.

    The share of the effects that named members have beyond their share of the size, times how little effects cancel
    out: the size of their sum by the sum of their sizes.
    """
    with localcontext(prec=DIGITS):
        moved = sum((abs(each.effect) for each in effects), Decimal(0))
        sizes = [_size(each.member) for each in effects]
        whole = sum(sizes, Decimal(0))
        if not moved or not whole:
            return Decimal(0)
        named = ((each, size) for each, size in zip(effects, sizes, strict=True) if each.member.name is not None)
        beyond = sum((max(Decimal(0), abs(each.effect) / moved - size / whole) for each, size in named), Decimal(0))
        return beyond * abs(sum((each.effect for each in effects), Decimal(0))) / moved


def _size(member: Member) -> Decimal:
    sides = member.denominator or member.numerator
    return abs(sides.current) + abs(sides.previous)
