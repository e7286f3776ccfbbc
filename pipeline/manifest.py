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

from pipeline.errors import PublishError

STARS: Final = "stars.duckdb"
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
    """The file that holds the tables."""

    name: Literal["stars.duckdb"] = STARS
    bytes: int
    sha256: str


class RunManifest(_Frozen):
    """_MANIFEST.json. `previous` is the run that readers saw until this one; `source_sha256` is what was copied."""

    version: Literal[1] = 1
    run_id: str
    tenant: str
    published_at: AwareDatetime
    previous: str | None
    definitions: str
    duckdb: str
    source_sha256: str
    file: PublishedFile
    tables: tuple[PublishedTable, ...]


def read_manifest(run: Path) -> RunManifest:
    """The manifest of the run in the folder `run`.

    Raises:
        PublishError: It is missing, unreadable or of a version this program does not know.
    """
    try:
        return RunManifest.model_validate_json((run / MANIFEST).read_bytes())
    except OSError as error:
        raise mismatch(run, f"{MANIFEST} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the text"
        raise mismatch(run, f"{place} of {MANIFEST}: {first['msg'].lower()}") from error


def observe(connection: duckdb.DuckDBPyConnection, name: str) -> PublishedTable:
    """Columns, count and sum of row hashes of the table `name`, as they are now."""
    columns = connection.execute(f"DESCRIBE {quoted(name)}").fetchall()
    rows, total = connection.execute(
        f"SELECT count(*), coalesce(sum(hash(t)::HUGEINT), 0)::VARCHAR FROM {quoted(name)} AS t"
    ).fetchall()[0]
    return PublishedTable(
        name=name,
        columns=tuple(PublishedColumn(name=column[0], type=column[1]) for column in columns),
        rows=rows,
        row_hash_sum=total,
    )


def check(run: Path, manifest: RunManifest) -> None:
    """Compare everything the manifest says with what is in the folder `run`.

    Raises:
        PublishError: The first thing that differs.
    """
    ours = (run.parent.name, run.name.removeprefix(STAGING))
    if (manifest.tenant, manifest.run_id) != ours:
        raise mismatch(run, f"it is run {manifest.run_id} of {manifest.tenant}")
    for name, promised in ((DEFINITIONS, manifest.definitions), (STARS, manifest.file.sha256)):
        try:
            found = sha256_of(run / name)
        except OSError as error:
            raise mismatch(run, f"{name} cannot be read ({error.strerror})") from error
        if found != promised:
            raise mismatch(run, f"{name} has SHA-256 {found[:12]}…, published was {promised[:12]}…")
    if (run / STARS).stat().st_size != manifest.file.bytes:
        raise mismatch(run, f"{STARS} does not have {manifest.file.bytes} bytes")
    try:
        _check_tables(run, manifest)
    except duckdb.Error as error:
        raise mismatch(run, f"{STARS} cannot be opened ({str(error).splitlines()[0]})") from error


def _check_tables(run: Path, manifest: RunManifest) -> None:
    with duckdb.connect() as connection:  # attached, because a server may have the file open with other settings
        connection.execute(f"ATTACH {literal(run / STARS)} AS run (READ_ONLY)")
        connection.execute("USE run")
        names = sorted(row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall())
        if names != sorted(table.name for table in manifest.tables):
            raise mismatch(run, f"it holds the tables {', '.join(names) or 'none'}")
        for promised in manifest.tables:
            found = observe(connection, promised.name)
            if manifest.duckdb != duckdb.__version__:
                found = found.model_copy(update={"row_hash_sum": promised.row_hash_sum})
            if found != promised:
                raise mismatch(run, f"{promised.name} has other columns or rows ({found.rows}, not {promised.rows})")


def mismatch(run: Path, what: str) -> PublishError:
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


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(path: Path) -> str:
    """`path` as an SQL text: ATTACH takes no bound values."""
    return "'" + str(path).replace("'", "''") + "'"
