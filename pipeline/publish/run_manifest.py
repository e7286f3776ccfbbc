"""The manifest of a published run: its files, tables and hashes, written at publish and verified later.

SHA-256 proves that the file is the one that was published; count and sum of row hashes prove that two files hold the
same rows in any order (a sum, because an exclusive or loses every pair of equal rows). DuckDB promises its hash
within a version only, so the version is written too. Each copy has a new path: inside one process DuckDB keeps
serving the old content of a path that was replaced.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final, Literal

import duckdb
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, ValidationError

from pipeline.config.slug import Slug
from pipeline.contracts.sql import quote
from pipeline.errors import DamagedRun, OtherRelease
from pipeline.publish.run_files import DEFINITIONS, MANIFEST, ROLLUPS, STAGING, STARS, hashed_name

FORMAT: Final = 2
"""The format of a run that this release publishes; it reads this one and all before it.

    1   without release and checksum
    2   this one
"""


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
    """A table with a fact aggregated by day and by a few dimensions."""

    fact: str
    dimensions: dict[str, str]
    """Name to path, the day among them."""
    measures: dict[str, str]
    """Name to the SQL aggregate that combines partial values."""
    counts: tuple[str, ...]
    """The measures that count rows: without one they are 0."""
    determined: dict[str, tuple[str, ...]] = {}
    """By dimension: those of the others of which each value has one value of it."""
    table: PublishedTable


class PublishedRollups(_Frozen):
    """The rollups of a run, and the file that holds them."""

    file: PublishedFile
    rollups: tuple[PublishedRollup, ...]


class RunManifest(_Frozen):
    """_MANIFEST.json. `previous` is the run that readers saw before; `source_sha256` that of the copied star."""

    version: Literal[1, 2] = FORMAT
    """The format of the run: its files, and what they hold."""
    release: str | None = None
    """The release of gata that published it; None in format 1."""
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
    """The other hashed files; None when a release without these hashes published the run."""
    checksum: str | None = None
    """SHA-256 of the other entries of this manifest; None in format 1."""

    def text(self) -> str:
        """The text of the file, with its checksum."""
        tree = self.model_dump(mode="json", exclude={"checksum"})
        return json.dumps({**tree, "checksum": _checksum(tree)}, indent=2, ensure_ascii=False) + "\n"

    def expected(self) -> dict[str, ExpectedFile]:
        """Size, hash and tables of each hashed file of the run as it was published, by name."""
        files = {file.name: ExpectedFile(file.sha256, file.bytes) for file in self.files or ()}
        files |= {STARS: ExpectedFile(self.file.sha256, self.file.bytes, self.tables)}
        files |= {DEFINITIONS: ExpectedFile(self.definitions)}
        if self.rollups:
            file, tables = self.rollups.file, tuple(rollup.table for rollup in self.rollups.rollups)
            files |= {ROLLUPS: ExpectedFile(file.sha256, file.bytes, tables)}
        return files


@dataclass(frozen=True)
class ExpectedFile:
    """A manifest's entry of one file; no size for a text, because its SHA-256 is always compared."""

    sha256: str
    bytes: int | None = None
    tables: tuple[PublishedTable, ...] = ()


def read_manifest(run: Path) -> RunManifest:
    """The manifest of the run in the folder `run`.

    Raises:
        DamagedRun: It is missing, unreadable, or not as it was written.
        OtherRelease: A later release wrote it.
    """
    try:
        text = (run / MANIFEST).read_bytes()
    except OSError as error:
        raise manifest_mismatch(run, f"{MANIFEST} cannot be read ({error.strerror})") from error
    try:
        tree = json.loads(text)
        if is_newer(tree, FORMAT):
            raise other_release(run, f"{MANIFEST} is of format {tree['version']}", written_by=tree.get("release"))
        manifest = RunManifest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"]) or "the text"
        raise manifest_mismatch(run, f"{path} of {MANIFEST}: {first['msg'].lower()}") from error
    except (ValueError, RecursionError) as error:
        raise manifest_mismatch(run, f"{MANIFEST} is not JSON") from error
    if manifest.version > 1 and manifest.checksum != _checksum(tree):
        raise manifest_mismatch(run, f"{MANIFEST} was changed since it was written")
    return manifest


def _checksum(tree: Mapping[str, object]) -> str:
    """SHA-256 of the entries but for the checksum itself, however they are spaced and ordered."""
    entries = {name: value for name, value in tree.items() if name != "checksum"}
    return hashlib.sha256(json.dumps(entries, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def is_newer(tree: object, known: int) -> bool:
    """Whether a document says that it is of a later format than `known`."""
    version = tree.get("version") if isinstance(tree, Mapping) else None
    return isinstance(version, int) and version > known


def describe_tables(connection: duckdb.DuckDBPyConnection, name: str, *, catalog: str | None = None) -> PublishedTable:
    """Columns, count and sum of row hashes of the current table `name`."""
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
    """The error of a run that differs from its manifest."""
    slug = run.parent.name
    return DamagedRun(
        f"Run {run.name.removeprefix(STAGING)} of {slug} does not match its manifest: {what}.",
        f"Make a new one with `gata build --tenant {slug} --full`, or choose another with "
        f"`gata rollback --tenant {slug} --to RUN_ID`.",
        difference=what,
    )


def other_release(run: Path, what: str, *, written_by: object = None, is_later: bool = True) -> OtherRelease:
    """The error of a run that this release does not read; `written_by` is the release that published it, if known."""
    slug, ours = run.parent.name, version("gata")
    kind = "a later" if is_later else "an earlier"
    release = f"gata {written_by}" if isinstance(written_by, str) else f"{kind} release of gata"
    difference = f"{what}, which {release} reads and this one, gata {ours}, does not"
    return OtherRelease(
        f"Run {run.name.removeprefix(STAGING)} of {slug} is of another release: {difference}.",
        f"Upgrade to {release}, or choose another run with `gata rollback --tenant {slug} --to RUN_ID`."
        if is_later
        else f"Make a new one with `gata build --tenant {slug}`.",
        difference=difference,
    )


def published_file(run: Path, name: str) -> PublishedFile:
    """The manifest entry of a file in the folder `run`."""
    return PublishedFile(name=name, bytes=(run / name).stat().st_size, sha256=sha256_of(run / name))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
