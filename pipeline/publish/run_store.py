"""Publishing: a run is copied whole into a folder of its own, and the pointer that readers follow moves last.

    stage  -> .staging-<run_id>/stars.duckdb     the star, sorted, without intermediate views; or a hard link
    commit -> <run_id>/ and then _latest.json    one rename each: readers see the old run or the new

Killed at any moment, readers keep the run they have; what was left behind is removed by the next stage.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pipeline.config.slug import Slug, slug_of
from pipeline.contracts.sql import literal, quote
from pipeline.errors import ConfigError, PublishError, shorten
from pipeline.publish.pointer import (
    choose_rollback,
    latest_readable,
    latest_run_id,
    pointer_lock,
    run_before,
    run_ids,
    write_pointer,
)
from pipeline.publish.run_manifest import (
    DEFINITIONS,
    MANIFEST,
    ROLLUPS,
    STAGING,
    STARS,
    PublishedFile,
    PublishedRollups,
    PublishedTable,
    RunManifest,
    check_tables,
    describe_tables,
    read_manifest,
    sha256_of,
)
from pipeline.storage.disk import explain_os_error, sync
from pipeline.storage.run_id import is_run_id

__all__ = ["Published", "Staged", "commit", "latest_run_id", "move_pointer_back", "prune", "run_ids", "stage", "verify"]

STAR_STORAGE_VERSION = "v1.3.0"  # the first whose texts cost less to write, to read and to keep


@dataclass(frozen=True)
class Staged:
    """A star that lies ready: complete, checked against nothing yet, seen by nobody."""

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
    """A run that readers see from now on; `linked` when its file is the unchanged one of an earlier run."""

    run_id: str
    path: Path
    manifest: RunManifest
    linked: bool


def stage(stars: Path, folder: Path, run_id: str, slug: Slug, tables: Mapping[str, Sequence[str]]) -> Staged:
    """Copy the facts and dimensions of one tenant next to its published runs, where no reader looks.

    Everybody who wrote to the file `stars` has closed it. `tables` maps each table to the columns its copy
    is sorted by.

    Raises:
        PublishError: A name that may not reach a path, a star that cannot be read, a disk that is full or read-only.
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
        with _removed_on_error(staging):
            staging.mkdir()
            target = staging / STARS
            copied = _link(folder, target, source_sha256)
            linked = copied is not None
            if copied is None:
                copied = _copy(stars, target, tables)
            file = PublishedFile(bytes=target.stat().st_size, sha256=sha256_of(target))
    return Staged(run_id, slug, folder, source_sha256, file, copied, linked)


def commit(staged: Staged, semantic_text: str, *, now: datetime, rollups: PublishedRollups | None = None) -> Published:
    """Publish a staged star together with the definitions of its metrics, and point readers to it.

    `rollups` are those that lie beside it.

    Raises:
        PublishError: The staged file is not what was staged, or the disk refuses; readers keep the run they have.
    """
    folder, run = staged.folder, staged.folder / staged.run_id
    with explain_os_error(folder, staged.slug), _removed_on_error(staged.path), pointer_lock(folder):
        manifest = RunManifest(
            run_id=staged.run_id,
            tenant=staged.slug,
            published_at=now.astimezone(UTC),
            previous=latest_readable(folder),
            definitions=hashlib.sha256(semantic_text.encode()).hexdigest(),
            duckdb=duckdb.__version__,
            source_sha256=staged.source_sha256,
            file=staged.file,
            tables=staged.tables,
            rollups=rollups,
        )
        (staged.path / DEFINITIONS).write_text(semantic_text, encoding="utf-8", newline="\n")
        (staged.path / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        for name in (STARS, *([ROLLUPS] if rollups else []), DEFINITIONS, MANIFEST):
            sync(staged.path / name)
            (staged.path / name).chmod(0o444)
        sync(staged.path)
        check_tables(staged.path, manifest)
        staged.path.rename(run)
        with _removed_unless_latest(run):
            sync(folder)
            write_pointer(folder, staged.run_id, now)
    return Published(staged.run_id, run, manifest, staged.linked)


def move_pointer_back(folder: Path, to: str | None, *, now: datetime) -> str:
    """Point readers to the run `to`, or to the one they saw before the current one; returns its id.

    Raises:
        PublishError: There is no such run, or it is no longer what was published. The pointer stays where it is.
    """
    with explain_os_error(folder, folder.name):
        if not run_ids(folder):
            raise PublishError(
                f"{folder.name} has no published run.", f"Run `gata build --tenant {folder.name}` first."
            )
        with pointer_lock(folder):
            run_id = to if to is not None else run_before(folder)
            if run_id not in run_ids(folder):
                raise PublishError(f"{folder.name} has no run {shorten(run_id)!r}.", choose_rollback(folder))
            verify(folder / run_id)
            write_pointer(folder, run_id, now)
    return run_id


def verify(run_dir: Path) -> None:
    """Prove that a run still is what was published.

    Raises:
        PublishError: Its manifest does not match its files; names the first difference.
    """
    check_tables(run_dir, read_manifest(run_dir))


def prune(folder: Path, keep: int, *, spare_previous: bool = True) -> tuple[str, ...]:
    """Remove all but the newest `keep` runs, never the one readers see nor the one they saw before; the removed ids.

    Args:
        spare_previous: False where the run before must go too, because it holds what had to be forgotten.
    """
    with explain_os_error(folder, folder.name):
        known = run_ids(folder)
        if not known:
            return ()
        with pointer_lock(folder):
            current = latest_run_id(folder)
            spared = {*known[max(0, len(known) - keep) :], current}
            if current is not None and spare_previous:
                spared.add(read_manifest(folder / current).previous)
            removed = tuple(run_id for run_id in known if run_id not in spared)
            for run_id in removed:
                leftover = folder / f"{STAGING}{run_id}"  # renamed first: a run is whole or it is not listed
                (folder / run_id).rename(leftover)
                shutil.rmtree(leftover)
    return removed


def link_rollups(staged: Staged, semantic_text: str) -> PublishedRollups | None:
    """Hard-link the rollups of a run with the same star and the same definitions, if they are still intact."""
    definitions = hashlib.sha256(semantic_text.encode()).hexdigest()
    for run_id in reversed(run_ids(staged.folder)) if staged.linked else ():
        with contextlib.suppress(PublishError, OSError):  # as in `_link`
            manifest = read_manifest(staged.folder / run_id)
            if manifest.rollups is None or (manifest.source_sha256, manifest.definitions) != (
                staged.source_sha256,
                definitions,
            ):
                continue
            file = staged.folder / run_id / ROLLUPS
            if sha256_of(file) == manifest.rollups.file.sha256:
                (staged.path / ROLLUPS).hardlink_to(file)
                return manifest.rollups
    return None


def _check_names(run_id: str, slug: Slug, tables: Mapping[str, Sequence[str]]) -> None:
    if not is_run_id(run_id):
        raise PublishError(f"{shorten(run_id)!r} is not a run id.", "Take one from pipeline.storage.run_id.new_run_id.")
    try:
        slug_of(slug)
    except ConfigError as error:
        raise PublishError(f"{shorten(slug)!r} is not a tenant slug.", error.fix) from error
    ours = re.compile(rf"(fct|dim)_{slug}__[a-z0-9_]+")
    for name in tables:
        if ours.fullmatch(name) is None:
            raise PublishError(
                f"{shorten(name)!r} is not a table of {slug}.", f"Publish fct_{slug}__* and dim_{slug}__* only."
            )


def _fingerprint(stars: Path, tables: Mapping[str, Sequence[str]]) -> str:
    """One number for what would be copied: the file, changes not yet in it, the layout and DuckDB's version."""
    digest = hashlib.sha256(json.dumps([duckdb.__version__, {t: list(o) for t, o in tables.items()}]).encode())
    for path in (stars, stars.with_name(f"{stars.name}.wal")):
        if path.exists():
            digest.update(sha256_of(path).encode())
    return digest.hexdigest()


def _link(folder: Path, target: Path, source_sha256: str) -> tuple[PublishedTable, ...] | None:
    """Hard-link the file of a run that was made from the same source and is still intact; its tables, or None."""
    for run_id in reversed(run_ids(folder)):
        with contextlib.suppress(PublishError, OSError):  # a damaged run or a disk without links: copy instead
            manifest = read_manifest(folder / run_id)
            if manifest.source_sha256 != source_sha256 or sha256_of(folder / run_id / STARS) != manifest.file.sha256:
                continue
            target.hardlink_to(folder / run_id / STARS)
            return manifest.tables
    return None


def _copy(stars: Path, target: Path, tables: Mapping[str, Sequence[str]]) -> tuple[PublishedTable, ...]:
    spill = target.with_name("spill")
    settings = {"temp_directory": str(spill), "storage_compatibility_version": STAR_STORAGE_VERSION}
    with duckdb.connect(target, config={**settings}) as connection:
        connection.execute(f"ATTACH {literal(str(stars))} AS source (READ_ONLY)")
        for name, order in tables.items():
            by = f" ORDER BY {', '.join(quote(column) for column in order)}" if order else ""
            connection.execute(f"CREATE TABLE {quote(name)} AS SELECT * FROM source.{quote(name)}{by}")
        connection.execute("DETACH source")
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
