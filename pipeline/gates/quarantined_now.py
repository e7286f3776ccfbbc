"""What is in quarantine now: records and files that an earlier load kept out and nothing has replaced since.

A record counts until its file has newer content or a record with its key landed later; a whole file until it lands or
is gone. Reasons quote values of records, so what is shown to others than the operator is `reason_without_values`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint
from pipeline.contracts.sql import quote
from pipeline.gates.finding import field_of
from pipeline.gates.landing_findings import is_there, mended, newest_files, not_landed_since, without_paths
from pipeline.ingest.landing_tables import LOAD_ID, dataset
from pipeline.settings import Settings
from pipeline.storage.hub import read_hub


@dataclass(frozen=True)
class QuarantineCount:
    """Records of one file that are in quarantine for one reason; a file that is there as a whole counts as one."""

    platform: str
    account: str
    object: str
    path: str
    reason: str
    count: int


@dataclass(frozen=True)
class QuarantinedRecord:
    """One record in quarantine, or with neither line nor record a whole file."""

    platform: str
    account: str
    object: str
    path: str
    line: int | None
    reason: str
    record: str | None
    batch_id: str | None
    since: datetime
    """The load that kept it out, UTC."""

    @property
    def is_file(self) -> bool:
        return self.line is None and self.record is None


def quarantine_counts(tenant: Tenant, blueprints: Iterable[Blueprint], settings: Settings) -> list[QuarantineCount]:
    """What is in quarantine now, by file and reason.

    Raises:
        LandError: Another process has the hub open for writing.
    """
    found = quarantined_records(tenant, blueprints, settings, with_records=False)
    counts = Counter((each.platform, each.account, each.object, each.path, each.reason) for each in found)
    return [QuarantineCount(*key, count) for key, count in sorted(counts.items())]


def quarantined_records(
    tenant: Tenant, blueprints: Iterable[Blueprint], settings: Settings, *, with_records: bool = True
) -> list[QuarantinedRecord]:
    """What is in quarantine now, by source, file and line; without `with_records` only the first letter of each record.

    Raises:
        LandError: Another process has the hub open for writing.
    """
    schema = quote(dataset(tenant))
    columns = _COLUMNS if with_records else _COLUMNS.replace(" record,", " left(record, 1),")
    found: list[QuarantinedRecord] = []
    with read_hub(settings) as hub:
        if not _has_landed(hub, tenant):
            return []
        for blueprint in blueprints:
            rows = hub.execute(_records(schema, blueprint, columns), [blueprint.platform, blueprint.object]).fetchall()
            found += [_record(row) for row in rows]
        apart = [
            _record(row)
            for query in (_files(schema), _withheld(schema, columns))
            for row in hub.execute(query).fetchall()
        ]
    found += [each for each in apart if is_there(each.path)]
    return sorted(found, key=lambda each: (each.platform, each.account, each.object, each.path, each.line or 0))


def reason_without_values(record: QuarantinedRecord) -> str:
    """The reason of a record as the tenant's readers may see it: the field, and no value."""
    if record.is_file:
        return without_paths(record.reason)
    if record.reason.endswith(" is missing") or record.reason == "not UTF-8 text":
        return record.reason
    field = field_of(record.reason)
    if field is None:
        return "not JSON" if record.reason.startswith("not JSON") else "it is no record of its contract"
    return f"{field} is not as its contract says"


def _has_landed(hub: duckdb.DuckDBPyConnection, tenant: Tenant) -> bool:
    found = hub.execute(
        "select 1 from duckdb_tables() where schema_name = ? and table_name = 'quarantine'", [dataset(tenant)]
    )
    return found.fetchone() is not None


_NAMES = ("platform", "account", "object", "path", "line", "reason", "record", "batch_id")
_COLUMNS = f"{', '.join(_NAMES)}, {LOAD_ID}"


def _records(schema: str, blueprint: Blueprint, columns: str) -> str:
    return f"""
        with bad as (
            select kept.*, case when json_valid(record) then record end as text
            from {schema}.quarantine as kept
            inner join ({newest_files(schema)}) as newest using (platform, account, object, path, {LOAD_ID})
            where kept.record is not null and platform = ? and object = ?
                and kept.batch_id is not distinct from newest.batch_id
        )
        select {columns} from bad where not {mended(schema, blueprint)}"""


def _files(schema: str) -> str:
    return f"""
        select {_COLUMNS} from {schema}.quarantine as refused
        where line is null and record is null and {not_landed_since(schema, "refused")}
        qualify row_number() over (partition by platform, account, object, path order by {LOAD_ID} desc) = 1"""


def _withheld(schema: str, columns: str) -> str:
    """The bad records of files that are withheld as a whole, of which nothing landed."""
    return f"""
        select {columns} from {schema}.quarantine as refused
        where record is not null and {not_landed_since(schema, "refused")}
        qualify {LOAD_ID} = max({LOAD_ID}) over (partition by platform, account, object, path)"""


def _record(row: tuple[Any, ...]) -> QuarantinedRecord:  # Any: rows are untyped
    *values, load_id = row
    return QuarantinedRecord(
        **dict(zip(_NAMES, values, strict=True)), since=datetime.fromtimestamp(float(load_id), UTC)
    )
