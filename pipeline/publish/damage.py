"""Damage of published runs: files that differ from what was published.

    run_differences  full check: every byte is hashed, every table counted; for rollback, `validate --full`, `doctor`
    find_damage      quick check, for every opening and every build: the manifest is readable and that of this run, each
                     file exists with its size, texts have their SHA-256, DuckDB files their magic bytes

The quick check misses a byte that changed inside a DuckDB file of the same size, unless the caller passes the stamps of
the last hashing (`known`): a file written since is hashed again. DuckDB itself finds such a byte when it reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.contracts.sql import literal
from pipeline.errors import DamagedRun, OtherRelease
from pipeline.publish.run_files import HASHED, MANIFEST, RUN_FILES, STAGING
from pipeline.publish.run_manifest import (
    ExpectedFile,
    PublishedTable,
    RunManifest,
    describe_tables,
    manifest_mismatch,
    read_manifest,
    sha256_of,
)

DUCKDB_MAGIC = (8, b"DUCK")  # offset and magic bytes of a DuckDB file
Stamp = tuple[int, int]


@dataclass(frozen=True)
class Damage:
    """One file of a run that differs from what was published."""

    file: str
    what: str
    is_fatal: bool
    """The run cannot answer any query."""
    cause: DamagedRun | None = None
    """The error that says so, where one was raised."""

    @property
    def state(self) -> str:
        """What such a run is, in a sentence about it."""
        return (self.cause or DamagedRun).state

    def __str__(self) -> str:
        return self.cause.difference if isinstance(self.cause, OtherRelease) else f"{self.file} {self.what}"

    def error(self, run: Path) -> DamagedRun:
        """The error of the run in the folder `run`."""
        return self.cause if isinstance(self.cause, OtherRelease) else manifest_mismatch(run, str(self))


def find_damage(run: Path, known: Mapping[str, Stamp] | None = None) -> tuple[Damage, ...]:
    """The quick check of the run in the folder `run`; the module docstring lists what it compares.

    Args:
        run: The folder; it need not exist.
        known: By name, the stamps of files that were intact when hashed. Without it none is hashed for its stamp.
    """
    try:
        manifest = read_manifest(run)
        _check_identity(run, manifest)
    except DamagedRun as error:
        return (Damage(MANIFEST, f"is not that of the run: {error.difference}", is_fatal=True, cause=error),)
    expected = manifest.expected()
    results = (_quick_check(run / name, expected[name], known) for name in HASHED if name in expected)
    return tuple(damage for damage in results if damage)


def fatal(damage: tuple[Damage, ...]) -> Damage | None:
    """The first damage that keeps a run from answering."""
    return next((each for each in damage if each.is_fatal), None)


def stamps(run: Path) -> dict[str, Stamp]:
    """Time of change and inode of each DuckDB file of the run, by name: they change when it is written or replaced."""
    by_name = {}
    for file in RUN_FILES:
        path = run / file.name
        if file.holds_tables and path.is_file():
            by_name[file.name] = _stamp(path)
    return by_name


def check(run: Path, manifest: RunManifest) -> None:
    """Compare the full manifest with the folder `run`.

    Raises:
        DamagedRun: Names the first difference.
    """
    _check_identity(run, manifest)
    for damage in run_differences(run, manifest):
        raise manifest_mismatch(run, str(damage))


def run_differences(run: Path, manifest: RunManifest) -> Iterator[Damage]:
    """The differences from the manifest, by SHA-256 of each file and by rows of each table."""
    expected = manifest.expected()
    for name in HASHED:
        if name in expected:
            if damage := _hash_differs(run / name, expected[name]):
                yield damage
        elif (run / name).exists() and manifest.files is not None:
            yield _damage(name, "is not in the manifest")
    for name, file in expected.items():
        if HASHED[name].holds_tables:
            yield from _table_differences(run / name, file.tables, manifest)


def unhashed(run: Path, manifest: RunManifest) -> tuple[str, ...]:
    """Files of an earlier release's run that its manifest has no hash of: they cannot be verified."""
    return tuple(name for name in HASHED if name not in manifest.expected() and (run / name).exists())


def _check_identity(run: Path, manifest: RunManifest) -> None:
    if (manifest.tenant, manifest.run_id) != (run.parent.name, run.name.removeprefix(STAGING)):
        raise manifest_mismatch(run, f"it is run {manifest.run_id} of {manifest.tenant}")


def _damage(name: str, what: str) -> Damage:
    return Damage(name, what, is_fatal=HASHED[name].is_required)


def _quick_check(path: Path, expected: ExpectedFile, known: Mapping[str, Stamp] | None) -> Damage | None:
    file = HASHED[path.name]
    try:
        size = path.stat().st_size
        if expected.bytes not in (None, size):
            return _damage(path.name, f"has {size:,} bytes, published were {expected.bytes:,}")
        is_new = known is not None and known.get(path.name) != _stamp(path)
        if not file.holds_tables or is_new:
            return _hash_differs(path, expected)
        offset, magic = DUCKDB_MAGIC
        with path.open("rb") as content:
            is_duckdb = content.read(offset + len(magic))[offset:] == magic
    except OSError as error:
        return _damage(path.name, f"cannot be read ({error.strerror})")
    return None if is_duckdb else _damage(path.name, "is no DuckDB file")


def _hash_differs(path: Path, expected: ExpectedFile) -> Damage | None:
    try:
        sha256, size = sha256_of(path), path.stat().st_size
    except OSError as error:
        return _damage(path.name, f"cannot be read ({error.strerror})")
    if sha256 != expected.sha256:
        return _damage(path.name, f"has SHA-256 {sha256[:12]}…, published was {expected.sha256[:12]}…")
    if expected.bytes not in (None, size):
        return _damage(path.name, f"does not have {expected.bytes} bytes")
    return None


def _table_differences(file: Path, tables: tuple[PublishedTable, ...], manifest: RunManifest) -> Iterator[Damage]:
    try:
        with duckdb.connect() as connection:  # attached, because a server may have the file open with other settings
            connection.execute(f"ATTACH {literal(str(file))} AS run (READ_ONLY)")
            connection.execute("USE run")
            names = sorted(row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall())
            if names != sorted(table.name for table in tables):
                yield _damage(file.name, f"holds the tables {', '.join(names) or 'none'}")
                return
            for published in tables:
                actual = describe_tables(connection, published.name)
                if manifest.duckdb != duckdb.__version__:
                    actual = actual.model_copy(update={"row_hash_sum": published.row_hash_sum})
                if actual != published:
                    difference = f"{published.name} has other columns or rows ({actual.rows}, not {published.rows})"
                    yield _damage(file.name, f"is not what was published: {difference}")
    except duckdb.Error as error:
        yield _damage(file.name, f"cannot be opened ({str(error).splitlines()[0]})")


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_mtime_ns, status.st_ino
