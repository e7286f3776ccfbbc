"""A star written by hand: the tables of `warehouse.star_schema`, filled with rows that can be added up on paper."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import duckdb

from pipeline.config.tenant import Tenant
from semantic.answering.run_query import run_query
from semantic.answering.semantic_model import SemanticModel, load_model
from semantic.catalog.coverage import SourceCoverage, coverage_json
from semantic.catalog.day_set import DaySet
from semantic.catalog.run_definitions import RunDefinitions, read_definitions
from semantic.definitions.derive import definitions_yaml, derive
from semantic.definitions.found.find_tables import find_tables
from semantic.definitions.introspect import introspect
from semantic.planning.query import Answer, read_query
from warehouse.projects.rates_table import with_rates
from warehouse.star_schema import Column, Table, star_schema
from warehouse.table_descriptions import TableDescription

TODAY = date(2026, 4, 15)
SLUG = "shop"
_PLATFORMS = {"ad_performance": "facebook_ads", "campaigns": "facebook_ads", "sessions": "google_analytics"}
_PLATFORMS |= {"events": "google_analytics", "users": "google_analytics"}
_NAMES = {"k1": "Alpha", "k2": "Beta", "k3": "Alpha"}
_WORDS = {"tenant_slug": SLUG, "source_account": "main", "attribution": "none", "currency": "EUR", "is_valid": True}


class HandStar:
    """Rows added one by one, with what a column must have filled in; then a run like a published one, and answers."""

    def __init__(self, folder: Path, **tenant: Any) -> None:
        self.tenant = Tenant(slug=SLUG, business_name="Shop", **tenant)
        promised = star_schema(len(self.tenant.funnel), gap=self.tenant.sessions.gap)
        rated = (with_rates(table, self.tenant.currency) for table in promised)
        self.tables = {table.name: table for table in (rated if self.tenant.rates else promised)}
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in self.tables}
        self.folder = folder
        self.made: list[str] = []
        self.descriptions: dict[str, TableDescription] = {}
        self._covers: list[SourceCoverage] = []
        self._model: SemanticModel | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None

    def cover(self, first: str, last: str, *facts: str, **known: Any) -> HandStar:
        """Let sources cover some days of facts, all of them if none is named; else the days of the rows are covered."""
        days = DaySet.of([(date.fromisoformat(first), date.fromisoformat(last))])
        named = facts or tuple(name for name, table in self.tables.items() if table.date)
        source = {"platform": None, "account": None if "platform" not in known else "main", **known}
        self._covers += [SourceCoverage(fact=fact, days=days, **source) for fact in named]
        return self

    def add(self, table: str, *rows: Mapping[str, Any]) -> HandStar:
        for given in rows:
            number = len(self.rows[table]) + 1
            self.rows[table].append(
                {
                    column.name: self._value(self.tables[table], column, given, number)
                    for column in self.tables[table].columns
                }
            )
        return self

    def _value(self, table: Table, column: Column, given: Mapping[str, Any], number: int) -> Any:
        if column.name in given:
            return given[column.name]
        if column.name == "source_platform":
            return _PLATFORMS.get(table.name, "shopify")
        if column.name in _WORDS:
            return _WORDS[column.name]
        if not column.required:
            return None
        if column.type == "TIMESTAMP":
            return datetime.combine(given[table.date], time(12)) if table.date else None
        return {"VARCHAR": f"{table.name}-{number}", "BOOLEAN": False}.get(column.type, 0)

    def make(self, name: str, sql: str, described: TableDescription | None = None) -> HandStar:
        """Let a table of the tenant's own be made of a query, such as fct_shop__subscriptions."""
        self.made.append(f'CREATE TABLE "{name}" AS {sql}')
        if described is not None:
            self.descriptions[name] = described
        return self

    def write(self, run_id: str = "20260415T000000000000Z_abcdef") -> Path:
        """A folder as a published run has: stars.duckdb and semantic.yml."""
        run_dir = self.folder / run_id
        run_dir.mkdir(parents=True)
        stars = run_dir / "stars.duckdb"
        with duckdb.connect(stars) as connection:
            self.fill(connection)
            for statement in self.made:
                connection.execute(statement)
        self.define(run_dir)
        return run_dir

    def fill(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the tables and write the rows."""
        for name, table in self.tables.items():
            columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
            connection.execute(f'CREATE TABLE "{table.table_name(SLUG)}" ({columns})')
            self.refill(connection, name)

    def refill(self, connection: duckdb.DuckDBPyConnection, table: str) -> None:
        """Write the rows of one table instead of those it has."""
        name = self.tables[table].table_name(SLUG)
        connection.execute(f'DELETE FROM "{name}"')
        rows = [f"({', '.join(map(_literal, row.values()))})" for row in self.rows[table]]
        if rows:
            connection.execute(f'INSERT INTO "{name}" VALUES {", ".join(rows)}')

    def define(self, run_dir: Path) -> None:
        with duckdb.connect(run_dir / "stars.duckdb", read_only=True) as connection:
            star = find_tables(connection, SLUG, tuple(self.tables.values()), self.descriptions)
        observed = introspect(run_dir / "stars.duckdb", star.tables, SLUG)
        derived = derive(self.tenant, star.tables, observed, descriptions=star.descriptions, candidates=star.candidates)
        (run_dir / "semantic.yml").write_text(definitions_yaml(derived), encoding="utf-8")
        if self._covers:
            (run_dir / "coverage.json").write_text(coverage_json(self._covers), encoding="utf-8")

    @property
    def model(self) -> SemanticModel:
        if self._model is None:
            run_dir = self.write()
            self._model = load_model(run_dir)
            self._connection = duckdb.connect(run_dir / "stars.duckdb", read_only=True)
        return self._model

    @property
    def cursor(self) -> duckdb.DuckDBPyConnection:
        assert self.model
        assert self._connection is not None
        return self._connection.cursor()

    def ask(self, *, today: date = TODAY, **query: Any) -> Answer:
        return self.ask_on(self.cursor, today=today, **query)

    def ask_on(self, connection: duckdb.DuckDBPyConnection, /, *, today: date = TODAY, **query: Any) -> Answer:
        return run_query(read_query(query), self.model, connection, today=today)

    def table(self, **query: Any) -> list[dict[str, Any]]:
        """The rows of an answer by column name."""
        answer = self.ask(**query)
        return [dict(zip([str(column["name"]) for column in answer.columns], row, strict=True)) for row in answer.rows]

    def one(self, metric: str, **query: Any) -> Any:
        """The only value of a metric."""
        [row] = self.table(metrics=[metric], **query)
        return row[metric]

    def sql(self, text: str) -> list[tuple[Any, ...]]:
        return self.cursor.execute(text).fetchall()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _literal(value: Any) -> str:
    """A value as SQL: a bound one makes DuckDB look for pandas, which takes longer than the rows."""
    if value is None:
        return "NULL"
    if isinstance(value, int | float) or str(value).startswith("MAP {"):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def covered_hand_shop(folder: Path) -> HandStar:
    """The hand-written shop; its sources cover all days from 2020 to yesterday, so that a day without rows is 0."""
    return hand_shop(folder).cover("2020-01-01", "2026-12-31")


def hand_shop(folder: Path, **tenant: Any) -> HandStar:
    """Two ad platforms, two campaigns of one name, a campaign without spend, and rows without a campaign."""
    shop = HandStar(folder, **tenant)
    shop.add(
        "campaigns",
        {"campaign_key": "k1", "campaign_id": "1", "campaign_name": "Alpha"},
        {"campaign_key": "k2", "campaign_id": "2", "campaign_name": "Beta", "source_platform": "google_ads"},
        {"campaign_key": "k3", "campaign_id": "1", "campaign_name": "Alpha", "source_platform": "google_ads"},
        {"campaign_key": "k4", "campaign_id": "4", "is_inferred": True},
    )
    shop.add(
        "ad_performance",
        _ad("2026-01-10", "k1", "1", 100, 1000, 10, 2.0),
        _ad("2026-01-20", "k2", "2", 50, 500, 5, None, source_platform="google_ads"),
        _ad("2026-02-05", "k1", "1", 200, 2000, 40, 4.0),
        _ad("2026-02-06", "k3", "1", 0, 100, 0, None, source_platform="google_ads"),
        _ad("2026-02-07", None, None, 7, 70, 1, None),
        _ad("2026-03-01", "k4", "4", 3, 30, 0, None),
    )
    shop.add("users", {"user_key": "u1", "is_customer": True}, {"user_key": "u2"}, {"user_key": "u3"})
    shop.add(
        "sessions",
        _visit("2026-01-11", "u1", 150, "google", "cpc", "k1", "facebook_ads", geo_country="DE"),
        _visit("2026-01-21", "u2", 0, "(direct)", "(none)", None, None, geo_country="FR"),
        _visit("2026-02-06", "u1", 300, "google", "cpc", "k1", "facebook_ads", geo_country="DE"),
        _visit("2026-02-10", "u3", 40, "google", "cpc", "k3", "google_ads", geo_country=None),
        _visit("2026-03-01", "u3", 25, "google", "cpc", None, "google_ads", attribution="ambiguous"),
        _visit("2026-04-02", "u2", 0, "newsletter", "email", None, None, geo_country="DE"),
    )
    shop.add(
        "orders",
        _order("2026-01-11", "o1", 150, "c1", user_key="u1", campaign_key="k1", refunded_amount=20, **_FIRST_OF_TWO),
        _order("2026-02-06", "o2", 300, "c1", user_key="u1", campaign_key="k1", **_SECOND),
        _order("2026-02-10", "o3", 40, "c2", user_key="u3", campaign_key="k3", **_ONLY),
        _order("2026-02-11", "o4", 60, None),
        _order("2026-02-12", "o5", 999, "c3", is_valid=False, is_cancelled=True, refunded_amount=999),
    )
    shop.add(
        "refunds",
        {"refund_date": date(2026, 2, 1), "order_key": "o1", "order_id": "o1", "amount": 20},
        {"refund_date": date(2026, 2, 13), "order_key": "o5", "order_id": "o5", "amount": 999, "is_valid": False},
    )
    shop.add("products", {"product_key": "p1", "product_name": "Cap"}, {"product_key": "p2", "product_name": "Mug"})
    shop.add(
        "order_items",
        _line("2026-01-11", "o1", "p1", 3, 150),
        _line("2026-02-06", "o2", "p1", 2, 100),
        _line("2026-02-06", "o2", "p2", 10, 200),
        _line("2026-02-12", "o5", "p2", 50, 999, is_valid=False),
    )
    shop.add(
        "events",
        {"event_date": date(2026, 1, 11), "event_name": "purchase", "user_key": "u1", "session_id": "sessions-1"},
        {"event_date": date(2026, 1, 11), "event_name": "page_view", "user_key": "u1", "session_id": "sessions-1"},
        {"event_date": date(2026, 1, 12), "event_name": "page_view"},
    )
    return shop


_FIRST_OF_TWO = {"is_first_order": True, "customer_order_number": 1, "customer_order_count": 2}
_FIRST_OF_TWO |= {"days_to_second_order": 26, "customer_value_30_days": 450}
_SECOND = {"customer_order_number": 2, "customer_order_count": 2}
_ONLY = {"is_first_order": True, "customer_order_number": 1, "customer_order_count": 1}


def _ad(
    day: str,
    key: str | None,
    id_: str | None,
    spend: float,
    impressions: int,
    clicks: int,
    conversions: float | None,
    **more: Any,
) -> dict[str, Any]:
    row = {"report_date": date.fromisoformat(day), "campaign_key": key, "campaign_id": id_, "spend": spend}
    return {
        **row,
        "impressions": impressions,
        "clicks": clicks,
        "conversions": conversions,
        "conversion_value": conversions,
        **more,
    }


def _visit(
    day: str, user: str, revenue: float, source: str, medium: str, key: str | None, platform: str | None, **more: Any
) -> dict[str, Any]:
    row = {"session_date": date.fromisoformat(day), "user_key": user, "session_revenue": revenue, "campaign_key": key}
    row |= {"traffic_source": source, "traffic_medium": medium, "ad_platform": platform, "events_in_session": 4}
    row |= {"session_duration_seconds": 30, "is_conversion_session": revenue > 0, "funnel_step_1": 1}
    row |= {"attribution": "matched" if key else "none", "currency": "EUR" if revenue else None}
    row |= {"campaign_name": _NAMES.get(key or "")}
    return {**row, "funnel_step_6": 1 if revenue else 0, **more}


def _order(day: str, id_: str, price: float, customer: str | None, **more: Any) -> dict[str, Any]:
    row = {"order_date": date.fromisoformat(day), "order_key": id_, "order_id": id_, "total_price": price}
    row |= {"customer_key": customer, "refunded_amount": 0, "financial_status": "paid"}
    row |= {"campaign_name": _NAMES.get(more.get("campaign_key", ""))}
    row |= {"gross_sales": price, "discount_amount": 0, "shipping_amount": 0, "tax_amount": 0, "other_charges": 0}
    return {**row, "attribution": "matched" if "campaign_key" in more else "none", **more}


def _line(day: str, order: str, product: str, quantity: int, amount: float, **more: Any) -> dict[str, Any]:
    row = {"order_date": date.fromisoformat(day), "order_key": order, "order_id": order, "product_key": product}
    return {**row, "quantity": quantity, "item_amount": amount, "item_cost": amount / 2, **more}


def definitions_of(star: HandStar) -> RunDefinitions:
    """The definitions of the run that a star answers from."""
    return read_definitions((star.folder / star.model.run_id / "semantic.yml").read_bytes())
