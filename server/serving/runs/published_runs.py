"""Published runs, opened for reading: the newest one of each tenant, found anew by every call.

A run never changes, so an open one can be kept; which one is the newest stands in the tenant's pointer file, and
looking at that costs one `stat`. A run that is no longer the newest is closed when the last call that reads it ends.
While the newest one is damaged, the last one before it that is not answers, and every answer says so.
Each run is a DuckDB instance of its own: no statement of one tenant can name a file of another.
"""

from __future__ import annotations

import copy
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.bug_reports import event_logger
from pipeline.config.slug import Slug, slugs_among
from pipeline.errors import AccessError, DamagedRun, PublishError, RunGone
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
LOOK_AGAIN_SECONDS = 5.0
"""How long an earlier run answers before the damaged one is looked at again: it may have been restored."""


@dataclass(frozen=True)
class OpenRun:
    """One published run of one tenant, ready to answer. `note` says so when it is not the newest, or lacks a file."""

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
    look_again_at: float = float("inf")
    damaged: dict[str, DamagedRun] = field(default_factory=dict)
    """The runs in which a query met damage that opening does not see, by id."""
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
        except Exception as error:
            if damaged := self._damage_behind(error, lease.run):
                self._give_up(shelf, lease, damaged)
                raise damaged from error
            raise
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
        """The lease of the run the pointer names now; while that cannot be opened, of the last one before it."""
        stamp = _stamp(self.settings, slug)
        if stamp is None:
            _retire(shelf)
            raise _not_built(slug)
        exposed = self.standing.exposed(slug)
        if shelf.lease is not None and (shelf.stamp, shelf.exposed) == (stamp, exposed) and not self._restored(shelf):
            return shelf.lease
        if shelf.stamp != stamp:
            shelf.damaged.clear()
        opened = open_newest(self.settings, slug, exposed, self._answers, shelf.damaged)
        _retire(shelf)
        self._answers.forget(slug)
        shelf.lease, shelf.stamp, shelf.exposed = _Lease(opened), stamp, exposed
        shelf.look_again_at = time.monotonic() + LOOK_AGAIN_SECONDS if opened.note else float("inf")
        return shelf.lease

    def _restored(self, shelf: _Shelf) -> bool:
        """Whether an earlier run answers, or one that lacks a file, and the one the pointer names is whole again."""
        from pipeline.publish.damage import find_damage
        from pipeline.publish.pointer import latest_readable

        if shelf.lease is None or time.monotonic() < shelf.look_again_at:
            return False
        shelf.look_again_at = time.monotonic() + LOOK_AGAIN_SECONDS
        folder = self.settings.published(shelf.lease.run.slug)
        run_id = latest_readable(folder)
        return run_id is not None and run_id not in shelf.damaged and not find_damage(folder / run_id)

    def _damage_behind(self, error: Exception, run: OpenRun) -> DamagedRun | None:
        """The damage that made a query fail, which no quick look sees: every byte of the run is compared."""
        import duckdb

        from pipeline.publish.damage import check

        if not isinstance(error, duckdb.IOException | duckdb.FatalException | duckdb.SerializationException):
            return None
        try:
            check(self.settings.published(run.slug) / run.run_id, run.manifest)
        except DamagedRun as damaged:
            return damaged
        return None

    def _give_up(self, shelf: _Shelf, lease: _Lease, damaged: DamagedRun) -> None:
        """Let no other call read a run in which one met damage."""
        with shelf.lock:
            shelf.damaged[lease.run.run_id] = damaged
            if shelf.lease is lease:
                _retire(shelf)

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


def open_newest(
    settings: Settings,
    slug: Slug,
    exposed: frozenset[str],
    answers: AnswerCache,
    damaged: Mapping[str, DamagedRun],
) -> OpenRun:
    """Open the run that a tenant's pointer names; when that is damaged, the last one before it, with a note.

    Args:
        settings: Where the runs are, and what a query may use.
        slug: The tenant.
        exposed: The personal dimensions that it shows now.
        answers: Where the run keeps its answers.
        damaged: Runs that are not to be opened, and why.

    Raises:
        AccessError: There is no run.
        PublishError: No run can be opened; names the newest, and the step that makes another.
    """
    from pipeline.publish.pointer import (
        earlier_runs,
        fallback_note,
        latest_readable,
        latest_run_id,
        nothing_to_serve,
    )

    folder = settings.published(slug)
    try:
        return _open_unless(damaged, settings, slug, exposed, answers, run_id=latest_run_id(folder))
    except AccessError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever keeps it from opening, an earlier run may answer
        first = error
    reason = _reason(first, slug, latest_readable(folder))
    for run_id in earlier_runs(folder, latest_readable(folder)):
        with suppress(PublishError):
            opened = _open_unless(damaged, settings, slug, exposed, answers, run_id=run_id)
            return replace(opened, note=" ".join([fallback_note(reason, run_id), opened.note or ""]).strip())
    if isinstance(first, PublishError):
        raise nothing_to_serve(folder, reason) from first
    raise first


def _open_unless(
    damaged: Mapping[str, DamagedRun],
    settings: Settings,
    slug: Slug,
    exposed: frozenset[str],
    answers: AnswerCache,
    *,
    run_id: str | None,
) -> OpenRun:
    if run_id is not None and run_id in damaged:
        raise damaged[run_id]
    return open_run(settings, slug, exposed, answers, run_id=run_id)


def open_run(
    settings: Settings, slug: Slug, exposed: frozenset[str], answers: AnswerCache, *, run_id: str | None = None
) -> OpenRun:
    """Open the run that a tenant's pointer names, sandboxed: no write, no file but its own, no extension, no setting.

    Another run where its id is given. One that lacks only what readers can do without is opened, with a note.

    Raises:
        AccessError: There is no run.
        DamagedRun: The run is not what was published, or it is another tenant's.
        PublishError: This version cannot read its definitions.
    """
    from pipeline.publish.damage import fatal, find_damage
    from pipeline.publish.pointer import damage_notes, latest_run_id
    from pipeline.publish.run_files import ROLLUPS
    from pipeline.publish.run_manifest import manifest_mismatch, read_manifest
    from semantic.answering.rollups import with_rollups
    from semantic.answering.semantic_model import load_model

    folder = settings.published(slug)
    run_id = run_id or latest_run_id(folder)
    if run_id is None:
        raise _not_built(slug)
    run_dir = folder / run_id
    damage = find_damage(run_dir)
    if worst := fatal(damage):
        raise manifest_mismatch(run_dir, str(worst))
    manifest = read_manifest(run_dir)
    model = load_model(run_dir, expose=exposed)
    spill = settings.home / "tmp" / f"{run_id}_{os.getpid()}"
    spill.parent.mkdir(parents=True, exist_ok=True)
    has_rollups = settings.rollups and ROLLUPS not in {each.file for each in damage}
    rolled = with_rollups(model, manifest.rollups.rollups) if has_rollups and manifest.rollups else model
    connection = _connect(run_dir, settings, spill, has_rollups=rolled is not model)
    note = " ".join(damage_notes(run_id, damage)) or None
    return OpenRun(slug, manifest, model, rolled, exposed, connection, spill, answers, note)


def _connect(run_dir: Path, settings: Settings, spill: Path, *, has_rollups: bool) -> duckdb.DuckDBPyConnection:
    """The star, and the rollups beside it, behind a door that is then locked.

    Raises:
        DamagedRun: DuckDB cannot open one of them.
    """
    import duckdb

    from pipeline.publish.run_files import ROLLUPS, STARS
    from pipeline.publish.run_manifest import manifest_mismatch
    from semantic.answering.rollups import attach

    file = STARS
    try:
        connection = duckdb.connect(str(run_dir / STARS), read_only=True, config=_sandbox(settings, spill))
        if has_rollups:
            file = ROLLUPS
            attach(connection, run_dir / ROLLUPS)
    except (duckdb.IOException, duckdb.SerializationException) as error:
        raise manifest_mismatch(run_dir, f"{file} cannot be opened ({str(error).splitlines()[0]})") from error
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


def _reason(error: Exception, slug: Slug, run_id: str | None) -> str:
    """Log why the newest run cannot be opened, and give it as a sentence for those who ask: without a path."""
    if isinstance(error, DamagedRun):
        event_logger().warning("damaged_run", tenant=slug, what=error.what)
        return f"Run {run_id} is damaged: {error.difference}."
    if run_id is None:
        event_logger().warning("damaged_pointer", tenant=slug, what=str(error))
        return "The pointer to the newest run cannot be read."
    report_call_bug(error, call=f"open_run {slug}")
    return f"Run {run_id} cannot be opened."


def _not_built(slug: Slug) -> AccessError:
    return AccessError(f"{slug} is not built yet.", f"Run `gata build --tenant {slug}`.")
