"""Days that come twice in one load, in files that nothing tells apart: such deliveries are refused, never added up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import combinations

import duckdb
import pyarrow as pa

from pipeline.contracts.fields import Contract, shape_of
from pipeline.contracts.sql import quote
from pipeline.ingest.deliveries.delivery import Delivery
from pipeline.ingest.deliveries.event_days import days_query
from pipeline.ingest.deliveries.name_order import stem_of
from pipeline.ingest.exports import ExportFile
from pipeline.ingest.values.wire_values import CONTENT_HASH, EXTRA, KEY_HASH, has_conflicts

Read = Callable[[ExportFile], Iterable[pa.Table]]
"""Gives the good records of a file again."""

FIX = (
    "say when each was made with `read: {exported_at: ...}`, or which files are one delivery with"
    " `read: {delivery: ...}`"
)


@dataclass(frozen=True)
class ReadFile:
    """A file of a delivery that was read, and the days of its rows."""

    export: ExportFile
    days: frozenset[date]
    is_carried: bool = False


@dataclass(frozen=True)
class ReadDelivery:
    """A delivery that was read whole."""

    delivery: Delivery
    files: tuple[ReadFile, ...]

    @cached_property
    def days(self) -> frozenset[date]:
        return frozenset().union(*(file.days for file in self.files), self.delivery.covers or ())

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(stem_of(str(file.export.path)) for file in self.files)


def untold(deliveries: Sequence[ReadDelivery]) -> dict[int, str]:
    """Deliveries without a time that share days with another one and are not told apart, by position, and why.

    Names tell them apart by dates and kinds; not where they are of different series, such as one file per campaign.
    """
    refused: dict[int, str] = {}
    by_day: dict[date, list[int]] = {}
    for position, each in enumerate(deliveries):
        if each.delivery.delivered_at is None and not each.delivery.batch:
            for day in each.days:
                by_day.setdefault(day, []).append(position)
    pairs = {pair for positions in by_day.values() for pair in combinations(positions, 2)}
    for n, m in sorted(pairs):
        one, other = deliveries[n], deliveries[m]
        if one.delivery.order != other.delivery.order and one.stems == other.stems:
            continue
        both = f"{one.delivery.name} and {other.delivery.name} both hold {_named(one.days & other.days)}"
        for position in (n, m):
            refused.setdefault(position, f"{both}, and their names do not say which is newer: {FIX}")
    return refused


def contradiction(
    con: duckdb.DuckDBPyConnection, contract: type[Contract], one: ReadDelivery, read: Read
) -> str | None:
    """Why the files of a delivery that only their names put together cannot be one; None where they can.

    Records of one key are the same in each file, or the files are two exports of a day. Of records without a key, a
    file that shares some and not all with another one is another export.
    """
    sharing = [file for file in one.files if any(file.days & other.days for other in one.files if other is not file)]
    if one.delivery.is_declared or len(sharing) < 2:
        return None
    con.execute("create or replace temp table slice_records (file integer, day date, key ubigint, content ubigint)")
    for number, file in enumerate(sharing):
        for good in filter(len, read(file.export)):
            con.register("records_of_slice", good)
            con.execute(f"insert into slice_records select {number}, {_record(contract)}")
    found = con.execute(_KEYED if has_conflicts(contract) else _KEYLESS).fetchone()
    if found is None:
        return None
    first, second, day = sharing[found[0]].export.name, sharing[found[1]].export.name, found[2]
    return f"{first} and {second} hold different rows of {day}, and their names do not say which is newer: {FIX}"


def _record(contract: type[Contract]) -> str:
    """SQL for the day, the key and the content of each record."""
    if has_conflicts(contract):
        hashes = [f"{KEY_HASH} as key", f"{CONTENT_HASH} as content"]
    else:
        columns = ", ".join([*(quote(name) for name, _ in shape_of(contract)), EXTRA])
        hashes = ["0::ubigint as key", f"hash({columns}) as content"]
    return f"* from ({days_query(contract, 'records_of_slice', hashes)})"


_KEYED = """
    select a.file, b.file, a.day from slice_records as a
    inner join slice_records as b on a.day = b.day and a.key = b.key and a.content <> b.content and a.file < b.file
    order by all limit 1
"""
_KEYLESS = """
    with counted as (
        select file, day, content, count(*) as times from slice_records group by all
    ),

    sizes as (
        select file, day, sum(times) as records from counted group by all
    ),

    shared as (
        select a.file as one, b.file as other, a.day, sum(a.times) as of_one, sum(b.times) as of_other
        from counted as a
        inner join counted as b on a.day = b.day and a.content = b.content and a.file < b.file
        group by all
    )

    select shared.one, shared.other, shared.day from shared
    inner join sizes as a on a.file = shared.one and a.day = shared.day
    inner join sizes as b on b.file = shared.other and b.day = shared.day
    where shared.of_one < a.records or shared.of_other < b.records
    order by all limit 1
"""


def _named(days: frozenset[date]) -> str:
    first = min(days)
    return f"{first}" + (f" and {len(days) - 1} more days" if len(days) > 1 else "")


def without_carried(one: ReadDelivery) -> ReadDelivery:
    """The delivery of its new files alone: what they contradict landed before them, so they are newer."""
    return ReadDelivery(one.delivery, tuple(file for file in one.files if not file.is_carried))


def carried_files(delivery: Delivery, days: frozenset[date]) -> Iterator[ExportFile]:
    """The files that landed before and hold a day of a delivery."""
    for carried in delivery.carried:
        if carried.days & days:
            yield carried.export
