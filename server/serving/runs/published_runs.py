"""Published runs, opened for reading: the newest one of each tenant, found anew by every call.

A run never changes, so an open one can be kept; which one is the newest stands in the tenant's pointer file, and
looking at that costs one `stat`. A run that is no longer the newest is closed when the last call that reads it ends.
Each run is a DuckDB instance of its own: no statement of one tenant can name a file of another.
"""

from __future__ import annotations

import copy
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config.slug import Slug, slugs_among
from pipeline.errors import AccessError, RunGone
from pipeline.settings import Settings
from server.serving.access import check_slug
from server.serving.audit.call_record import report_call_bug
from server.serving.runs.answer_cache import AnswerCache
from server.serving.runs.fair_queue import FairQueue
from server.serving.runs.tenant_status import TenantStatus

if TYPE_CHECKING:  # imported when the first run is opened: a stdio server answers `initialize` before that
    import duckdb

    from pipeline.publish.run_manifest import RunManifest
    from semantic.answering.semantic_model import SemanticModel

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class OpenRun:
    """One published run of one tenant, ready to answer. `note` says so when it is not the newest after all."""

    slug: Slug
    manifest: RunManifest
    model: SemanticModel
    rolled: SemanticModel
    """The model that reads the run's rollups where they give the same; `model` where there are none."""
    exposed: frozenset[str]
    """The personal dimensions that it shows."""
    connection: duckdb.DuckDBPyConnection = field(repr=False)
    spill: Path = field(repr=False)
    answers: AnswerCache = field(repr=False)
    note: str | None = None

    @property
    def run_id(self) -> str:
        return self.manifest.run_id

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for one query; it can be interrupted from another thread."""
        cursor = self.connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def close(self) -> None:
        self.connection.close()
        shutil.rmtree(self.spill, ignore_errors=True)


@dataclass
class _Lease:
    """A run and how many calls are reading it."""

    run: OpenRun
    readers: int = 0
    is_newest: bool = True


@dataclass
class _Shelf:
    """What one tenant has open, and the pointer and the personal names it was opened by."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    lease: _Lease | None = None
    stamp: Stamp | None = None
    exposed: frozenset[str] = frozenset()
    older: dict[tuple[str, frozenset[str]], _Lease] = field(default_factory=dict)
    """Earlier runs that are being read, by id and the personal names they show."""


class PublishedRuns:
    """The published runs under one state folder. Safe to share between threads; close it when done."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.turns = FairQueue(settings.query_slots, settings.query_slots_all, settings.query_queue)
        self._answers = AnswerCache(settings.answer_cache_bytes)
        self.standing = TenantStatus(settings.tenants)
        self._shelves: dict[str, _Shelf] = {}
        self._run_id: str | None = None

    def at(self, run_id: str) -> PublishedRuns:
        """The same runs for somebody who asks of one of them, the newest or not. Nobody closes it."""
        view = copy.copy(self)
        view._run_id = run_id
        return view

    @contextmanager
    def run(self, slug: Slug) -> Iterator[OpenRun]:
        """The newest run of a tenant, kept open until the block ends even when a newer one is published meanwhile.

        Raises:
            AccessError: The text cannot be a tenant, or the tenant is not served any more or has no published run.
            PublishError: The only run it has cannot be opened.
            RunGone: The one run that is asked of is kept no longer.
        """
        self.standing.check(check_slug(slug))
        shelf = self._shelf(slug)
        with shelf.lock:
            lease = self._newest(slug, shelf)
            if self._run_id not in {None, lease.run.run_id}:
                lease = self._older(slug, shelf, str(self._run_id))
            lease.readers += 1
        try:
            yield lease.run
        finally:
            with shelf.lock:
                lease.readers -= 1
                _close_if_done(lease)
                if not lease.readers:
                    shelf.older = {key: other for key, other in shelf.older.items() if other is not lease}

    def slugs(self) -> tuple[Slug, ...]:
        """Every tenant that has a published run and is served."""
        from pipeline.publish.pointer import POINTER

        names = [path.parent.name for path in (self.settings.home / "published").glob(f"*/{POINTER}")]
        return tuple(sorted(slug for slug in slugs_among(names) if not self.standing.refusal(slug)))

    def counts(self) -> dict[str, int]:
        """What is under way, open and kept in this process."""
        open_runs = sum(shelf.lease is not None for shelf in [*self._shelves.values()])
        return {**self.turns.counts(), "open_runs": open_runs, "kept_bytes": self._answers.bytes}

    def close(self) -> None:
        """Close every run; one that is being read is closed by its last reader."""
        for shelf in self._shelves.values():
            with shelf.lock:
                _retire(shelf)

    def _shelf(self, slug: Slug) -> _Shelf:
        if slug not in self._shelves and _stamp(self.settings, slug) is None:
            raise _not_built(slug)
        return self._shelves.setdefault(slug, _Shelf())

    def _newest(self, slug: Slug, shelf: _Shelf) -> _Lease:
        """The lease of the run the pointer names now; while that cannot be opened, the one before it.

        But not one that shows a personal column which has been withdrawn since.
        """
        stamp = _stamp(self.settings, slug)
        if stamp is None:
            _retire(shelf)
            raise _not_built(slug)
        exposed = self.standing.exposed(slug)
        if shelf.lease is not None and (shelf.stamp, shelf.exposed) == (stamp, exposed):
            return shelf.lease
        try:
            opened = open_run(self.settings, slug, exposed, self._answers)
        except Exception as error:
            if shelf.lease is None or not shelf.exposed <= exposed:
                raise
            shelf.lease.run = replace(shelf.lease.run, note=_kept(error, slug, shelf.lease.run))
            return shelf.lease
        _retire(shelf)
        self._answers.forget(slug)
        shelf.lease, shelf.stamp, shelf.exposed = _Lease(opened), stamp, exposed
        return shelf.lease

    def _older(self, slug: Slug, shelf: _Shelf, run_id: str) -> _Lease:
        """The lease of an earlier run; it is open as long as somebody reads it."""
        from pipeline.publish.pointer import run_ids

        if run_id not in run_ids(self.settings.published(slug)):
            raise RunGone("The run that this was asked of is no longer kept.", "Ask the question again.")
        exposed = self.standing.exposed(slug)
        if (run_id, exposed) not in shelf.older:
            opened = open_run(self.settings, slug, exposed, self._answers, run_id=run_id)
            shelf.older[run_id, exposed] = _Lease(opened, is_newest=False)
        return shelf.older[run_id, exposed]


def open_run(
    settings: Settings, slug: Slug, exposed: frozenset[str], answers: AnswerCache, *, run_id: str | None = None
) -> OpenRun:
    """Open the run that a tenant's pointer names, sandboxed: no write, no file but its own, no extension, no setting.

    Another run where its id is given.

    Raises:
        AccessError: There is no run.
        PublishError: The run is damaged, or it is another tenant's.
    """
    from pipeline.publish.pointer import latest_run_id
    from pipeline.publish.run_manifest import manifest_mismatch, read_manifest
    from semantic.answering.rollups import with_rollups
    from semantic.answering.semantic_model import load_model

    folder = settings.published(slug)
    run_id = run_id or latest_run_id(folder)
    if run_id is None:
        raise _not_built(slug)
    run_dir = folder / run_id
    manifest = read_manifest(run_dir)
    if (manifest.tenant, manifest.run_id) != (slug, run_id):
        raise manifest_mismatch(run_dir, f"it is run {manifest.run_id} of {manifest.tenant}")
    model = load_model(run_dir, expose=exposed)
    spill = settings.home / "tmp" / f"{run_id}_{os.getpid()}"
    spill.parent.mkdir(parents=True, exist_ok=True)
    rolled = with_rollups(model, manifest.rollups.rollups) if settings.rollups and manifest.rollups else model
    connection = _connect(run_dir, settings, spill, has_rollups=rolled is not model)
    return OpenRun(slug, manifest, model, rolled, exposed, connection, spill, answers)


def _connect(run_dir: Path, settings: Settings, spill: Path, *, has_rollups: bool) -> duckdb.DuckDBPyConnection:
    """The star, and the rollups beside it, behind a door that is then locked."""
    import duckdb

    from pipeline.publish.run_manifest import ROLLUPS, STARS
    from semantic.answering.rollups import attach

    connection = duckdb.connect(str(run_dir / STARS), read_only=True, config=_sandbox(settings, spill))
    if has_rollups:
        attach(connection, run_dir / ROLLUPS)
    if not connection.execute("SELECT current_setting('lock_configuration')").fetchall()[0][0]:
        # not so when this process has the run open already, and shares the instance
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    return connection


def _sandbox(settings: Settings, spill: Path) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "memory_limit": settings.query_memory,
        "threads": str(settings.threads),
        "temp_directory": str(spill),
        "max_temp_directory_size": settings.query_spill,
    }


def _stamp(settings: Settings, slug: Slug) -> Stamp | None:
    """What changes when the pointer is replaced: its inode, its time and its size."""
    from pipeline.publish.pointer import POINTER

    try:
        status = (settings.published(slug) / POINTER).stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _retire(shelf: _Shelf) -> None:
    if shelf.lease is not None:
        shelf.lease.is_newest = False
        _close_if_done(shelf.lease)
        shelf.lease = None


def _close_if_done(lease: _Lease) -> None:
    if lease.readers == 0 and not lease.is_newest:
        lease.run.close()


def _kept(error: Exception, slug: Slug, run: OpenRun) -> str:
    """Log why the newest run cannot be opened, once, and say which one answers instead."""
    note = f"A newer run is published and cannot be opened; this is run {run.run_id}."
    if run.note is None:
        report_call_bug(error, call=f"open_run {slug}")
    return note


def _not_built(slug: Slug) -> AccessError:
    return AccessError(f"{slug} is not built yet.", f"Run `gata build --tenant {slug}`.")
