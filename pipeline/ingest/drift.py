"""Drift detection: tells a source that no longer follows its contract from a file with some bad records.

One version of an API writes a whole export, so a change of the API is in all records of a file that have the field; bad
values are in some of them. A drifted file is withheld as a whole, and a table that had landed before is not updated:
half of a day is worse than the day before.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from pipeline.contracts.fields import Contract, Leaf, Many, Record, Shape, shape_of
from pipeline.contracts.spellings import FORMS_READ
from pipeline.contracts.sql import literal, quote
from pipeline.errors import shorten
from pipeline.ingest.quarantine import Rejection, errors_of, path_of
from pipeline.ingest.values.meaning_sql import meaning_text

if TYPE_CHECKING:
    from pipeline.ingest.formats.reader import Batch  # Arrow, which a command that reads no export does without

DRIFT_SHARE = 0.9
"""Share of failures among the records that have a field, or must have it: from here on it is drift, and the file is
withheld. Nearly all rather than most, because a change of the source affects all of a file except the records around
the change. Below it, records are quarantined one by one, up to the threshold of the gate quarantine_share."""
MIN_RECORDS = 2
"""Failing records of a drift: one alone is a bad record, also where its file holds no other."""
MIN_RECORDS_OF_RARE = 10
"""Failing records of a drift in a field that most of the file does not have."""
NAMES_SHOWN = 5

Names = AbstractSet[str]


@dataclass(frozen=True)
class Drift:
    """A field of one file that no longer follows the contract: the expected value, the received one, and the counts."""

    field: str
    says: str
    came: str
    failing: int
    records: int
    holders: int | None = None
    """The records that have the field at all, where they were counted."""


@dataclass(frozen=True)
class DriftedFile:
    """A drifted file, by its name."""

    name: str
    drifts: tuple[Drift, ...]
    stops: bool
    """The table had landed before, and is not updated until the file is mended or gone; else only it is withheld."""


class DriftCounter:
    """Counts the failing fields of a file's records while the file is read."""

    def __init__(self, contract: type[Contract]) -> None:
        self._contract = contract
        self.records = 0
        self._failing = Counter[str]()
        self._missing = set[str]()
        self._heads = Counter[str]()  # of records that are not explained: their first field, without its path
        self._example = dict[str, str]()

    def add(self, good: int, rejected: Iterable[Rejection]) -> None:
        """Count the records of a batch."""
        self.records += good
        for rejection in rejected:
            self.records += 1
            if rejection.reason.endswith(" is missing"):
                self._missing.update(rejection.fields[:1])
            counted = self._failing if rejection.is_explained else self._heads
            counted.update(rejection.fields)
            for path in rejection.fields:
                self._example.setdefault(path, rejection.record or "")

    def drifts(self, holders: Callable[[str], int], unknown: Names) -> Iterator[Drift]:
        """The drifts of the file, by field.

        Args:
            holders: Counts the good records of the file that have a field; called only where the count decides.
            unknown: Fields that the source did not send before.
        """
        for path, failing in sorted(self._counted().items()):
            if failing >= max(MIN_RECORDS, DRIFT_SHARE * self.records):
                texts = ("in every record", none_came(unknown)) if path in self._missing else self._texts(path)
                yield Drift(path, *texts, failing, self.records)
            elif failing >= MIN_RECORDS_OF_RARE and path not in self._missing:
                held = failing + holders(path)
                if failing >= DRIFT_SHARE * held:
                    yield Drift(path, *self._texts(path), failing, self.records, held)

    def _counted(self) -> Counter[str]:
        """Failing records by field; unexplained ones count for the most frequent path of their first field."""
        total = Counter(self._failing)
        for head, count in self._heads.items():
            alike = [path for path in self._failing if path == head or path.startswith(f"{head}.")]
            total[max(alike, key=self._failing.__getitem__, default=head)] += count
        return total

    def _texts(self, path: str) -> tuple[str, str]:
        """The expected and the received value of a field, as text."""
        shape = _shape_at(shape_of(self._contract), path.split("."))
        errors = (each for each in errors_of(self._contract, self._example[path]) if path_of(each) == path)
        error = next(errors, None)
        return meaning_text(shape), f"{_described(error['input'], shape)} came" if error else "something else came"


def lost_keys(contract: type[Contract], names: Names, steady: Names, records: int) -> Iterator[Drift]:
    """Drifts of optional key fields that every earlier load had and this file lacks.

    Its records would not match their earlier versions, and would count beside them. A report (daily slices) may leave a
    breakdown out: it is then a coarser one, and replaces the whole day.
    """
    if contract.daily_slice or records < MIN_RECORDS:
        return
    for path in contract.key:
        if path not in contract.required and path.partition(".")[0] in steady - names:
            yield Drift(path, "part of the key, as every load held it so far", "none came", records, records)


def holders(con: duckdb.DuckDBPyConnection, batches: Iterable[Batch], contract: type[Contract], path: str) -> int:
    """Count the good records of a file with a value at a path, in any element of the lists along it."""
    head, *inside = path.split(".")
    condition = f"{quote(head)} is not null"
    if inside:
        at = literal(_json_path(dict(shape_of(contract).fields)[head], inside))
        values = f"json_extract_string({quote(head)}, {at})"
        condition = (
            f"len(list_filter({values}, lambda v: v is not null)) > 0" if "[*]" in at else f"{values} is not null"
        )
    count = 0
    for batch in batches:
        con.register("batch", batch.good)
        ((matching,),) = con.execute(f"select count(*) filter ({condition}) from batch").fetchall()
        count += matching
    return count


def sentences(files: Sequence[DriftedFile]) -> tuple[str, ...]:
    """One sentence for each drifted field of a table's ordered files: the expected and the received value."""
    fields = dict.fromkeys(drift.field for file in files for drift in file.drifts)
    return tuple(
        _sentence([(file.name, drift) for file in files for drift in file.drifts if drift.field == field])
        for field in fields
    )


def _sentence(drifts: Sequence[tuple[str, Drift]]) -> str:
    since, first = drifts[0]
    failing, records, having = (
        sum(getattr(drift, name) or 0 for _, drift in drifts) for name in ("failing", "records", "holders")
    )
    rare = f", of which {having} hold it" if having else ""
    return (
        f"the contract says that {first.field} is {first.says}; {first.came} in {failing} of {records} records{rare}, "
        f"since {since}"
    )


def fingerprint(contract: type[Contract], *beside: object) -> str:
    """MD5 of every part of a contract that decides how files are read, and of the rules beside it."""
    parts = (
        shape_of(contract),
        contract.key,
        contract.required,
        contract.date_field,
        contract.wrappers,
        contract.layouts,
        contract.measures,
        contract.kind,
        contract.enum_numbers,
        FORMS_READ,
        *beside,
    )
    return hashlib.md5(repr(parts).encode(), usedforsecurity=False).hexdigest()


def none_came(unknown: Names, they_are: str = "new, and unknown to it") -> str:
    """That a field did not come, with the fields that might be it."""
    return f"none came ({they_are}: {_listed(unknown)})" if unknown else "none came"


def _described(value: object, shape: Shape) -> str:
    """The kind of a value as text, with an example where a scalar was expected; never an address of a person."""
    if isinstance(value, dict):
        return f"an object ({_listed(value)})"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true or false"
    kind = "text" if isinstance(value, str) else "a number"
    has_example = isinstance(shape, Leaf) and "@" not in str(value)
    return f"{kind} such as {shorten(repr(value), 40)}" if has_example else kind


def _listed(names: Iterable[str]) -> str:
    first, *others = [sorted(names)[start : start + NAMES_SHOWN] for start in (0, NAMES_SHOWN)]
    return ", ".join(first) + (", ..." if others[0] else "")


def _shape_at(shape: Shape, names: Iterable[str]) -> Shape:
    """The shape at a path of the contract, through the lists along it."""
    for name in names:
        record = shape.of if isinstance(shape, Many) else shape
        if not isinstance(record, Record):
            break
        shape = dict(record.fields)[name]
    return shape


def _json_path(shape: Shape, names: Iterable[str]) -> str:
    """The JSON path of the names of a field, through the lists along it."""
    path = "$"
    for name in names:
        path += ("[*]" if isinstance(shape, Many) else "") + f".{json.dumps(name, ensure_ascii=False)}"
        shape = _shape_at(shape, [name])
    return path
