"""Gates of the landing: files that can be read, counts that add up, contracts, days and freshness of deliveries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprints
from pipeline.contracts.sql import literal, quote
from pipeline.gate_rules.gate_settings import GateRules
from pipeline.gates.finding import Finding, FindingKind
from pipeline.gates.gate_result import GateResult, judge, rules_of
from pipeline.ingest.deliveries.day_spans import Span
from pipeline.ingest.deliveries.delivered_days import DeliveredDays
from pipeline.ingest.land import LandedTable, Landing
from pipeline.ingest.landing_tables import LOAD_ID, dataset
from pipeline.settings import Settings
from pipeline.storage.hub import read_hub

SAID_BY_FILE = ("contract_holds", "files_readable")
"""Gates about files, of which `landing_findings` has a finding for each file."""

Key = tuple[str, str, str]
"""Platform, account, object."""


def landing_results(
    tenant: Tenant, landing: Landing, known: Sequence[Finding], blueprints: Blueprints, settings: Settings
) -> list[GateResult]:
    """The results of the gates of a landing.

    Args:
        tenant: Whose landing it is.
        landing: What was landed.
        known: What `landing_findings` found of it.
        blueprints: Of the catalog.
        settings: With the hub and the date.
    """
    rules = rules_of(tenant, settings)
    results = [*_of_files(rules, landing, known)]
    if landing.load_id is not None and rules.is_on("landing_counts"):
        with read_hub(settings) as hub:
            counted = counts_of_load(hub, tenant, landing.load_id, landing.tables, blueprints)
        results += [_of_counts(rules, key, counts) for key, counts in sorted(counted.items())]
    return [*results, *delivery_results(tenant, landing.delivered, settings)]


def delivery_results(tenant: Tenant, delivered: Sequence[DeliveredDays], settings: Settings) -> list[GateResult]:
    """Days and freshness of what enabled sources delivered so far."""
    rules, today = rules_of(tenant, settings), settings.day()
    enabled = {source.platform for source in tenant.enabled}
    live = {source.platform for source in tenant.enabled if source.ended is None or source.ended >= today}
    return [*_of_days(rules, delivered, enabled), *_of_freshness(rules, delivered, live, today)]


def _of_files(rules: GateRules, landing: Landing, known: Sequence[Finding]) -> Iterator[GateResult]:
    for table in landing.tables:
        key = table.platform, table.account, table.object
        said = [each for each in known if (each.platform, each.account, each.object) == key]
        unreadable = [each for each in said if each.kind is FindingKind.UNREADABLE_FILE]
        withheld = [each for each in said if each.kind is FindingKind.WITHHELD_FILE]
        about = {"platform": table.platform, "account": table.account, "object": table.object}
        name = f"{table.object} of {table.platform} {table.account}"
        for gate, count, files in (
            ("contract_holds", len(table.drift), withheld),
            ("files_readable", len(unreadable), unreadable),
        ):
            if rules.is_on(gate):
                sentence = files[0].sentence if files else f"{name} has drifted from its contract."
                yield judge(rules, gate, table.object, count, sentence, **about, kind=_kind(gate))


def _kind(gate: str) -> FindingKind:
    return FindingKind.WITHHELD_FILE if gate == "contract_holds" else FindingKind.UNREADABLE_FILE


def counts_of_load(
    hub: duckdb.DuckDBPyConnection, tenant: Tenant, load_id: str, tables: Iterable[LandedTable], blueprints: Blueprints
) -> dict[Key, tuple[int, int, int, int]]:
    """What one load says that it read, and what is there of it, by platform, account and object.

    Returns:
        Records said to be landed, landed ones, records said to be in quarantine, quarantined ones.
    """
    schema, load = quote(dataset(tenant)), literal(load_id)
    landed = " union all ".join(
        f"select {literal(table.platform)}, {literal(table.account)}, {literal(table.object)}, 0, count(*), 0, 0"
        f" from {schema}.{quote(blueprints[table.platform, table.object].landing_table)}"
        f" where {LOAD_ID} = {load} and _account = {literal(table.account)}"
        for table in tables
        if table.files and (table.platform, table.object) in blueprints
    )
    rows = hub.execute(
        f"""with files as (
            select platform, account, object, path, batch_id, rows, quarantined
            from {schema}.landed_files where {LOAD_ID} = {load}
        ),
        counted (platform, account, object, said, landed, said_bad, bad) as (
            select platform, account, object, rows, 0, quarantined, 0 from files
            {f"union all {landed}" if landed else ""}
            union all
            select platform, account, object, 0, 0, 0, count(*) from {schema}.quarantine as kept
            where {LOAD_ID} = {load} and not (line is null and record is null) and exists (
                select 1 from files where files.platform = kept.platform and files.account = kept.account
                    and files.object = kept.object and files.path = kept.path and files.batch_id = kept.batch_id)
            group by all
        )
        select platform, account, object, sum(said)::bigint, sum(landed)::bigint, sum(said_bad)::bigint,
            sum(bad)::bigint
        from counted group by all"""
    ).fetchall()
    return {(row[0], row[1], row[2]): (row[3], row[4], row[5], row[6]) for row in rows}


def _of_counts(rules: GateRules, key: Key, counts: tuple[int, int, int, int]) -> GateResult:
    (platform, account, name), (said, landed, said_bad, bad) = key, counts
    sentence = (
        f"{said + said_bad} records of {name} of {platform} {account} were read, and {landed} are landed and {bad} in "
        f"quarantine."
    )
    value = abs(said - landed) + abs(said_bad - bad)
    return judge(rules, "landing_counts", name, value, sentence, platform=platform, account=account, object=name)


def _of_days(rules: GateRules, delivered: Iterable[DeliveredDays], platforms: set[str]) -> Iterator[GateResult]:
    for each in delivered if rules.is_on("expected_days") else ():
        if each.covered and each.platform in platforms:
            holes = missing_days(each.covered)
            days = sum((last - first).days + 1 for first, last in holes)
            named = ", ".join(f"{first} to {last}" if first < last else f"{first}" for first, last in holes[:3])
            more = f" and {len(holes) - 3} more" if len(holes) > 3 else ""
            sentence = (
                f"{days} days of {each.object} of {each.platform} {each.account} are in no delivery: {named}{more}."
            )
            yield judge(
                rules,
                "expected_days",
                each.object,
                days,
                sentence,
                platform=each.platform,
                account=each.account,
                object=each.object,
                first_day=holes[0][0] if holes else None,
                last_day=holes[-1][1] if holes else None,
            )


def missing_days(covered: Sequence[Span]) -> list[Span]:
    """The days between the spans of a report, as spans."""
    day = timedelta(days=1)
    return [
        (before[1] + day, after[0] - day) for before, after in pairwise(sorted(covered)) if after[0] - before[1] > day
    ]


def _of_freshness(
    rules: GateRules, delivered: Iterable[DeliveredDays], live: set[str], today: date
) -> Iterator[GateResult]:
    sources: dict[tuple[str, str], list[DeliveredDays]] = {}
    for each in delivered if rules.is_on("source_freshness") else ():
        if each.platform in live:
            sources.setdefault((each.platform, each.account), []).append(each)
    for (platform, account), objects in sorted(sources.items()):
        last, every = _last_delivery(objects)
        age = Decimal(max(0, (today - last).days)) / every
        usual = "every day" if every == 1 else f"every {every} days"
        sentence = f"The last delivery of {platform} {account} is of {last}, and one is expected {usual}."
        yield judge(rules, "source_freshness", platform, age, sentence, platform=platform, account=account)


def _last_delivery(objects: Iterable[DeliveredDays]) -> tuple[date, int]:
    """The day of the last delivery of a source, and its usual distance: a day that it covers proves that it came."""
    listed = list(objects)
    moments = [each.delivered_at.date() for each in listed]
    moments += [each.covered[-1][1] for each in listed if each.covered]
    return max(moments), max(each.every_days for each in listed)
