"""Arithmetic over metrics: what is read, what is refused, and what SQL it gives."""

from __future__ import annotations

import duckdb
import pytest

from pipeline.errors import ConfigError
from semantic.catalog.formula import expand, is_sum, metric_names, parse, to_sql, type_of, unit_of


def sql(text: str) -> str:
    return to_sql(parse(text, "m"), lambda name: name)


@pytest.mark.parametrize(
    ("text", "gives"),
    [
        ("a / b", "a / NULLIF(b, 0)"),
        ("a / b * 1000", "(a / NULLIF(b, 0)) * 1000"),
        ("(a - b) / (a + b)", "(a - b) / NULLIF(a + b, 0)"),
        ("a - (b - c)", "a - (b - c)"),
        ("a * b", "CAST(a AS DOUBLE) * CAST(b AS DOUBLE)"),
        ("-a", "0 - a"),
        ("a -- b", "a - (0 - b)"),
        ("a / 2.50", "a / 2.50"),
        ("a / 0", "a / NULLIF(0, 0)"),
        ("1e3 * a", "1000 * a"),
    ],
)
def test_a_formula_becomes_sql_with_guarded_denominators(text: str, gives: str) -> None:
    assert sql(text) == gives


def test_a_quotient_with_a_denominator_of_zero_is_empty_and_never_infinite() -> None:
    for text in ("1.0::DOUBLE", "1::DECIMAL(38,6)", "1::HUGEINT"):
        formula = to_sql(parse("a / b", "m"), {"a": text, "b": "0"}.__getitem__)
        assert duckdb.sql(f"SELECT {formula}").fetchall() == [(None,)]


@pytest.mark.parametrize(
    "text",
    [
        *("", "1 + 2", "a b", "a ** 2", "a % b", "a // b", "a()", "a.b", "a['b']", "'a'", "a if b else c", "a < b"),
        *(
            "lambda: a",
            "a and b",
            "True * a",
            "a + 1j",
            "a; drop table x",
            "(" * 300 + "a" + ")" * 300,
            "a + 1e999",
        ),
    ],
)
def test_anything_but_arithmetic_over_names_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"The expression .* of m"):
        parse(text, "m")


def test_metrics_made_of_metrics_are_expanded_to_the_base() -> None:
    formulas = {name: parse(text, name) for name, text in {"x": "a / b", "y": "x * 100 - x", "z": "y / c"}.items()}
    assert list(metric_names(expand("z", formulas))) == ["a", "b", "a", "b", "c"]


def test_a_metric_made_of_itself_is_refused_with_the_way_around() -> None:
    formulas = {name: parse(text, name) for name, text in {"x": "a + y", "y": "z * 2", "z": "x / 2"}.items()}
    with pytest.raises(ConfigError, match="x is made of itself: x -> y -> z -> x"):
        expand("x", formulas)


def test_types_and_units_follow_from_the_parts() -> None:
    types = {"clicks": "integer", "spend": "decimal", "share": "number"}
    units = {"clicks": "count", "spend": "currency", "share": "ratio"}
    for text, type_, unit in (
        ("spend / clicks", "number", "currency"),
        ("spend - spend", "decimal", "currency"),
        ("clicks * 2", "integer", "count"),
        ("spend * 1.19", "decimal", "currency"),
        ("clicks / clicks", "number", "ratio"),
        ("share * spend", "number", "currency"),
        ("1 - share", "number", "ratio"),
        ("clicks / spend", "number", None),
    ):
        assert (type_of(parse(text, "m"), types), unit_of(parse(text, "m"), units, "m")) == (type_, unit)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("share * 100", "percent"),
        ("100 * share", "percent"),
        ("share / 0.01", "percent"),
        ("clicks * 100 / impressions", "percent"),
        ("(1 - share) * 100", "percent"),
        ("100 - pct", "percent"),
        ("pct / 100", "ratio"),
        ("pct / pct", "ratio"),
        ("(share + share) / 2", "ratio"),
        ("spend / clicks * 100", "currency"),
        ("spend * pct / 100", "currency"),
        ("spend * pct", None),
    ],
)
def test_a_fraction_times_a_hundred_is_percent(text: str, unit: str | None) -> None:
    units = {"clicks": "count", "impressions": "count", "spend": "currency", "share": "ratio", "pct": "percent"}
    assert unit_of(parse(text, "m"), units, "m") == unit


def test_percent_and_fractions_are_not_added_up() -> None:
    with pytest.raises(ConfigError, match="m puts percent and ratio together"):
        unit_of(parse("pct + share", "m"), {"share": "ratio", "pct": "percent"}, "m")


def test_money_and_clicks_are_not_added() -> None:
    with pytest.raises(ConfigError, match=r"m puts currency and count together with \+"):
        unit_of(parse("spend + clicks", "m"), {"spend": "currency", "clicks": "count"}, "m")


def test_only_sums_of_sums_have_shares() -> None:
    for text, expected in (("a", True), ("a - b", True), ("a * 2", True), ("a / 2", True), ("-a", True)):
        assert is_sum(parse(text, "m")) is expected
    for text in ("a / b", "a * b", "a + 1", "2 / a"):
        assert not is_sum(parse(text, "m"))
