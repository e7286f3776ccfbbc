"""Filters as people type them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import QueryError
from semantic.planning.query import read_query
from server.cli.filter_text import read_filter


@pytest.mark.parametrize(
    ("text", "op", "value"),
    [
        ("x=a", "=", "a"),
        (" x == a ", "=", "a"),
        ("x!=a", "!=", "a"),
        ("x<>a", "!=", "a"),
        ("x>1", ">", "1"),
        ("x >= 1.5", ">=", "1.5"),
        ("x<-1", "<", "-1"),
        ("x<=1", "<=", "1"),
        ("x=a|b c", "in", ["a", "b c"]),
        ("x!=a|b", "not_in", ["a", "b"]),
        ("x in a | b", "in", ["a", "b"]),
        ("x in a", "in", ["a"]),
        ("x NOT IN a|b", "not_in", ["a", "b"]),
        ("x contains spring sale", "contains", "spring sale"),
        ("x contains a|b", "contains", "a|b"),
        ("x starts with Sp", "starts_with", "Sp"),
        ("x starts_with Sp", "starts_with", "Sp"),
        ("x between 1 and 2", "between", ["1", "2"]),
        ("x between 2026-01-01 AND 2026-01-31", "between", ["2026-01-01", "2026-01-31"]),
        ("x=between us", "=", "between us"),
        ("x=a=b", "=", "a=b"),
        ('x=""', "=", ""),
        ('x="a|b"', "=", "a|b"),
        ("x='a|b'|c", "in", ["a|b", "c"]),
        ('x=5" pipe', "=", '5" pipe'),
        ('x="open', "=", '"open'),
    ],
)
def test_a_filter_is_read_as_it_is_meant(text: str, op: str, value: Any) -> None:
    assert read_filter(text) == {"name": "x", "op": op, "value": value}


@pytest.mark.parametrize(("text", "op"), [("x is null", "is_null"), ("x IS  NOT NULL", "is_not_null")])
def test_missing_values_are_asked_for_in_words(text: str, op: str) -> None:
    assert read_filter(text) == {"name": "x", "op": op}


@pytest.mark.parametrize("text", ["", "x", "spend 100", "x is nullable", "=3", "x y=3", "--", "x like a"])
def test_what_is_no_condition_is_answered_with_ones_that_are(text: str) -> None:
    with pytest.raises(QueryError, match="is not a condition") as caught:
        read_filter(text)
    assert "'spend>100'" in caught.value.fix


@pytest.mark.parametrize("text", ["x=", "x contains", "x >  ", "x between", "x in"])
def test_a_condition_without_a_value_names_the_words_for_rows_without_one(text: str) -> None:
    with pytest.raises(QueryError, match="has no value") as caught:
        read_filter(text)
    assert "'x is null'" in caught.value.fix


def test_more_words_than_a_condition_has_are_refused() -> None:
    with pytest.raises(QueryError, match="goes on after is null"):
        read_filter("x is null or y")


@given(
    st.text(alphabet=st.characters(exclude_characters="\"'|"), min_size=1).filter(
        lambda text: text == text.strip() != ""
    )
)
def test_any_value_without_quotes_and_bars_arrives_as_typed(value: str) -> None:
    assert read_filter(f"x contains {value}")["value"] == value


@given(st.lists(st.text(alphabet=st.characters(exclude_characters='"')), min_size=2))
def test_quoted_values_arrive_as_typed_whatever_stands_in_them(values: list[str]) -> None:
    assert read_filter("x=" + "|".join(f'"{value}"' for value in values))["value"] == values


@given(st.text())
def test_no_text_is_more_than_a_filter_or_a_refusal(text: str) -> None:
    with suppress(QueryError):
        assert read_filter(text).keys() <= {"name", "op", "value"}


@pytest.mark.parametrize("typed", ["campaign_name=[2026]", 'campaign_name="[2026]"', "campaign_name = '[2026]'"])
def test_a_text_in_brackets_is_typed_as_it_is(typed: str) -> None:
    query = read_query({"metrics": ["spend"], "filters": [read_filter(typed)]})
    assert (query.filters[0].op, query.filters[0].value) == ("=", "[2026]")
