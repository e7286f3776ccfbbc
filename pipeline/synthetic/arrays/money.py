"""Money as arrays of hundredths of a currency's major unit, and as the texts that vendors write.

Yen have no hundredths: their amounts are whole hundreds here. A dinar's thousandths are never used alone.
"""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays are Any

import pyarrow.compute as pc

from pipeline.synthetic.arrays.columns import digits, joined
from pipeline.synthetic.arrays.rng import Bools, Floats, Ints

# Source: ISO 4217, and docs.stripe.com/currencies for what Stripe calls zero-decimal and three-decimal.
_CODES = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_WHOLE = frozenset(_CODES.split())
_WHOLE_BUT_FOR_STRIPE = frozenset(("ISK", "UGX"))
_THOUSANDTHS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


def decimals_of(currency: str) -> int:
    """How many decimals amounts of a currency have."""
    if currency in _WHOLE | _WHOLE_BUT_FOR_STRIPE:
        return 0
    return 3 if currency in _THOUSANDTHS else 2


def smallest(currency: str) -> int:
    """The smallest amount of a currency, in hundredths: 100 where it has no decimals."""
    return 100 if decimals_of(currency) == 0 else 1


def rounded(cents: Ints, grain: int | Ints) -> Ints:
    """Hundredths to the nearest amount that a currency has, half up."""
    return (cents + grain // 2) // grain * grain


def money(cents: Ints, present: Bools | None = None, *, decimals: int = 2) -> Any:
    """Hundredths as text in major units, with so many decimals: 1999 is "19.99", "19.9900" or "19"."""
    if decimals == 0:
        return digits(cents // 100, present)
    return joined(digits(cents // 100, present), ".", pc.utf8_lpad(digits(cents % 100), 2, "0"), "0" * (decimals - 2))


def minor_units(cents: Ints, currency: str) -> Ints:
    """Hundredths as Stripe counts: cents of a dollar, whole yen, thousandths of a dinar in steps of ten."""
    if currency in _WHOLE:
        return cents // 100
    return cents * 10 if currency in _THOUSANDTHS else cents


def major_units(cents: Ints) -> Floats:
    """Hundredths as numbers in major units."""
    return cents / 100
