"""Findings of a landing: files that are withheld or in quarantine as a whole, and records in quarantine.

They say what is so now, also where an earlier load found it: a file counts as long as it is there and nothing newer of
its path landed, a record until one with its key landed later. No sentence quotes a value of a record, or a path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import groupby
from pathlib import Path, PurePath
from typing import Any

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.contracts.fields import Contract
from pipeline.contracts.registry import Blueprint, Blueprints
from pipeline.contracts.sql import literal, quote
from pipeline.errors import shorten
from pipeline.gates.finding import Finding, FindingKind, field_of
from pipeline.ingest.formats.zip_file import archive_of
from pipeline.ingest.land import LandedTable, Landing
from pipeline.ingest.landing_tables import LOAD_ID, dataset
from pipeline.settings import Settings
from pipeline.storage.hub import read_hub

MEND = "Mend or remove it, and build again."
FIELDS_SHOWN = 3
DAY = timedelta(days=1)
GATE_OF = {
    FindingKind.WITHHELD_FILE: "contract_holds",
    FindingKind.UNREADABLE_FILE: "files_readable",
    FindingKind.QUARANTINED_RECORDS: "quarantine_share",
}
MOST_REASON = 200  # characters

Key = tuple[str, str, str]
"""Platform, account, object."""

_ERROR_OF_A_READER = re.compile(r"[A-Z][A-Za-z ]+ Error:")


def landing_findings(
    tenant: Tenant, landing: Landing, blueprints: Blueprints, settings: Settings
) -> tuple[Finding, ...]:
    """What of a tenant's files is in no table now, as far as this landing saw them.

    Raises:
        LandError: Another process has the hub open for writing.
    """
    schema, tables = quote(dataset(tenant)), {_key(table): table for table in landing.tables}
    with read_hub(settings) as hub:
        withheld = list(_withheld(hub, schema, tables))
        unreadable = list(_unreadable(hub, schema, tables))
        records = list(_quarantined(hub, schema, tables, blueprints))
    return (*withheld, *unreadable, *records)


def _key(table: LandedTable) -> Key:
    return table.platform, table.account, table.object


def not_landed_since(schema: str, of: str) -> str:
    """Condition: a row is of a completed load, and nothing of its path landed in it or later."""
    return (
        f"{of}.{LOAD_ID} in (select load_id from {schema}._dlt_loads where status = 0) and not exists ("
        f"select 1 from {schema}.landed_files as landed where landed.path = {of}.path"
        f" and landed.platform = {of}.platform and landed.account = {of}.account and landed.object = {of}.object"
        f" and landed.{LOAD_ID} >= {of}.{LOAD_ID})"
    )


def _withheld(hub: duckdb.DuckDBPyConnection, schema: str, tables: Mapping[Key, LandedTable]) -> Iterator[Finding]:
    """Drifted files that the landing saw as such."""
    rows = hub.execute(
        f"""select platform, account, object, path, field, says, came, failing, records, stops
        from {schema}.drifted_files as drifted where {not_landed_since(schema, "drifted")}
        qualify {LOAD_ID} = max({LOAD_ID}) over (partition by platform, account, object, path)
        order by all"""
    ).fetchall()
    for (*key, path), of_file in groupby(rows, key=lambda row: row[:4]):
        table = tables.get((key[0], key[1], key[2]))
        if table is None or not table.drift or not is_there(path):
            continue
        drifts = list(of_file)
        _, _, _, _, field, says, came, failing, records, stops = drifts[0]
        saw = came if came.startswith("none came") else f"other values came in {failing} of {records} records"
        more = f" (and {len(drifts) - 1} more)" if len(drifts) > 1 else ""
        sentence = (
            f"{PurePath(path).name} of {table.platform} {table.account} is withheld, and nothing of it counts:"
            f" the contract says that {field} is {says}; {saw}{more}."
        )
        waits = f" Until then no new file of {table.object} is read." if stops else ""
        yield _finding(FindingKind.WITHHELD_FILE, table, sentence, next_step=f"{MEND}{waits}", records=records)


def _unreadable(hub: duckdb.DuckDBPyConnection, schema: str, tables: Mapping[Key, LandedTable]) -> Iterator[Finding]:
    """Files in quarantine as a whole that the landing named."""
    rows = hub.execute(
        f"""select platform, account, object, path, arg_max(reason, {LOAD_ID})
        from {schema}.quarantine as refused
        where line is null and record is null and reason not like 'withheld %' and {not_landed_since(schema, "refused")}
        group by all order by all"""
    ).fetchall()
    for platform, account, name, path, reason in rows:
        table, file = tables.get((platform, account, name)), PurePath(path).name
        if table is None or not any(file in sentence for sentence in table.findings):
            continue
        what = f"{file} of {platform} {account} is in quarantine as a whole"
        sentence = f"{what}, and nothing of it counts: {without_paths(reason)}."
        yield _finding(FindingKind.UNREADABLE_FILE, table, sentence, next_step=MEND)


def _quarantined(
    hub: duckdb.DuckDBPyConnection, schema: str, tables: Mapping[Key, LandedTable], blueprints: Blueprints
) -> Iterator[Finding]:
    """Records in quarantine, by object of an account: those of the newest content of each file."""
    rows = hub.execute(
        f"""select platform, account, object, sum(rows + quarantined)::bigint,
            sum(rows + quarantined) filter (where quarantined > 0)::bigint
        from ({newest_files(schema)})
        group by all having sum(quarantined) > 0 order by all"""
    ).fetchall()
    for platform, account, name, total, beside in rows:
        table, blueprint = tables.get((platform, account, name)), blueprints.get((platform, name))
        if table is not None and blueprint is not None:
            bad = _bad_records(hub, schema, table, blueprint)
            if bad[0]:
                yield _of_records(table, beside, *bad).model_copy(update={"weight": min(1.0, bad[0] / total)})


def newest_files(schema: str) -> str:
    """A select of the newest content of each file."""
    return f"""select * from {schema}.landed_files
        where {LOAD_ID} in (select load_id from {schema}._dlt_loads where status = 0)
        qualify row_number() over (
            partition by platform, account, object, path order by {LOAD_ID} desc, batch_id desc nulls last) = 1"""


def _bad_records(
    hub: duckdb.DuckDBPyConnection, schema: str, table: LandedTable, blueprint: Blueprint
) -> tuple[Any, ...]:  # Any: one row
    """Count the quarantined records of an object: records, files, a file, reasons, first day, last day, dated ones."""
    row: tuple[Any, ...] = hub.execute(
        f"""with bad as (
            select kept.*, case when json_valid(record) then record end as text
            from {schema}.quarantine as kept
            inner join ({newest_files(schema)}) as newest using (platform, account, object, path, {LOAD_ID})
            where kept.record is not null and platform = ? and account = ? and object = ?
                and kept.batch_id is not distinct from newest.batch_id
        ),
        counted as (
            select path, reason, {_day(blueprint.contract)} as day from bad where not {mended(schema, blueprint)}
        )
        select count(*), count(distinct path), min(path), list(distinct reason), min(day), max(day), count(day)
        from counted""",
        [table.platform, table.account, table.object],
    ).fetchall()[0]
    return row


def _of_records(table: LandedTable, beside: int, *bad: Any) -> Finding:  # Any: as from `_bad_records`
    """The finding about quarantined records of an object; `beside` are all records of the files that have some."""
    count, files, file, reasons, first, last, dated = bad
    of = PurePath(file).name if files == 1 else f"{files} files"
    fields = sorted({field for reason in reasons if (field := field_of(reason))})
    about = f" ({_listed(fields)})" if fields else ""
    days = f", {first} to {last}" if dated == count else ""
    sentence = (
        f"{count} of {beside} records of {of} of {table.platform} {table.account} {'is' if count == 1 else 'are'} in"
        f" quarantine and not counted{about}{days}."
    )
    finding = _finding(FindingKind.QUARANTINED_RECORDS, table, sentence, records=count)
    if dated < count:
        return finding
    around = {"first_day": first - DAY, "last_day": last + DAY}  # in the tenant's zone it may be another day
    return finding.model_copy(update=around)


def mended(schema: str, blueprint: Blueprint) -> str:
    """Condition on a quarantined record: one with its key landed later. Never where the object has no key."""
    contract = blueprint.contract
    if not contract.key:
        return "false"
    same = " and ".join(
        f"{_at('landed', path)} = json_extract_string(bad.text, {literal('$.' + path)})" for path in contract.key
    )
    return (
        f"exists (select 1 from {schema}.{quote(blueprint.landing_table)} as landed"
        f" where landed.{LOAD_ID} > bad.{LOAD_ID} and landed._account = bad.account and {same})"
    )


def _at(table: str, path: str) -> str:
    """The text at a dotted path of a landing row."""
    head, _, rest = path.partition(".")
    column = f"{table}.{quote(head)}::varchar"
    return f"json_extract_string({column}, {literal('$.' + rest)})" if rest else column


def _day(contract: type[Contract]) -> str:
    """The day of a quarantined record, as far as it is written as one."""
    if not contract.date_field:
        return "null::date"
    text = f"json_extract_string(bad.text, {literal('$.' + contract.date_field)})"
    return f"coalesce(try_cast(left({text}, 10) as date), try_strptime({text}, '%Y%m%d')::date)"


def _finding(
    kind: FindingKind,
    table: LandedTable,
    sentence: str,
    *,
    next_step: str | None = None,
    records: int | None = None,
    weight: float = 1.0,
) -> Finding:
    return Finding(
        kind=kind,
        sentence=sentence,
        rule=GATE_OF[kind],
        table=table.object,
        platform=table.platform,
        account=table.account,
        object=table.object,
        next_step=next_step,
        records=records,
        weight=weight,
    )


def is_there(path: str) -> bool:
    """Whether a file, or the archive that it lies in, still exists."""
    return (archive_of(Path(path)) or Path(path)).exists()


def without_paths(reason: str) -> str:
    """A reason without paths and without the text of a library's error, which may quote values."""
    if _ERROR_OF_A_READER.match(reason):
        return "it cannot be read"
    return shorten(re.sub(r"(?:[A-Za-z]:)?(?:[/\\][^\s/\\]+)+[/\\]", "", reason).rstrip("."), MOST_REASON)


def _listed(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - FIELDS_SHOWN} more fields" if len(listed) > FIELDS_SHOWN else ""
    return f"{', '.join(listed[:FIELDS_SHOWN])}{more}"
