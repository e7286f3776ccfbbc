"""Numbers keep all their digits in JSON."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from semantic.answering.exact_json import to_json

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_a_decimal_comes_back_as_it_was(value: Decimal) -> None:
    assert json.loads(to_json([value]), parse_float=Decimal, parse_int=Decimal) == [value]


@given(PLAIN)
def test_everything_else_is_what_json_says(value: object) -> None:
    assert json.loads(to_json(value)) == value


def test_zeros_that_say_nothing_are_left_out_and_what_is_no_number_is_null() -> None:
    assert to_json([Decimal("1.500000"), Decimal("100.000000"), Decimal("0E-6"), Decimal(1200)]) == "[1.5,100,0,1200]"
    assert to_json({"a": (float("nan"), float("inf"), Decimal("NaN"))}) == '{"a":[null,null,null]}'
    assert to_json(Decimal("12345678901234567890.123456")) == "12345678901234567890.123456"
