"""A tenant's logic has its effect: filters in the views, conversions and funnels in the sessions, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from typing import Any
from unicodedata import category

import duckdb
import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.blocks.filter_rules import BARE, Rule
from pipeline.config.tenant import Tenant
from pipeline.contracts.fields import (
    CompactDate,
    Contract,
    DecimalText,
    EpochMicros,
    Flag,
    Instant,
    Integer,
    LocalTime,
    Micros,
    MinorUnits,
    Nested,
    PercentText,
    Rfc2822,
    Text,
    shape_of,
)
from pipeline.contracts.registry import Blueprint
from pipeline.contracts.sql import struct_json
from tests.warehouse.engine_fixture import BLUEPRINTS, MACROS, a_source
from warehouse.projects.hub_projects import SINK_COLUMNS
from warehouse.projects.row_filters import filter_conditions
from warehouse.projects.star_models import history_objects, history_views, intermediate_views
from warehouse.projects.star_project import star_project

Json = dict[str, Any]


@cache
def macros() -> dict[str, Any]:
    texts = [
        (MACROS / folder / f"{name}.sql").read_text(encoding="utf-8")
        for folder, name in (
            ("utils", "cast_as"),
            ("onboarding", "sync_to_master_hub"),
            ("onboarding", "merge_tombstones"),
        )
    ]
    module = jinja2.Environment(extensions=["jinja2.ext.do"]).from_string("\n".join(texts)).module  # SQL
    return {name: getattr(module, name) for name in ("cast_as", "version_order", "tombstone_payload")}


def rendered(text: str) -> str:
    """What dbt sends to the database."""
    template = jinja2.Environment(keep_trailing_newline=True).from_string(text)  # SQL
    return template.render(macros(), source=lambda _, name: name)


def rule(field: str, op: str, value: object = None) -> Rule:
    return {"field": field, "op": op} | ({} if op in BARE else {"value": value})


# ── one rule over one record ──


class Inner(Nested):
    dollar: Text = None
    cents: MinorUnits = None


class Sample(Contract):
    """A field of every kind."""

    text: Text = None
    amount: DecimalText = None
    micros: Micros = None
    percent: PercentText = None
    whole: Integer = None
    flag: Flag = None
    instant: Instant = None
    local: LocalTime = None
    mail: Rfc2822 = None
    epoch: EpochMicros = None
    day: CompactDate = None
    inner: Inner | None = None


def kept(records: Sequence[Json], *rules: Rule) -> list[int]:
    """The positions of the records that meet all rules."""
    shape = shape_of(Sample)
    where = " and ".join(rendered(text) for text in filter_conditions(rules, shape)) or "true"
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("set TimeZone = 'America/Los_Angeles'")
        con.execute("create table records (n bigint, payload json)")
        con.executemany("insert into records values (?, ?)", [(n, json.dumps(each)) for n, each in enumerate(records)])
        parsed = "select n, from_json(payload, $structure) as record from records"
        query = f"select n from ({parsed}) where {where} order by n"
        return [n for (n,) in con.execute(query, {"structure": struct_json(shape)}).fetchall()]


ABSENT: list[Json] = [{}, {"text": None}, {"text": ""}, {"text": "  "}]


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("=", "paid", [4, 6]),
        ("!=", "paid", [0, 1, 2, 3, 5]),
        ("in", ["paid", "Paid"], [4, 5, 6]),
        ("not_in", ["paid", "Paid"], [0, 1, 2, 3]),
        ("=", "", [0, 1, 2, 3]),
        ("!=", "", [4, 5, 6]),
        ("in", ["", "Paid"], [0, 1, 2, 3, 5]),
        (">", "a", [4, 6]),
        ("<", "z", [4, 5, 6]),
        ("between", ["A", "Z"], [5]),
        ("contains", "ai", [4, 5, 6]),
        ("starts_with", "pa", [4, 6]),
        ("is_null", None, [0, 1, 2, 3]),
        ("is_not_null", None, [4, 5, 6]),
    ],
)
def test_a_field_without_a_value_meets_is_null_and_being_different_and_nothing_else(
    op: str, value: object, expected: list[int]
) -> None:
    assert kept([*ABSENT, {"text": "paid"}, {"text": "Paid"}, {"text": " paid "}], rule("text", op, value)) == expected


@pytest.mark.parametrize(
    ("field", "values", "op", "value", "expected"),
    [
        ("amount", ["9", "10.5", "1e2", None], ">", 10, [1, 2]),
        ("amount", ["9", "10.50", "-1", None], "=", "10.5", [1]),
        ("amount", ["9", "10.5", "-1", None], "!=", 9, [1, 2, 3]),
        ("amount", ["9", "10.5", "-1", None], "between", [-1, 9], [0, 2]),
        ("micros", [1_500_000, 1_499_999], ">=", 1.5, [0]),
        ("percent", ["12.5%", "12.4"], ">=", "12.5%", [0]),
        ("whole", [2, 10, None], "<", 10, [0]),
        ("whole", [2, 10, None], "not_in", [10], [0, 2]),
        ("flag", [True, False, None], "=", False, [1]),
        ("flag", [True, False, None], "!=", True, [1, 2]),
        ("instant", ["2026-01-05T23:30:00-05:00", "2026-01-05T12:00:00Z"], "=", "2026-01-06", [0]),
        ("instant", ["2026-01-05T23:30:00-05:00", "2026-01-05T12:00:00Z"], ">", "2026-01-05T13:00:00+01:00", [0]),
        ("instant", ["2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z"], "between", ["2026-01-01", "2026-01-31"], [0]),
        ("local", ["2026-01-05 23:30:00", "2026-01-06 00:00:00"], "<=", "2026-01-05", [0]),
        ("mail", ["Mon, 05 Jan 2026 23:30:00 -0500", "Mon, 05 Jan 2026 12:00:00 +0000"], "=", "2026-01-06", [0]),
        ("epoch", [1767607200_000_000, 1767607199_999_999], ">=", "2026-01-05 10:00:00", [0]),
        ("day", ["20260105", "20260106"], ">", "2026-01-05", [1]),
    ],
)
def test_values_are_compared_by_what_the_field_means(
    field: str, values: list[object], op: str, value: object, expected: list[int]
) -> None:
    assert kept([{field: each} for each in values], rule(field, op, value)) == expected


def test_rules_reach_into_objects_and_must_all_be_met() -> None:
    records = [{"inner": {"dollar": "a", "cents": 5}}, {"inner": {"dollar": "a", "cents": 6}}, {}]
    assert kept(records, rule("inner.dollar", "=", "a"), rule("inner.cents", ">", 5)) == [1]


def test_every_meaning_that_a_rule_may_name_is_generated() -> None:
    shape = shape_of(Sample)
    values: dict[str, object] = {"text": "a", "flag": True}
    for name, _ in shape:
        if name != "inner":
            value = values.get(name, "2026-01-05" if name in ("instant", "local", "mail", "epoch", "day") else "5")
            assert kept([{}], rule(name, "!=", value)) == [0]


SPACES = "".join(char for char in map(chr, range(0x10000)) if category(char) == "Zs")
"""The characters that DuckDB trims."""
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
HOSTILE = st.sampled_from(
    ["'", "''", "' or true --", "{{ 1 }}", "{% raw %}", "{#", "\\'", "'); drop table records; --"]
)


@given(st.lists(TEXT | HOSTILE, min_size=1, max_size=5), TEXT | HOSTILE, TEXT | HOSTILE)
def test_no_text_of_a_rule_is_ever_sql_or_a_template(texts: list[str], wanted: str, part: str) -> None:
    records = [{"text": text} for text in [*texts, wanted, wanted + part]]
    held = [record["text"].strip(SPACES) for record in records]
    found = wanted.strip(SPACES)
    assert kept(records, rule("text", "=", wanted)) == [n for n, text in enumerate(held) if text == found]
    assert kept(records, rule("text", "not_in", [wanted])) == [n for n, text in enumerate(held) if text != found]
    if part:
        expected = [n for n, text in enumerate(held) if part in text]
        assert kept(records, rule("text", "contains", part)) == expected


# ── the views ──


def seen(view: str, blueprint: Blueprint, payloads: Sequence[Json]) -> list[Json]:
    """The rows of a view over a sink that holds these payloads, oldest first; `id` keys them."""
    columns = ", ".join(f"{name} {type_}" for name, type_ in SINK_COLUMNS)
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute(f"create table {blueprint.sink} ({columns})")
        for n, payload in enumerate(payloads):
            row: Json = {"tenant_slug": "t", "source_platform": blueprint.platform, "source_account": "main"}
            row |= {"tenant_skey": str(payload["id"]), "payload_hash": n, "raw_data_payload": json.dumps(payload)}
            row |= {"exported_at": f"2026-01-0{n + 1}", "source_position": n}
            given = ", ".join(f"${name}" for name in row)
            con.execute(f"insert into {blueprint.sink} ({', '.join(row)}) values ({given})", row)
        result = con.execute(rendered(view))
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def shop(*rules: Rule, platform: str = "shopify", table: str = "orders") -> Tenant:
    source = a_source(platform, logic={table: {"filters": list(rules)}} if rules else {})
    return Tenant(slug="t", business_name="T", sources=(source,))


def view_of(tenant: Tenant, blueprint: Blueprint) -> str:
    (text,) = intermediate_views(tenant, [blueprint]).values()
    return text


ORDERS = [
    {"id": 1, "financial_status": "paid", "total_price": "10.00"},
    {"id": 2, "financial_status": "voided", "total_price": "20.00"},
    {"id": 3, "total_price": "5.00"},
]


def test_a_view_leaves_out_the_rows_that_fail_a_rule_and_the_sink_keeps_them() -> None:
    orders = BLUEPRINTS["shopify", "orders"]
    everything = [row["id"] for row in seen(view_of(shop(), orders), orders, ORDERS)]
    some = [
        row["id"]
        for row in seen(
            view_of(shop(rule("financial_status", "!=", "voided"), rule("total_price", ">", 5)), orders), orders, ORDERS
        )
    ]
    assert (sorted(everything), some) == ([1, 2, 3], [1])


def test_a_record_is_judged_by_its_current_version_and_an_older_one_never_stands_in() -> None:
    orders = BLUEPRINTS["shopify", "orders"]
    paid = rule("financial_status", "=", "paid")
    voided_later = [*ORDERS, {"id": 1, "financial_status": "voided", "total_price": "10.00"}]
    assert seen(view_of(shop(paid), orders), orders, voided_later) == []


def test_a_history_keeps_the_versions_that_meet_the_rules_with_their_times() -> None:
    campaigns = BLUEPRINTS["facebook_ads", "campaigns"]
    tenant = shop(rule("status", "!=", "DELETED"), platform="facebook_ads", table="campaigns")
    (view,) = history_views(tenant, history_objects(tenant, BLUEPRINTS)).values()
    versions = [{"id": "c", "status": "ACTIVE"}, {"id": "c", "status": "DELETED"}]
    (row,) = seen(view, campaigns, versions)
    assert (row["status"], str(row["in_force_to"])) == ("ACTIVE", "2026-01-02 00:00:00")


def test_the_filters_of_one_table_change_that_tables_view_alone(tyrell: Callable[..., Tenant]) -> None:
    plain = tyrell()
    source = plain.source("shopify")
    tables = {"orders": {"filters": [rule("test", "!=", True)]}}
    sources = [each if each is not source else source.model_copy(update={"tables": tables}) for each in plain.sources]
    filtered = plain.model_copy(update={"sources": tuple(sources)})
    before, after = (star_project(tenant, BLUEPRINTS) for tenant in (plain, filtered))
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {"models/intermediate/shopify/int_tyrell_corp__shopify_orders.sql"}


# ── conversions, funnels, purchases ──


def event(user: str, minute: int, name: str, **params: Any) -> Json:
    listed = [
        {"key": key, "value": {"string_value": value} if isinstance(value, str) else {"double_value": value}}
        for key, value in params.items()
    ]
    at = 1767607200_000_000 + minute * 60_000_000
    own = {"user_pseudo_id": user, "event_date": "20260105", "event_timestamp": at}
    return own | {"event_name": name, "event_params": listed}


EVENTS = [
    event("a", 0, "session_start", source="google", medium="cpc"),
    event("a", 1, "view_item"),
    event("a", 2, "purchase", value=10.0, currency="USD", transaction_id="T1"),
    event("b", 0, "landing"),
    event("b", 1, "form_open"),
    event("b", 2, "sign_up"),
    event("c", 0, "landing"),
]
OWN = {
    "conversion_events": ["sign_up"],
    "funnel_steps": {"see": ["landing"], "try": ["form_open"], "join": ["sign_up"]},
}


@pytest.fixture(scope="module")
def two_stars(tyrell: Callable[..., Tenant], make_hub: Callable[[], Any], build_star: Callable[..., Any]) -> Any:
    """One hub, and the sessions of one tenant before and after it says what converts and how the funnel goes."""
    hub = make_hub()
    hub.add("google_analytics", "events", EVENTS)
    what = ("run", "--select", "+fct_tyrell_corp__sessions")
    return build_star(tyrell(), hub, what), build_star(tyrell(analytics=OWN), hub, what)


def test_own_conversions_and_funnel_change_conversion_flags_and_funnel_columns_alone(two_stars: Any) -> None:
    before, after = two_stars
    names = [name for name, *_ in before.tables.sql(f"describe {before.name('fct_sessions')}").fetchall()]
    told = [name for name in names if not name.startswith("funnel_") and name != "is_conversion_session"]
    same = ", ".join(told)
    assert before.rows("fct_sessions", same) == after.rows("fct_sessions", same)
    flags = "user_pseudo_id, is_conversion_session, funnel_conversion_count, funnel_max_step"
    assert before.rows("fct_sessions", flags) == [("a", True, 1, 6), ("b", False, 0, 0), ("c", False, 0, 0)]
    assert after.rows("fct_sessions", flags) == [("a", False, 0, 0), ("b", True, 1, 3), ("c", False, 0, 1)]


def test_a_funnel_has_as_many_columns_as_the_tenant_names_steps(two_stars: Any) -> None:
    _, after = two_stars
    steps = "user_pseudo_id, funnel_step_1, funnel_step_2, funnel_step_3"
    assert after.rows("fct_sessions", steps) == [("a", 0, 0, 0), ("b", 1, 1, 1), ("c", 1, 0, 0)]
    names = [name for name, *_ in after.tables.sql(f"describe {after.name('fct_sessions')}").fetchall()]
    assert "funnel_step_4" not in names


def test_revenue_does_not_depend_on_what_converts(two_stars: Any) -> None:
    for star in two_stars:
        assert star.one("fct_sessions", "sum(session_revenue)") == (Decimal(10),)


def test_one_tenants_logic_leaves_every_file_of_another_as_it_is(tyrell: Callable[..., Tenant]) -> None:
    files = {
        (slug, said): star_project(tyrell(slug=slug, analytics=OWN if said else None), BLUEPRINTS)
        for slug in ("acme", "wayne")
        for said in (False, True)
    }
    assert files["acme", False] != files["acme", True]
    assert files["wayne", False] == star_project(tyrell(slug="wayne"), BLUEPRINTS)
    changed = {path for path, text in files["acme", False].items() if files["acme", True].get(path) != text}
    view = "models/intermediate/google_analytics/int_acme__google_analytics_events.sql"
    assert changed == {"models/stars/fct_acme__sessions.sql", "models/stars.yml", view}
    lines = zip(files["acme", False][view].splitlines(), files["acme", True][view].splitlines(), strict=True)
    assert all("logic_hash" in before and "logic_hash" in after for before, after in lines if before != after)


def test_hostile_names_of_events_and_values_of_rules_go_through_dbt_as_text(
    tyrell: Callable[..., Tenant], make_hub: Callable[[], Any], build_star: Callable[..., Any]
) -> None:
    hub = make_hub()
    names = ["it's", '"quoted"', "back\\slash", "a;b", "{braces}", "--"]
    hub.add("google_analytics", "events", [event(name, 0, name) for name in names])
    logic = {
        "conversion_events": names[:-1],
        "funnel_steps": {"first": [names[0]], "second": names[1:3]},
        "filters": [rule("event_name", "not_in", ["--"]), rule("geo.country", "!=", "'); drop schema main; --")],
    }
    star = build_star(tyrell(analytics=logic), hub, ("run", "--select", "+fct_tyrell_corp__sessions"))
    flags = "user_pseudo_id, is_conversion_session, funnel_max_step"
    expected = [(name, True, 1 if n == 0 else 2 if n < 3 else 0) for n, name in enumerate(names[:-1])]
    assert star.rows("fct_sessions", flags) == sorted(expected)
