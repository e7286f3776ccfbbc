"""Derives the coverage of a run's facts from the deliveries that landed and the rows of the star."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.connector import contracts_of
from pipeline.contracts.sql import quote
from pipeline.ingest.deliveries.delivered_days import DeliveredDays
from semantic.catalog.coverage import SourceCoverage
from semantic.catalog.day_set import DaySet
from semantic.definitions.introspect import open_star
from warehouse.build.finding_facts import FED_BY, META
from warehouse.projects.engines import engines_of
from warehouse.star_schema import Table

_Days = dict[tuple[str, str], tuple[date, date]]
"""The first and the last day with rows, by platform and account."""


def derive_coverage(
    tenant: Tenant, stars_file: Path, delivered: Sequence[DeliveredDays], tables: Iterable[Table]
) -> tuple[SourceCoverage, ...]:
    """The coverage of every fact of a star, by source and account.

    A report covers the days of its deliveries. Records, such as orders, cover the days from the first one to the day
    before the last delivery, whose own day was not over; without a time of a delivery, to the last record.

    Raises:
        BuildError: The star cannot be read.
    """
    with open_star(stars_file, tenant.slug) as connection:
        rows = {table.name: _days_of_rows(connection, table, tenant) for table in tables if table.date}
    found = (source for fact, days in rows.items() for source in _of_fact(fact, days, tenant, delivered))
    return tuple(sorted(found, key=lambda source: (source.fact, source.platform or "", source.account or "")))


def _days_of_rows(connection: duckdb.DuckDBPyConnection, table: Table, tenant: Tenant) -> _Days:
    name, day = quote(table.table_name(tenant.slug)), quote(table.date or "")
    columns = {column.name for column in table.columns}
    source = ", ".join(key if key in columns else f"NULL AS {key}" for key in ("source_platform", "source_account"))
    sql = f"SELECT {source}, min({day}), max({day}) FROM {name} GROUP BY ALL"
    rows = connection.execute(sql).fetchall()
    return {(platform, account): (first, last) for platform, account, first, last in rows if first is not None}


def _of_fact(fact: str, rows: _Days, tenant: Tenant, delivered: Sequence[DeliveredDays]) -> Iterator[SourceCoverage]:
    """The sources that deliver rows of a fact, and those that have rows of which no delivery is known."""
    known: dict[tuple[str, str], list[DeliveredDays]] = {}
    for each in delivered:
        if _feeds(fact, each, tenant):
            for platform in _counts_as(each, rows):
                known.setdefault((platform, each.account), []).append(each)
    for key in sorted(known.keys() | rows.keys()):
        days = _days(rows.get(key), known.get(key, ()), tenant)
        source = next((source for source in tenant.sources if source.platform == key[0]), None)
        yield _coverage(fact, key, days, known.get(key, ()), source)


def _feeds(fact: str, delivered: DeliveredDays, tenant: Tenant) -> bool:
    """Whether records of an object become rows of a fact; one without measures, such as campaigns, only names them."""
    return any(
        source.platform == delivered.platform
        and delivered.object in engine.objects
        and bool(contracts_of(source.reads_as)[delivered.object].measures)
        for canonical, fed in FED_BY.items()
        if fact in fed.facts and not fed.columns
        for engine, source in engines_of(tenant, canonical)
    )


def _counts_as(delivered: DeliveredDays, rows: _Days) -> Iterable[str]:
    """The platforms that the rows of a delivery count for: its own, and of Meta also the other that it has rows of."""
    yield delivered.platform
    if delivered.platform in META:
        yield from (each for each in META if each != delivered.platform and (each, delivered.account) in rows)


def _days(rows: tuple[date, date] | None, delivered: Iterable[DeliveredDays], tenant: Tenant) -> DaySet:
    listed = list(delivered)
    covered = DaySet.of(span for each in listed for span in each.covered or ())
    if not any(each.covered is None for each in listed):
        return covered or (DaySet.of([rows]) if rows else DaySet())
    first, last = rows or (None, None)
    dated = [each for each in listed if each.covered is None and each.is_dated]
    if dated:
        zone = ZoneInfo(tenant.timezone)
        at = max(each.delivered_at for each in dated).replace(tzinfo=UTC).astimezone(zone)
        last = max(at.date() - timedelta(days=1), last or date.min)
    return covered | DaySet.of([(first, last)] if first and last else [])


def _coverage(
    fact: str,
    key: tuple[str, str],
    days: DaySet,
    delivered: Iterable[DeliveredDays],
    source: Source | None,
) -> SourceCoverage:
    listed = list(delivered)
    moments = [each.delivered_at.date() for each in listed]
    moments += [days.last] if days.last and moments else []
    records = [each for each in listed if each.covered is None]
    return SourceCoverage(
        fact=fact,
        platform=key[0],
        account=key[1],
        days=days,
        delivered_on=max(moments, default=None),
        every_days=max((each.every_days for each in listed), default=1),
        ended=source.ended if source else None,
        is_by_records=not listed or (bool(records) and not any(each.is_dated for each in records)),
    )
