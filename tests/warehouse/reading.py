"""Export files of a connector through the real readers: its records, and why the others are none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from pipeline.contracts.connector import contracts_of
from pipeline.contracts.fields import Contract, Leaf, shape_of
from pipeline.ingest.formats.reader import Reader
from pipeline.ingest.key_conflicts import Conflicts
from pipeline.ingest.quarantine import explain_rejection


@dataclass(frozen=True)
class Read:
    """A file's good records, nested objects parsed, and the reasons against the others, each in the file's order."""

    contract: type[Contract]
    good: list[dict[str, Any]]
    wrong: list[str]
    ambiguous: int
    """Records that share their key with another content: a breakdown that the contract does not know."""

    @property
    def keys(self) -> set[tuple[Any, ...]]:
        return {tuple(at(record, path) for path in self.contract.key) for record in self.good}


def read_file(connector: str, name: str, path: Path) -> Read:
    """The records of one file of an object."""
    contract = contracts_of(connector)[name]
    conflicts = Conflicts(contract)
    good, wrong = [], []
    with TemporaryDirectory() as folder, duckdb.connect(config={"threads": 1}) as con:
        con.execute("set TimeZone = 'UTC'")
        for batch in Reader(con, contract, Path(folder)).read(path):
            conflicts.add(batch.good)
            good += batch.good.to_pylist()
            wrong += batch.wrong.to_pylist()
    ambiguous = len(conflicts.positions())
    good.sort(key=lambda row: row["_source_line"])
    wrong.sort(key=lambda row: row["_source_line"])
    reasons = [explain_rejection(contract, row["_wrong"], row["_record"]) for row in wrong]
    return Read(contract, [_parsed(contract, row) for row in good], reasons, ambiguous)


def _parsed(contract: type[Contract], row: dict[str, Any]) -> dict[str, Any]:
    nested = {name for name, shape in shape_of(contract) if not isinstance(shape, Leaf)}
    return {name: json.loads(value) if value and name in nested else value for name, value in row.items()}


def at(record: Any, path: str) -> Any:  # Any: JSON
    """What stands at a dotted path, None where nothing does."""
    for name in path.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return record
