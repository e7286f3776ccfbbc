"""Fit: how well a file would be read by one contract. Its own reader is asked, so that every form it knows counts.

A file fits where records of it would land: its required fields are there, the measures that it promises are held, and
most of its fields are known. Nothing here knows a vendor, a layout or a loader.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.contracts.fields import Many, Record, Shape, shape_of
from pipeline.contracts.registry import Blueprint
from pipeline.ingest.drift import Drift
from pipeline.ingest.file_scan import FileScan
from pipeline.ingest.formats.csv_file import CsvRules
from pipeline.ingest.formats.reader import Reader, Unreadable
from pipeline.ingest.recognition.marks import alien_field, marks_of, proofs_of, unproven_by

MIN_SHARE = 0.5
"""Share of known names among a file's names from which on the file is of the contract, whatever else it lacks."""
MIN_SHARE_OF_CHANGED = 0.7
"""The same, of a file that would be withheld because something in it has changed."""
MIN_SHARE_OF_FULL = 0.2
MIN_FIELDS = 6
MIN_COVERAGE = 0.75
"""A vendor's complete record has many fields that no fact needs; it has nearly all of those that the contract has."""


@dataclass(frozen=True)
class Fit:
    """One contract, and what its reader makes of the head of a file."""

    blueprint: Blueprint
    good: int = 0
    wrong: int = 0
    known: frozenset[str] = frozenset()
    """Names of the file that the contract has, nested ones as dotted paths."""
    unknown: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    """Measures of the contract that a record has a value of."""
    drifts: tuple[Drift, ...] = ()
    alien: str | None = None
    """A field by which the records are told from those of this object, though they have the same fields."""
    refusal: str | None = None
    """Why the file cannot be read by this contract at all."""
    refused_by_rules: bool = False
    """It is a known file of the connector that is not read."""
    misplaced: bool = False
    """It is a known file of the connector that holds records of another object."""

    @property
    def name(self) -> tuple[str, str]:
        return self.blueprint.platform, self.blueprint.object

    @property
    def share(self) -> float:
        """Share of the file's names that the contract knows."""
        named = len(self.known) + len(self.unknown)
        return len(self.known) / named if named else 0.0

    @property
    def coverage(self) -> float:
        """Share of the contract's fields that the file names; of a contract of few objects, with the fields in them."""
        heads = {name for name, _ in self.blueprint.shape}
        fields = heads if len(heads) >= MIN_FIELDS else set(paths_in(self.blueprint.shape))
        return len(fields & self.known) / len(fields)

    @property
    def absent_key(self) -> int:
        """How many parts of the key the file does not name: a report of a coarser grain lacks some."""
        heads = {path.partition(".")[0] for path in self.known}
        return sum(
            path not in self.known and path.partition(".")[0] not in heads for path in self.blueprint.contract.key
        )

    @property
    def lands(self) -> bool:
        """Whether records of the file would land as records of this contract."""
        return self.good > 0 and not self.drifts and self.refusal is None and self.alien is None

    @property
    def fits(self) -> bool:
        """Whether the file is one of this contract, as it stands or with something in it that has changed."""
        if self.lands:
            is_full = self.share >= MIN_SHARE_OF_FULL and self.coverage >= MIN_COVERAGE
            return self.share >= MIN_SHARE or is_full
        heads = {path.partition(".")[0] for path in self.known}
        is_placed = {path.partition(".")[0] for path in self.blueprint.contract.required} <= heads
        return bool(self.drifts) and self.alien is None and is_placed and self.share >= MIN_SHARE_OF_CHANGED


def fit(con: duckdb.DuckDBPyConnection, head: Path, blueprint: Blueprint, folder: Path) -> Fit:
    """Read the head of a file by one contract."""
    contract, marks = blueprint.contract, marks_of(blueprint)
    alien: str | None = None
    rules = CsvRules.of(blueprint, others=False)
    reader = Reader(con, contract, folder, rules=rules)
    scan = FileScan(con, reader, head)
    try:
        for good, _ in scan.batches():
            alien = alien or alien_field(good, marks) or unproven_by(good, proofs_of(blueprint))
    except Unreadable as problem:
        return Fit(blueprint, refusal=problem.reason, refused_by_rules=problem.by_rules, misplaced=problem.misplaced)
    measures = scan.measures
    fields = dict(shape_of(contract).fields).keys()
    nested = {
        path
        for path in measures.present
        if not any(path == one or path.startswith(f"{one}.") for one in measures.unknown)
    }
    present = (reader.names & fields) | nested
    return Fit(
        blueprint,
        scan.good,
        scan.wrong,
        frozenset(present),
        frozenset(scan.unknown),
        frozenset(measures.held),
        scan.drifts(counts_rare_fields=False),  # the head of a file is too short for a rare field to decide
        alien,
    )


def paths_in(shape: Shape, path: str = "") -> Iterator[str]:
    """The dotted paths of a shape's fields, through lists too."""
    record = shape.of if isinstance(shape, Many) else shape
    for name, inner in record if isinstance(record, Record) else ():
        yield f"{path}{name}"
        yield from paths_in(inner, f"{path}{name}.")
