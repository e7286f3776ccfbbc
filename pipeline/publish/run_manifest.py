"""What a published run holds, written beside it when it was published, and the proof that it still does.

SHA-256 proves that the file is the one that was published; count and sum of row hashes prove that two files hold the
same rows in whatever order (a sum, because an exclusive or loses every pair of equal rows). DuckDB promises its hash
within a version only, so the version is written too. The copy goes to a new path each time: inside one process DuckDB
keeps serving the old content of a path that was replaced.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import duckdb
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, ValidationError

from pipeline.config.slug import Slug
from pipeline.contracts.sql import quote
from pipeline.errors import DamagedRun
from pipeline.publish.run_files import DEFINITIONS, MANIFEST, ROLLUPS, STAGING, STARS, hashed_name


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PublishedColumn(_Frozen):
    """A column as DESCRIBE names it."""

    name: str
    type: str


class PublishedTable(_Frozen):
    """A table of the run; `row_hash_sum` is a decimal number, as text because JSON readers would round it."""

    name: str
    columns: tuple[PublishedColumn, ...]
    rows: int
    row_hash_sum: str


class PublishedFile(_Frozen):
    """A file of the run, by its name in `RUN_FILES`."""

    name: Annotated[str, AfterValidator(hashed_name)] = STARS
    bytes: int
    sha256: str


class PublishedRollup(_Frozen):
    """A table that holds a fact added up by day and by a few dimensions."""

    fact: str
    dimensions: dict[str, str]
    """Name to path, the day among them."""
    measures: dict[str, str]
    """Name to the SQL aggregate by which parts give the whole."""
    counts: tuple[str, ...]
    """The measures that count rows: without one they are 0."""
    table: PublishedTable


class PublishedRollups(_Frozen):
    """The rollups of a run, and the file that holds them."""

    file: PublishedFile
    rollups: tuple[PublishedRollup, ...]


class RunManifest(_Frozen):
    """_MANIFEST.json. `previous` is the run that readers saw until this one; `source_sha256` is what was copied."""

    version: Literal[1] = 1
    run_id: str
    tenant: Slug
    published_at: AwareDatetime
    previous: str | None
    definitions: str
    duckdb: str
    source_sha256: str
    file: PublishedFile
    tables: tuple[PublishedTable, ...]
    rollups: PublishedRollups | None = None
    files: tuple[PublishedFile, ...] | None = None
    """The hashed files that nothing above names; None when a release published the run that did not hash them."""

    def expected(self) -> dict[str, ExpectedFile]:
        """What each hashed file of the run was when it was published, by its name."""
        found = {file.name: ExpectedFile(file.sha256, file.bytes) for file in self.files or ()}
        found |= {STARS: ExpectedFile(self.file.sha256, self.file.bytes, self.tables)}
        found |= {DEFINITIONS: ExpectedFile(self.definitions)}
        if self.rollups:
            file, tables = self.rollups.file, tuple(rollup.table for rollup in self.rollups.rollups)
            found |= {ROLLUPS: ExpectedFile(file.sha256, file.bytes, tables)}
        return found


@dataclass(frozen=True)
class ExpectedFile:
    """What a manifest says of one file; a text's size is not kept where its SHA-256 is always compared."""

    sha256: str
    bytes: int | None = None
    tables: tuple[PublishedTable, ...] = ()


def read_manifest(run: Path) -> RunManifest:
    """The manifest of the run in the folder `run`.

    Raises:
        DamagedRun: It is missing, unreadable or of a version this program does not know.
    """
    try:
        return RunManifest.model_validate_json((run / MANIFEST).read_bytes())
    except OSError as error:
        raise manifest_mismatch(run, f"{MANIFEST} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the text"
        raise manifest_mismatch(run, f"{place} of {MANIFEST}: {first['msg'].lower()}") from error


def describe_tables(connection: duckdb.DuckDBPyConnection, name: str, *, catalog: str | None = None) -> PublishedTable:
    """Columns, count and sum of row hashes of the table `name`, as they are now."""
    table = f"{quote(catalog)}.main.{quote(name)}" if catalog else quote(name)
    columns = connection.execute(f"DESCRIBE {table}").fetchall()
    rows, total = connection.execute(
        f"SELECT count(*), coalesce(sum(hash(t)::HUGEINT), 0)::VARCHAR FROM {table} AS t"
    ).fetchall()[0]
    return PublishedTable(
        name=name,
        columns=tuple(PublishedColumn(name=column[0], type=column[1]) for column in columns),
        rows=rows,
        row_hash_sum=total,
    )


def manifest_mismatch(run: Path, what: str) -> DamagedRun:
    """The error of a run that is not what was published."""
    slug = run.parent.name
    return DamagedRun(
        f"Run {run.name.removeprefix(STAGING)} of {slug} does not match its manifest: {what}.",
        f"Make a new one with `gata build --tenant {slug} --full`, or choose another with "
        f"`gata rollback --tenant {slug} --to RUN_ID`.",
        difference=what,
    )


def published_file(run: Path, name: str) -> PublishedFile:
    """What a manifest says of a file that lies in the folder `run`."""
    return PublishedFile(name=name, bytes=(run / name).stat().st_size, sha256=sha256_of(run / name))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
