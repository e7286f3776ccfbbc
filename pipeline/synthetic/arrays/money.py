"""Money as arrays of hundredths of a currency's major unit, and as the texts that vendors write.

Yen have no hundredths: their amounts are multiples of 100 here. A dinar's amounts are multiples of ten thousandths.
"""

from __future__ import annotations

from typing import Any  # pyarrow is untyped: its arrays are Any

import pyarrow.compute as pc

from pipeline.synthetic.arrays.columns import concat_texts, digits
from pipeline.synthetic.arrays.rng import Bools, Floats, Ints

# Source: ISO 4217, and docs.stripe.com/currencies for what Stripe calls zero-decimal and three-decimal.
_CODES = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
_ZERO_DECIMAL = frozenset(_CODES.split())
_ZERO_DECIMAL_EXCEPT_STRIPE = frozenset(("ISK", "UGX"))
_THREE_DECIMAL = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


def decimals_of(currency: str) -> int:
    """The number of decimals of a currency's amounts."""
    if currency in _ZERO_DECIMAL | _ZERO_DECIMAL_EXCEPT_STRIPE:
        return 0
    return 3 if currency in _THREE_DECIMAL else 2


def smallest(currency: str) -> int:
    """The smallest amount of a currency, in hundredths: 100 where it has no decimals."""
    return 100 if decimals_of(currency) == 0 else 1


def rounded(cents: Ints, step: int | Ints) -> Ints:
    """Hundredths rounded half up to multiples of `step`, the smallest amount of a currency."""
    return (cents + step // 2) // step * step


def money(cents: Ints, present: Bools | None = None, *, decimals: int = 2) -> Any:
    """Hundredths as text in major units with `decimals` decimals (0, 2 or more): 1999 is "19", "19.99" or "19.9900"."""
    if decimals == 0:
        return digits(cents // 100, present)
    hundredths = pc.utf8_lpad(digits(cents % 100), 2, "0")
    return concat_texts(digits(cents // 100, present), ".", hundredths, "0" * (decimals - 2))


def minor_units(cents: Ints, currency: str) -> Ints:
    """Hundredths in Stripe's minor units: cents of a dollar, whole yen, thousandths of a dinar in steps of ten."""
    if currency in _ZERO_DECIMAL:
        return cents // 100
    return cents * 10 if currency in _THREE_DECIMAL else cents


def major_units(cents: Ints) -> Floats:
    """Hundredths as numbers in major units."""
    return cents / 100
