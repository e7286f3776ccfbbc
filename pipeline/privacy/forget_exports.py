"""Synthetic exports rewritten without a person: written beside the originals, which they then replace together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.contracts.fields import field_at, shape_of
from pipeline.contracts.registry import Blueprint

Json = Any  # Any: what JSON can carry


@dataclass(frozen=True)
class RewrittenExport:
    """A rewritten export beside the original file."""

    path: Path
    replacement: Path
    sha256: str
    """Of the old content, which is recorded as landed."""

    @property
    def new_sha256(self) -> str:
        return _sha256(self.replacement)

    def replace_original(self) -> None:
        self.replacement.replace(self.path)


def rewrite_exports(
    folder: Path, blueprint: Blueprint, known: list[str], change: Callable[[Json], Json]
) -> Iterator[RewrittenExport]:
    """Rewrite the files of an object in a tenant's synthetic folder that hold any of `known`, lower case.

    Args:
        change: Returns a record without the person.
    """
    for path in sorted((folder / blueprint.platform).glob(f"*/{blueprint.object}_[0-9]*")):
        replacement = path.with_name(f".{path.name}.draft")
        rewrite = {".jsonl": _lines, ".parquet": _rows}.get(path.suffix)  # reports in other formats name no person
        if rewrite and rewrite(path, replacement, blueprint, known, change):
            yield RewrittenExport(path, replacement, _sha256(path))


def _lines(path: Path, replacement: Path, _: Blueprint, known: list[str], change: Callable[[Json], Json]) -> bool:
    """Rewrite a file of JSON lines; returns whether it changed. Only lines that hold a known value are parsed."""
    lines = path.read_text(encoding="utf-8").splitlines()
    new = [_line(line, change) if any(value in line.lower() for value in known) else line for line in lines]
    if new == lines:
        return False
    replacement.write_text("".join(f"{line}\n" for line in new), encoding="utf-8")
    return True


def _line(line: str, change: Callable[[Json], Json]) -> str:
    record = json.loads(line)
    changed = change(record)
    return line if changed == record else json.dumps(changed, ensure_ascii=False, separators=(",", ":"))


def _rows(
    path: Path, replacement: Path, blueprint: Blueprint, known: list[str], change: Callable[[Json], Json]
) -> bool:
    """Rewrite the identity columns of a Parquet file; returns whether it changed. Other columns name no person."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    paths = [field_at(shape_of(blueprint.contract), name)[0] for name in blueprint.contract.identity]
    columns = [names[0] for names in paths if len(names) == 1 and names[0] in table.column_names]
    original = table
    for column in columns:
        values = table[column].to_pylist()
        new = [change({column: v})[column] if v is not None and str(v).lower() in known else v for v in values]
        if new != values:
            table = table.set_column(
                table.column_names.index(column),
                table.schema.field(column),
                pa.array(new, table.schema.field(column).type),
            )
    if table is original:
        return False
    pq.write_table(table, replacement, compression="zstd")
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
