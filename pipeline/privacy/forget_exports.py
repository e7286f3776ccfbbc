"""The exports that we made up ourselves, without a person: written beside the files, to take their places at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.contracts.fields import place_of, shape_of
from pipeline.contracts.registry import Blueprint

Json = Any  # Any: what JSON can carry


@dataclass(frozen=True)
class RewrittenExport:
    """A file's new content, ready beside it."""

    path: Path
    draft: Path
    sha256: str
    """Of the old content, by which the file is known as landed."""

    @property
    def new_sha256(self) -> str:
        return _sha256(self.draft)

    def take_place(self) -> None:
        self.draft.replace(self.path)


def rewrite_exports(
    folder: Path, blueprint: Blueprint, known: list[str], change: Callable[[Json], Json]
) -> Iterator[RewrittenExport]:
    """New contents for the files of an object below a tenant's synthetic folder that hold any of `known`, lower case.

    Args:
        change: Gives a record as it is to stand from now on.
    """
    for path in sorted((folder / blueprint.platform).glob(f"*/{blueprint.object}_[0-9]*")):
        draft = path.with_name(f".{path.name}.draft")
        rewrite = {".jsonl": _lines, ".parquet": _rows}.get(path.suffix)  # reports in other forms name nobody
        if rewrite and rewrite(path, draft, blueprint, known, change):
            yield RewrittenExport(path, draft, _sha256(path))


def _lines(path: Path, draft: Path, _: Blueprint, known: list[str], change: Callable[[Json], Json]) -> bool:
    """Whether a file of JSON lines changed; only lines that hold a known value are read."""
    lines = path.read_text(encoding="utf-8").splitlines()
    new = [_line(line, change) if any(value in line.lower() for value in known) else line for line in lines]
    if new == lines:
        return False
    draft.write_text("".join(f"{line}\n" for line in new), encoding="utf-8")
    return True


def _line(line: str, change: Callable[[Json], Json]) -> str:
    record = json.loads(line)
    changed = change(record)
    return line if changed == record else json.dumps(changed, ensure_ascii=False, separators=(",", ":"))


def _rows(path: Path, draft: Path, blueprint: Blueprint, known: list[str], change: Callable[[Json], Json]) -> bool:
    """Whether a Parquet file changed: its columns of identities alone, for nothing else in ours says who it is."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    places = [place_of(shape_of(blueprint.contract), name)[0] for name in blueprint.contract.identity]
    columns = [place[0] for place in places if len(place) == 1 and place[0] in table.column_names]
    was = table
    for column in columns:
        values = table[column].to_pylist()
        new = [change({column: v})[column] if v is not None and str(v).lower() in known else v for v in values]
        if new != values:
            table = table.set_column(
                table.column_names.index(column),
                table.schema.field(column),
                pa.array(new, table.schema.field(column).type),
            )
    if table is was:
        return False
    pq.write_table(table, draft, compression="zstd")
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
