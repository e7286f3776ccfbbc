"""The ledger of landed deliveries: which files and deliveries of a target completed loads hold."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.contracts.sql import quote
from pipeline.ingest.deliveries.name_order import has_date, order_of
from pipeline.ingest.landing_tables import LOAD_ID, dataset
from pipeline.storage.bronze.manifest import BatchManifest

Key = tuple[str, str, str]
"""Platform, account, object."""


@dataclass(frozen=True)
class LandedFile:
    """One landing of one file."""

    path: str
    sha256: str
    """Of the content as it was received."""
    exported_at: datetime | None
    batch_id: str | None
    """None where it landed before there was a bronze."""
    days: frozenset[date] | None
    landed_at: datetime


@dataclass
class Ledger:
    """What landed of one object of one account, oldest first."""

    newest: dict[str, LandedFile] = field(default_factory=dict)
    """By path."""
    contents: dict[str, str] = field(default_factory=dict)
    """By content: the latest order of the files that had it; `_UNDATED` where one had no date."""
    identities: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    """By identity of a delivery: why it was refused."""
    moments: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """By batch of a delivery without a time, or by path of a file from before: its order, and when it counts from."""
    latest: dict[date, str] = field(default_factory=dict)
    """By day: the last batch with a file that holds rows of it."""
    batches: set[str] = field(default_factory=set)
    """The batches of bronze that landed."""
    _dated: set[tuple[str, datetime | None]] = field(default_factory=set)

    def add_file(self, file: LandedFile) -> None:
        self.newest[file.path] = file
        self.add_content(file.sha256, file.path)
        self.latest |= {day: file.batch_id for day in file.days or () if file.batch_id}
        if file.batch_id is None:
            self._dated.add((file.sha256, file.exported_at))
            if file.exported_at is None:
                self.moments[file.path] = (order_of(file.path), file.landed_at)

    def add_content(self, sha256: str, path: str) -> None:
        order = order_of(path) if has_date(path) else _UNDATED
        self.contents[sha256] = max(order, self.contents.get(sha256, ""))

    def add_manifest(self, manifest: BatchManifest) -> None:
        """Count a batch of bronze that lands now as landed."""
        self.identities.add(manifest.identity)
        if not manifest.is_dated:
            self.moments[manifest.batch_id] = (manifest.order, manifest.delivered_at)
        for file in manifest.files:
            at = manifest.delivered_at if manifest.is_dated else None
            self.add_file(
                LandedFile(file.source, file.received_sha256, at, manifest.batch_id, None, manifest.delivered_at)
            )

    def state(self, path: str, sha256: str | None) -> str:
        """`same`, `changed`, `moved` (known content under a new name) or `new`.

        Known content under a name of a later date is a newer delivery: 10, restated to 12, corrected to 10.
        """
        before = self.newest.get(path)
        if before is not None:
            return "same" if before.sha256 == sha256 else "changed"
        seen = self.contents.get(sha256 or "")
        is_later = seen is None or (has_date(path) and order_of(path) > seen)
        return "new" if is_later else "moved"

    def current_days(self, path: str, sha256: str | None) -> frozenset[date] | None:
        """The days of a landed file's rows that no later delivery has replaced; none where they were not recorded.

        Its content may have landed under other names; None where no load before this one holds it.
        """
        landed = [file for name, file in self.newest.items() if name == path or file.sha256 == sha256]
        if not landed:
            return None
        days = ((day, file.batch_id) for file in landed for day in file.days or ())
        return frozenset(day for day, batch_id in days if self.latest[day] == batch_id)

    def landed_before_bronze(self, contents: Iterable[tuple[str | None, datetime | None]]) -> bool:
        """Whether each (SHA-256, time) landed before there was a bronze."""
        listed = list(contents)
        return bool(listed) and all(each in self._dated for each in listed)

    def moment_before(self, order: str) -> datetime | None:
        """A time between the deliveries whose names are earlier than `order` and those that are later.

        None where no later one landed: then the delivery is the newest.
        """
        later = [at for other, at in self.moments.values() if other > order]
        if not later:
            return None
        upper = min(later)
        earlier = [at for other, at in self.moments.values() if other <= order and at < upper]
        span = (upper - max(earlier)) if earlier else None
        return upper - span / 2 if span else upper - _GAP


_GAP = timedelta(seconds=1)
_UNDATED = "~"  # after every date


def read_ledgers(hub: duckdb.DuckDBPyConnection, tenant: Tenant) -> dict[Key, Ledger]:
    """The ledger of each target of a tenant."""
    schema = quote(dataset(tenant))
    completed = f"{LOAD_ID} in (select load_id from {schema}._dlt_loads where status = 0)"
    ledgers: dict[Key, Ledger] = {}
    files = hub.execute(
        f"""select platform, account, object, path, sha256, exported_at, batch_id, days::varchar,
            to_timestamp({LOAD_ID}::double) at time zone 'UTC'
        from {schema}.landed_files where {completed} order by batch_id nulls first, {LOAD_ID}, path"""
    ).fetchall()
    for *key, path, sha256, exported_at, batch_id, days, landed_at in files:
        ledgers.setdefault((key[0], key[1], key[2]), Ledger()).add_file(
            LandedFile(path, sha256, exported_at, batch_id, _days_of(days), landed_at)
        )
    deliveries = hub.execute(
        f"""select platform, account, object, batch_id, identity, delivered_at, is_dated, name_order, refused
        from {schema}.landed_deliveries where {completed}"""
    ).fetchall()
    for *key, batch_id, identity, delivered_at, is_dated, order, refused in deliveries:
        ledger = ledgers.setdefault((key[0], key[1], key[2]), Ledger())
        if refused is not None:
            ledger.refused[identity] = refused
            continue
        ledger.identities.add(identity)
        ledger.batches.add(batch_id)
        if not is_dated:
            ledger.moments[batch_id] = (order or "", delivered_at)
    return ledgers


def _days_of(text: str | None) -> frozenset[date] | None:
    return None if text is None else frozenset(date.fromisoformat(day) for day in json.loads(text))
