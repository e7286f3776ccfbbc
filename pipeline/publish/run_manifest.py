"""What a published run holds, written beside it when it was published, and the proof that it still does.

SHA-256 proves that the file is the one that was published; count and sum of row hashes prove that two files hold the
same rows in whatever order (a sum, because an exclusive or loses every pair of equal rows). DuckDB promises its hash
within a version only, so the version is written too. The copy goes to a new path each time: inside one process DuckDB
keeps serving the old content of a path that was replaced.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, Literal

import duckdb
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from pipeline.config.slug import Slug
from pipeline.contracts.sql import literal, quote
from pipeline.errors import PublishError

STARS: Final = "stars.duckdb"
ROLLUPS: Final = "rollups.duckdb"
DEFINITIONS = "semantic.yml"
MANIFEST = "_MANIFEST.json"
STAGING = ".staging-"


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
    """A file that holds tables."""

    name: Literal["stars.duckdb", "rollups.duckdb"] = STARS
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


def read_manifest(run: Path) -> RunManifest:
    """The manifest of the run in the folder `run`.

    Raises:
        PublishError: It is missing, unreadable or of a version this program does not know.
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


def check_tables(run: Path, manifest: RunManifest) -> None:
    """Compare everything the manifest says with what is in the folder `run`.

    Raises:
        PublishError: The first thing that differs.
    """
    ours = (run.parent.name, run.name.removeprefix(STAGING))
    if (manifest.tenant, manifest.run_id) != ours:
        raise manifest_mismatch(run, f"it is run {manifest.run_id} of {manifest.tenant}")
    held = {STARS: (manifest.file, manifest.tables)}
    if manifest.rollups:
        held[ROLLUPS] = (manifest.rollups.file, tuple(rollup.table for rollup in manifest.rollups.rollups))
    for name, promised in (
        (DEFINITIONS, manifest.definitions),
        *((name, file.sha256) for name, (file, _) in held.items()),
    ):
        try:
            found = sha256_of(run / name)
        except OSError as error:
            raise manifest_mismatch(run, f"{name} cannot be read ({error.strerror})") from error
        if found != promised:
            raise manifest_mismatch(run, f"{name} has SHA-256 {found[:12]}…, published was {promised[:12]}…")
    for name, (file, tables) in held.items():
        if (run / name).stat().st_size != file.bytes:
            raise manifest_mismatch(run, f"{name} does not have {file.bytes} bytes")
        try:
            _check_tables(run, name, tables, manifest)
        except duckdb.Error as error:
            raise manifest_mismatch(run, f"{name} cannot be opened ({str(error).splitlines()[0]})") from error


def _check_tables(run: Path, name: str, tables: tuple[PublishedTable, ...], manifest: RunManifest) -> None:
    with duckdb.connect() as connection:  # attached, because a server may have the file open with other settings
        connection.execute(f"ATTACH {literal(str(run / name))} AS run (READ_ONLY)")
        connection.execute("USE run")
        names = sorted(row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall())
        if names != sorted(table.name for table in tables):
            raise manifest_mismatch(run, f"it holds the tables {', '.join(names) or 'none'}")
        for promised in tables:
            found = describe_tables(connection, promised.name)
            if manifest.duckdb != duckdb.__version__:
                found = found.model_copy(update={"row_hash_sum": promised.row_hash_sum})
            if found != promised:
                raise manifest_mismatch(
                    run, f"{promised.name} has other columns or rows ({found.rows}, not {promised.rows})"
                )


def manifest_mismatch(run: Path, what: str) -> PublishError:
    """The error of a run that is not what was published."""
    slug = run.parent.name
    return PublishError(
        f"Run {run.name.removeprefix('.staging-')} of {slug} does not match its manifest: {what}.",
        f"Choose another run with `gata rollback --tenant {slug} --to RUN_ID`, or make a new one with "
        f"`gata build --tenant {slug}`.",
    )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
