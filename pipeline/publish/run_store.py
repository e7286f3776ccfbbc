"""The store of published runs: a run is copied into its own folder, and the pointer that readers follow moves last.

    stage  -> .staging-<run_id>/stars.duckdb     the star, sorted, without intermediate views; or a hard link
    commit -> <run_id>/ and then _latest.json    one rename each: readers see the old run or the new

If the process is killed at any time, readers keep their run; the next stage removes leftovers.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import duckdb

from pipeline.config.slug import Slug, published_names, slug_of, star_name
from pipeline.contracts.sql import quote
from pipeline.errors import ConfigError, PublishError, shorten
from pipeline.log import log
from pipeline.publish.damage import check, unhashed
from pipeline.publish.pointer import (
    choose_rollback,
    earlier_runs,
    latest_readable,
    latest_run_id,
    pointer_lock,
    run_before,
    run_ids,
    served_run,
    write_pointer,
)
from pipeline.publish.run_files import DEFINITIONS, MANIFEST, ROLLUPS, RUN_FILES, STAGING, STARS
from pipeline.publish.run_manifest import (
    PublishedFile,
    PublishedRollups,
    PublishedTable,
    RunManifest,
    describe_tables,
    published_file,
    read_manifest,
    sha256_of,
)
from pipeline.storage.build_memory import UNLIMITED, DuckDbMemory
from pipeline.storage.disk import attached_star, explain_os_error, sync
from pipeline.storage.run_id import is_run_id

__all__ = ["Published", "Staged", "commit", "latest_run_id", "move_pointer_back", "prune", "run_ids", "stage", "verify"]

STAR_STORAGE_VERSION = "v1.3.0"  # the first with texts that cost less to write, to read and to store


@dataclass(frozen=True)
class Staged:
    """A staged star: complete, not yet verified, invisible to readers."""

    run_id: str
    slug: Slug
    folder: Path
    source_sha256: str
    file: PublishedFile
    tables: tuple[PublishedTable, ...]
    linked: bool

    @property
    def path(self) -> Path:
        return self.folder / f"{STAGING}{self.run_id}"


@dataclass(frozen=True)
class Published:
    """A run that readers see from now on; `linked` when its star file is a hard link to that of an earlier run."""

    run_id: str
    path: Path
    manifest: RunManifest
    linked: bool


def stage(
    stars: Path,
    folder: Path,
    run_id: str,
    slug: Slug,
    tables: Mapping[str, Sequence[str]],
    *,
    memory: DuckDbMemory = UNLIMITED,
) -> Staged:
    """Copy the facts and dimensions of one tenant into a staging folder, invisible to readers.

    Every writer of the file `stars` has closed it. `tables` maps each table to the columns its copy
    is sorted by.

    Raises:
        PublishError: A name is not safe in a path, the star cannot be read, or the disk is full or read-only.
    """
    _check_names(run_id, slug, tables)
    if folder.name != slug:
        raise PublishError(f"{folder} is not the folder of {slug}.", "Publish each tenant into a folder of its own.")
    if not stars.is_file():
        raise PublishError(f"{slug} has no star file at {stars}.", f"Run `gata build --tenant {slug}` first.")
    if (folder / run_id).exists():
        raise PublishError(f"Run {run_id} of {slug} is already published.", "Publish under a new run id.")
    with explain_os_error(folder, slug):
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(f"{STAGING}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        source_sha256 = _fingerprint(stars, tables)
        staging = folder / f"{STAGING}{run_id}"
        with _removed_on_error(staging), explain_os_error(folder, slug):  # before what fills the disk is removed
            staging.mkdir()
            target = staging / STARS
            linked = _link(folder, target, lambda run: run.source_sha256 == source_sha256)
            copied = linked.tables if linked else _copy(stars, target, slug, tables, memory)
            file = published_file(staging, STARS)
    return Staged(run_id, slug, folder, source_sha256, file, copied, linked is not None)


def commit(staged: Staged, semantic_text: str, *, now: datetime, rollups: PublishedRollups | None = None) -> Published:
    """Publish a staged star together with the definitions of its metrics, and point readers to it.

    `rollups` are those in its folder. Other `RUN_FILES` in the folder are published too, and nothing else.

    Raises:
        PublishError: The staged file is not what was staged, or the disk refuses; readers keep the run they have.
    """
    folder, run = staged.folder, staged.folder / staged.run_id
    with _removed_on_error(staged.path), explain_os_error(folder, staged.slug), pointer_lock(folder):
        manifest = RunManifest(
            run_id=staged.run_id,
            tenant=staged.slug,
            published_at=now.astimezone(UTC),
            previous=_served_run_id(folder),
            definitions=hashlib.sha256(semantic_text.encode()).hexdigest(),
            duckdb=duckdb.__version__,
            source_sha256=staged.source_sha256,
            file=staged.file,
            tables=staged.tables,
            rollups=rollups,
            files=_other_files(staged.path),
            release=version("gata"),
        )
        (staged.path / DEFINITIONS).write_text(semantic_text, encoding="utf-8", newline="\n")
        (staged.path / MANIFEST).write_text(manifest.text(), encoding="utf-8", newline="\n")
        _seal(staged.path)
        check(staged.path, manifest)
        staged.path.rename(run)
        with _removed_unless_latest(run):
            sync(folder)
            write_pointer(folder, staged.run_id, now)
    return Published(staged.run_id, run, manifest, staged.linked)


def move_pointer_back(
    folder: Path, to: str | None, *, now: datetime, prove: Callable[[Path], object] | None = None
) -> str:
    """Point readers to the run `to`, or to the last one they saw before that can answer; returns its id.

    Args:
        folder: The runs of a tenant.
        to: A run, or None.
        now: The time that the pointer says.
        prove: Raises PublishError for the folder of a run that is whole, and that readers cannot use.

    Raises:
        PublishError: There is no such run, it is damaged, or readers cannot use it. The pointer is unchanged.
    """
    with explain_os_error(folder, folder.name):
        if not run_ids(folder):
            raise PublishError(
                f"{folder.name} has no published run.", f"Run `gata build --tenant {folder.name}` first."
            )
        with pointer_lock(folder):
            if to is None:
                run_id = _undamaged_before(folder, prove)
            elif to in run_ids(folder):
                run_id = to
                _prove(folder / run_id, prove)
            else:
                raise PublishError(f"{folder.name} has no run {shorten(to)!r}.", choose_rollback(folder))
            write_pointer(folder, run_id, now)
    return run_id


def verify(run_dir: Path) -> tuple[str, ...]:
    """Verify that a run still matches its manifest; returns the files that its release did not hash.

    Raises:
        DamagedRun: Its manifest does not match its files; names the first difference.
    """
    manifest = read_manifest(run_dir)
    check(run_dir, manifest)
    return unhashed(run_dir, manifest)


def prune(folder: Path, keep: int, *, spare_previous: bool = True) -> tuple[str, ...]:
    """Remove all but the newest `keep` runs, never the served or the previous one; returns the removed ids.

    Args:
        spare_previous: False where the previous run must go too, because it holds erased data.
    """
    with explain_os_error(folder, folder.name):
        known = run_ids(folder)
        if not known:
            return ()
        with pointer_lock(folder):
            current = latest_run_id(folder)
            kept = {*known[max(0, len(known) - keep) :], current}
            if current is not None and spare_previous:
                kept.add(read_manifest(folder / current).previous)
            removed = tuple(run_id for run_id in known if run_id not in kept)
            for run_id in removed:
                leftover = folder / f"{STAGING}{run_id}"  # renamed first: a listed run is complete
                (folder / run_id).rename(leftover)
                shutil.rmtree(leftover)
    return removed


def link_rollups(staged: Staged, semantic_text: str) -> PublishedRollups | None:
    """Hard-link the rollups of a run with the same star and the same definitions, if they are still intact."""
    if not staged.linked:
        return None
    version = (staged.source_sha256, hashlib.sha256(semantic_text.encode()).hexdigest())
    linked = _link(staged.folder, staged.path / ROLLUPS, lambda run: (run.source_sha256, run.definitions) == version)
    return linked.rollups if linked else None


def _check_names(run_id: str, slug: Slug, tables: Mapping[str, Sequence[str]]) -> None:
    if not is_run_id(run_id):
        raise PublishError(f"{shorten(run_id)!r} is not a run id.", "Take one from pipeline.storage.run_id.new_run_id.")
    try:
        checked = slug_of(slug)
    except ConfigError as error:
        raise PublishError(f"{shorten(slug)!r} is not a tenant slug.", error.fix) from error
    for name in tables:
        if star_name(name, checked) is None:
            raise PublishError(
                f"{shorten(name)!r} is not a table of {slug}.",
                f"Publish {published_names(checked, '*', 'and')} only.",
            )


def _fingerprint(stars: Path, tables: Mapping[str, Sequence[str]]) -> str:
    """SHA-256 over the input of a copy: the file and its WAL, the layout and DuckDB's version."""
    digest = hashlib.sha256(json.dumps([duckdb.__version__, {t: list(o) for t, o in tables.items()}]).encode())
    for path in (stars, stars.with_name(f"{stars.name}.wal")):
        if path.exists():
            digest.update(sha256_of(path).encode())
    return digest.hexdigest()


def _link(folder: Path, target: Path, is_same: Callable[[RunManifest], bool]) -> RunManifest | None:
    """Hard-link an undamaged file of the newest run that is the same; returns that run's manifest, or None."""
    for run_id in reversed(run_ids(folder)):
        with contextlib.suppress(PublishError, OSError):  # a damaged run, or a disk without hard links: copy instead
            manifest, file = read_manifest(folder / run_id), folder / run_id / target.name
            expected = manifest.expected().get(target.name)
            if expected and is_same(manifest) and sha256_of(file) == expected.sha256:
                target.hardlink_to(file)
                return manifest
    return None


def _other_files(staged: Path) -> tuple[PublishedFile, ...]:
    """The hashed files of a staged run that no other field of its manifest names."""
    named = (STARS, ROLLUPS, DEFINITIONS)
    others = (file.name for file in RUN_FILES if file.is_hashed and file.name not in named)
    return tuple(published_file(staged, name) for name in others if (staged / name).exists())


def _seal(staged: Path) -> None:
    """Flush every file of a staged run to the disk, and make it read-only."""
    for file in RUN_FILES:
        path = staged / file.name
        if path.exists():
            sync(path)
            if file.is_sealed:
                path.chmod(path.stat().st_mode & 0o444)
    sync(staged)


def _served_run_id(folder: Path) -> str | None:
    """The run that readers see now; None also when no run is readable."""
    try:
        served = served_run(folder)
    except PublishError:
        return None
    return served.run_id if served else None


def _prove(run: Path, prove: Callable[[Path], object] | None) -> None:
    verify(run)
    if prove is not None:
        prove(run)


def _undamaged_before(folder: Path, prove: Callable[[Path], object] | None) -> str:
    """The newest run before the current one that is undamaged and can answer.

    Raises:
        PublishError: There is none; names the damage of the newest.
    """
    first = run_before(folder)
    problem: PublishError | None = None
    for run_id in chain([first], earlier_runs(folder, first)):
        try:
            _prove(folder / run_id, prove)
        except PublishError as error:
            log.warning("damaged_run_skipped", tenant=folder.name, what=error.what)
            problem = problem or error
        else:
            return run_id
    raise problem or PublishError(f"{folder.name} has no run before.", choose_rollback(folder))


def _copy(
    stars: Path, target: Path, slug: Slug, tables: Mapping[str, Sequence[str]], memory: DuckDbMemory
) -> tuple[PublishedTable, ...]:
    spill = target.with_name("spill")
    settings = {"temp_directory": str(spill), "storage_compatibility_version": STAR_STORAGE_VERSION, **memory}
    with duckdb.connect(target, config={**settings}) as connection:
        with attached_star(connection, stars, slug) as source:
            for name, order in tables.items():
                by = f" ORDER BY {', '.join(quote(column) for column in order)}" if order else ""
                connection.execute(f"CREATE TABLE {quote(name)} AS SELECT * FROM {source}.{quote(name)}{by}")
        connection.execute("CHECKPOINT")
        copied = tuple(describe_tables(connection, name) for name in tables)
    shutil.rmtree(spill, ignore_errors=True)
    return copied


@contextlib.contextmanager
def _removed_on_error(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


@contextlib.contextmanager
def _removed_unless_latest(run: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if latest_readable(run.parent) != run.name:
            shutil.rmtree(run, ignore_errors=True)
        raise
