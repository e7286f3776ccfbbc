"""What of a published run is no longer what was published.

    run_differences  every byte is hashed and every table counted: before a rollback, by `validate --full` and `doctor`
    find_damage   cheap enough for every opening and every build: the manifest is readable and speaks of this run, each
                  file is there with its size, texts have their SHA-256, DuckDB files the mark of one

So the quick look misses a byte that changed inside a DuckDB file of the same size, unless it is told when the file was
hashed last (`known`): one that was written since is hashed again. DuckDB itself finds such a byte when it reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.contracts.sql import literal
from pipeline.errors import DamagedRun
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

DUCKDB_MARK = (8, b"DUCK")  # where a DuckDB file says that it is one
Stamp = tuple[int, int]


@dataclass(frozen=True)
class Damage:
    """One file of a run that is not what was published."""

    file: str
    what: str
    is_fatal: bool
    """No question can be answered from the run."""

    def __str__(self) -> str:
        return f"{self.file} {self.what}"


def find_damage(run: Path, known: Mapping[str, Stamp] | None = None) -> tuple[Damage, ...]:
    """What a quick look at the run in the folder `run` finds: see above for what it looks at.

    Args:
        run: The folder; it need not be there.
        known: By name, the stamps of files that were seen to be whole. Without it none is hashed for its stamp.
    """
    try:
        manifest = read_manifest(run)
        _check_identity(run, manifest)
    except DamagedRun as error:
        return (Damage(MANIFEST, f"is not that of the run: {error.difference}", is_fatal=True),)
    expected = manifest.expected()
    found = (_glance(run / name, expected[name], known) for name in HASHED if name in expected)
    return tuple(damage for damage in found if damage)


def fatal(damage: tuple[Damage, ...]) -> Damage | None:
    """The first damage that keeps a run from answering."""
    return next((each for each in damage if each.is_fatal), None)


def stamps(run: Path) -> dict[str, Stamp]:
    """What changes when a DuckDB file of the run is written or replaced: its time and its inode, by its name."""
    found = {}
    for file in RUN_FILES:
        path = run / file.name
        if file.holds_tables and path.is_file():
            found[file.name] = _stamp(path)
    return found


def check(run: Path, manifest: RunManifest) -> None:
    """Compare everything the manifest says with what is in the folder `run`.

    Raises:
        DamagedRun: The first thing that differs.
    """
    _check_identity(run, manifest)
    for damage in run_differences(run, manifest):
        raise manifest_mismatch(run, str(damage))


def run_differences(run: Path, manifest: RunManifest) -> Iterator[Damage]:
    """What differs from the manifest, byte by byte and row by row."""
    expected = manifest.expected()
    for name in HASHED:
        if name in expected:
            if damage := _hash_differs(run / name, expected[name]):
                yield damage
        elif (run / name).exists() and manifest.files is not None:
            yield _damage(name, "is not in the manifest")
    for name, promised in expected.items():
        if HASHED[name].holds_tables:
            yield from _table_differences(run / name, promised.tables, manifest)


def unhashed(run: Path, manifest: RunManifest) -> tuple[str, ...]:
    """The files of an earlier release's run whose hashes its manifest does not hold: nothing proves them."""
    return tuple(name for name in HASHED if name not in manifest.expected() and (run / name).exists())


def _check_identity(run: Path, manifest: RunManifest) -> None:
    if (manifest.tenant, manifest.run_id) != (run.parent.name, run.name.removeprefix(STAGING)):
        raise manifest_mismatch(run, f"it is run {manifest.run_id} of {manifest.tenant}")


def _damage(name: str, what: str) -> Damage:
    return Damage(name, what, is_fatal=HASHED[name].is_required)


def _glance(path: Path, expected: ExpectedFile, known: Mapping[str, Stamp] | None) -> Damage | None:
    file = HASHED[path.name]
    try:
        size = path.stat().st_size
        if expected.bytes not in (None, size):
            return _damage(path.name, f"has {size:,} bytes, published were {expected.bytes:,}")
        is_new = known is not None and known.get(path.name) != _stamp(path)
        if not file.holds_tables or is_new:
            return _hash_differs(path, expected)
        offset, mark = DUCKDB_MARK
        with path.open("rb") as content:
            is_duckdb = content.read(offset + len(mark))[offset:] == mark
    except OSError as error:
        return _damage(path.name, f"cannot be read ({error.strerror})")
    return None if is_duckdb else _damage(path.name, "is no DuckDB file")


def _hash_differs(path: Path, expected: ExpectedFile) -> Damage | None:
    try:
        found, size = sha256_of(path), path.stat().st_size
    except OSError as error:
        return _damage(path.name, f"cannot be read ({error.strerror})")
    if found != expected.sha256:
        return _damage(path.name, f"has SHA-256 {found[:12]}…, published was {expected.sha256[:12]}…")
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
            for promised in tables:
                found = describe_tables(connection, promised.name)
                if manifest.duckdb != duckdb.__version__:
                    found = found.model_copy(update={"row_hash_sum": promised.row_hash_sum})
                if found != promised:
                    said = f"{promised.name} has other columns or rows ({found.rows}, not {promised.rows})"
                    yield _damage(file.name, f"is not what was published: {said}")
    except duckdb.Error as error:
        yield _damage(file.name, f"cannot be opened ({str(error).splitlines()[0]})")


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_mtime_ns, status.st_ino
