"""Drift: a source that no longer holds to its contract, told apart from records that are merely bad.

One version of an API writes a whole export, so what it changed is changed in all records of a file that have the field;
dirt is in some of them. A file that has drifted is withheld whole, and the table that had landed before stands still:
half of a day is worse than the day before.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import duckdb

from pipeline.contracts.fields import Contract, Leaf, Many, Record, Shape, shape_of
from pipeline.contracts.sql import literal, quote
from pipeline.errors import shorten
from pipeline.ingest.formats.meaning_sql import meaning_text
from pipeline.ingest.formats.reader import Batch
from pipeline.ingest.quarantine import Rejection, errors_of, path_of

DRIFT_SHARE = 0.9
"""Of the records that hold a field, or have to hold it: from here on its failing is drift, and the file is withheld.
Nearly all rather than most, because a change of the source meets all of a file, save what was written around it. Below,
records are quarantined one by one, and landing_gates.MAX_QUARANTINE_SHARE says how many may be."""
FEWEST = 2
"""Records: one alone is a bad record, also where its file holds no other."""
FEWEST_OF_SOME = 10
"""Records, where most of the file does not have the field at all."""
NAMES_SHOWN = 5

Names = AbstractSet[str]


@dataclass(frozen=True)
class Drift:
    """A field of one file that no longer holds to the contract: what the contract says, what came, and how often."""

    field: str
    says: str
    came: str
    failing: int
    records: int
    holders: int | None = None
    """The records that hold the field at all, where they were counted."""


@dataclass(frozen=True)
class DriftedFile:
    """A file that has drifted, by its name."""

    name: str
    drifts: tuple[Drift, ...]
    stops: bool
    """The table had landed before: it stands still until the file is mended or gone. Else only the file is kept out."""


class DriftCounter:
    """Counts, while a file is read, which fields its records fail by."""

    def __init__(self, contract: type[Contract]) -> None:
        self._contract = contract
        self.records = 0
        self._failing = Counter[str]()
        self._missing = set[str]()
        self._heads = Counter[str]()  # of records that nobody looked at closely: their first field, without its path
        self._example = dict[str, str]()

    def add(self, good: int, refused: Iterable[Rejection]) -> None:
        """Count the records of a batch."""
        self.records += good
        for refusal in refused:
            self.records += 1
            if refusal.reason.endswith(" is missing"):
                self._missing.update(refusal.fields[:1])
            counted = self._failing if refusal.is_explained else self._heads
            counted.update(refusal.fields)
            for path in refusal.fields:
                self._example.setdefault(path, refusal.record or "")

    def drifts(self, holders: Callable[[str], int], unknown: Names) -> Iterator[Drift]:
        """What has drifted, by field.

        Args:
            holders: How many good records of the file hold a field; asked only where it decides.
            unknown: Fields that the source did not send before.
        """
        for path, failing in sorted(self._counted().items()):
            if failing >= max(FEWEST, DRIFT_SHARE * self.records):
                said = ("in every record", _none_came(unknown)) if path in self._missing else self._said(path)
                yield Drift(path, *said, failing, self.records)
            elif failing >= FEWEST_OF_SOME and path not in self._missing:
                held = failing + holders(path)
                if failing >= DRIFT_SHARE * held:
                    yield Drift(path, *self._said(path), failing, self.records, held)

    def _counted(self) -> Counter[str]:
        """How many records fail by each field; those nobody looked at closely, as the others of their first field."""
        total = Counter(self._failing)
        for head, count in self._heads.items():
            alike = [path for path in self._failing if path == head or path.startswith(f"{head}.")]
            total[max(alike, key=self._failing.__getitem__, default=head)] += count
        return total

    def _said(self, path: str) -> tuple[str, str]:
        """What the contract says of a field, and what came."""
        shape = _shape_at(shape_of(self._contract), path.split("."))
        errors = (each for each in errors_of(self._contract, self._example[path]) if path_of(each) == path)
        error = next(errors, None)
        return meaning_text(shape), f"{_described(error['input'], shape)} came" if error else "something else came"


def lost_keys(contract: type[Contract], names: Names, steady: Names, records: int) -> Iterator[Drift]:
    """Optional parts of the key that every load held so far and this file lacks.

    Its records would not meet their earlier versions, and would count beside them. A report (daily slices) may leave a
    breakdown out: it is then a coarser one, and takes the place of the whole day.
    """
    if contract.daily_slice or records < FEWEST:
        return
    for path in contract.key:
        if path not in contract.required and path.partition(".")[0] in steady - names:
            yield Drift(path, "part of the key, as every load held it so far", "none came", records, records)


def holders(con: duckdb.DuckDBPyConnection, batches: Iterable[Batch], contract: type[Contract], path: str) -> int:
    """How many good records of a file hold a value at a path, in whatever element of the lists on the way."""
    head, *inside = path.split(".")
    found = f"{quote(head)} is not null"
    if inside:
        at = literal(_json_path(dict(shape_of(contract).fields)[head], inside))
        values = f"json_extract_string({quote(head)}, {at})"
        found = f"len(list_filter({values}, lambda v: v is not null)) > 0" if "[*]" in at else f"{values} is not null"
    count = 0
    for batch in batches:
        con.register("batch", batch.good)
        ((held,),) = con.execute(f"select count(*) filter ({found}) from batch").fetchall()
        count += held
    return count


def sentences(files: Sequence[DriftedFile]) -> tuple[str, ...]:
    """One for each field that drifted in a table's files, which are in order: what the contract says, and what came."""
    fields = dict.fromkeys(drift.field for file in files for drift in file.drifts)
    return tuple(
        _sentence([(file.name, drift) for file in files for drift in file.drifts if drift.field == field])
        for field in fields
    )


def _sentence(found: Sequence[tuple[str, Drift]]) -> str:
    since, first = found[0]
    failing, records, held = (
        sum(getattr(drift, name) or 0 for _, drift in found) for name in ("failing", "records", "holders")
    )
    rare = f", of which {held} hold it" if held else ""
    return (
        f"the contract says that {first.field} is {first.says}; {first.came} in {failing} of {records} records{rare}, "
        f"since {since}"
    )


def fingerprint(contract: type[Contract]) -> str:
    """A digest of all that decides how files are read by a contract."""
    words = (
        shape_of(contract),
        contract.key,
        contract.required,
        contract.date_field,
        contract.wrappers,
        contract.layouts,
    )
    return hashlib.md5(repr(words).encode(), usedforsecurity=False).hexdigest()


def _none_came(unknown: Names) -> str:
    return f"none came (new, and unknown to it: {_listed(unknown)})" if unknown else "none came"


def _described(value: object, shape: Shape) -> str:
    """What a value is, with an example where a scalar should have been, which is no person's name or address."""
    if isinstance(value, dict):
        return f"an object ({_listed(value)})"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true or false"
    kind = "text" if isinstance(value, str) else "a number"
    is_shown = isinstance(shape, Leaf) and "@" not in str(value)
    return f"{kind} such as {shorten(repr(value), 40)}" if is_shown else kind


def _listed(names: Iterable[str]) -> str:
    first, *others = [sorted(names)[start : start + NAMES_SHOWN] for start in (0, NAMES_SHOWN)]
    return ", ".join(first) + (", ..." if others[0] else "")


def _shape_at(shape: Shape, names: Iterable[str]) -> Shape:
    """What the contract says at a path, through the lists on the way."""
    for name in names:
        record = shape.of if isinstance(shape, Many) else shape
        if not isinstance(record, Record):
            break
        shape = dict(record.fields)[name]
    return shape


def _json_path(shape: Shape, names: Iterable[str]) -> str:
    """The same as a path of JSON."""
    path = "$"
    for name in names:
        path += ("[*]" if isinstance(shape, Many) else "") + f".{json.dumps(name, ensure_ascii=False)}"
        shape = _shape_at(shape, [name])
    return path
