"""The pool of open published runs: the newest one of each tenant, looked up by every call.

A run never changes, so an open one is reused; the tenant's pointer file names the newest, and checking it costs one
`stat`. A run that is no longer the newest is closed when the last call that reads it ends. While the newest one is
damaged, the last undamaged run before it answers, and every answer has a note about it. Each run is a DuckDB instance
of its own: no statement of one tenant can name a file of another.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipeline.config.slug import Slug, slugs_among
from pipeline.errors import DamagedRun, RunGone
from pipeline.settings import Settings
from server.serving.access import check_slug
from server.serving.runs.answer_cache import AnswerCache
from server.serving.runs.fair_queue import FairQueue
from server.serving.runs.open_run import OpenRun, not_built, open_newest, open_run
from server.serving.runs.tenant_status import TenantStatus

Stamp = tuple[int, int, int]
LOOK_AGAIN_SECONDS = 5.0
"""Seconds until a damaged newest run is checked again, while an earlier one answers: it may be restored."""


@dataclass
class _RunHandle:
    """An open run with its reference count: the number of calls that read it."""

    run: OpenRun
    readers: int = 0
    is_newest: bool = True


@dataclass
class _RunPool:
    """The open runs of one tenant, with the pointer stamp and exposed names of the newest."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    newest: _RunHandle | None = None
    stamp: Stamp | None = None
    exposed: frozenset[str] = frozenset()
    look_again_at: float = float("inf")
    damaged: dict[str, DamagedRun] = field(default_factory=dict)
    """Runs in which a query found damage that opening does not detect, by id."""
    older: dict[tuple[str, frozenset[str]], _RunHandle] = field(default_factory=dict)
    """Earlier runs in use, by id and exposed personal names."""


class PublishedRuns:
    """The published runs under one state folder. Safe to share between threads; close it when done."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.queue = FairQueue(settings.query_slots, settings.query_slots_all, settings.query_queue)
        self._answers = AnswerCache(settings.answer_cache_bytes)
        self.tenant_status = TenantStatus(settings.tenants)
        self._pools: dict[str, _RunPool] = {}
        self._run_id: str | None = None

    def at(self, run_id: str) -> PublishedRuns:
        """A view of the same runs that is pinned to one run id, the newest or not. It must not be closed."""
        view = copy.copy(self)
        view._run_id = run_id
        return view

    @contextmanager
    def run(self, slug: Slug) -> Iterator[OpenRun]:
        """The newest run of a tenant; it stays open until the block ends, even when a newer one is published.

        Raises:
            AccessError: The slug is invalid, or the tenant is no longer served or has no published run.
            PublishError: The only run it has cannot be opened.
            RunGone: The pinned run is no longer kept.
        """
        self.tenant_status.check(check_slug(slug))
        pool = self._pool(slug)
        with pool.lock:
            handle = self._newest(slug, pool)
            if self._run_id not in {None, handle.run.run_id}:
                handle = self._older(slug, pool, str(self._run_id))
            handle.readers += 1
        try:
            yield handle.run
        except Exception as error:
            if damaged := self._damage_of(error, handle.run):
                self._exclude_damaged(pool, handle, damaged)
                raise damaged from error
            raise
        finally:
            with pool.lock:
                handle.readers -= 1
                _close_if_done(handle)
                if not handle.readers:
                    pool.older = {key: other for key, other in pool.older.items() if other is not handle}

    def slugs(self) -> tuple[Slug, ...]:
        """Every served tenant with a published run."""
        from pipeline.publish.pointer import POINTER

        names = [path.parent.name for path in (self.settings.home / "published").glob(f"*/{POINTER}")]
        return tuple(sorted(slug for slug in slugs_among(names) if not self.tenant_status.refusal(slug)))

    def counts(self) -> dict[str, int]:
        """Counts of this process: running and waiting calls, open runs, bytes of cached answers."""
        open_runs = sum(pool.newest is not None for pool in [*self._pools.values()])
        return {**self.queue.counts(), "open_runs": open_runs, "kept_bytes": self._answers.bytes}

    def close(self) -> None:
        """Close every run; a run in use is closed by its last reader."""
        for pool in self._pools.values():
            with pool.lock:
                _release_newest(pool)

    def _pool(self, slug: Slug) -> _RunPool:
        if slug not in self._pools and _stamp(self.settings, slug) is None:
            raise not_built(slug)
        return self._pools.setdefault(slug, _RunPool())

    def _newest(self, slug: Slug, pool: _RunPool) -> _RunHandle:
        """The handle of the run that the pointer names; while that cannot be opened, of the last one before it."""
        stamp = _stamp(self.settings, slug)
        if stamp is None:
            _release_newest(pool)
            raise not_built(slug)
        exposed = self.tenant_status.exposed(slug)
        if pool.newest is not None and (pool.stamp, pool.exposed) == (stamp, exposed) and not self._is_restored(pool):
            return pool.newest
        if pool.stamp != stamp:
            pool.damaged.clear()
        opened = open_newest(self.settings, slug, exposed, self._answers, pool.damaged)
        _release_newest(pool)
        self._answers.forget(slug)
        pool.newest, pool.stamp, pool.exposed = _RunHandle(opened), stamp, exposed
        pool.look_again_at = time.monotonic() + LOOK_AGAIN_SECONDS if opened.note else float("inf")
        return pool.newest

    def _is_restored(self, pool: _RunPool) -> bool:
        """Whether the newest run is undamaged again while an earlier or incomplete run answers."""
        from pipeline.publish.damage import find_damage
        from pipeline.publish.pointer import latest_readable

        if pool.newest is None or time.monotonic() < pool.look_again_at:
            return False
        pool.look_again_at = time.monotonic() + LOOK_AGAIN_SECONDS
        folder = self.settings.published(pool.newest.run.slug)
        run_id = latest_readable(folder)
        return run_id is not None and run_id not in pool.damaged and not find_damage(folder / run_id)

    def _damage_of(self, error: Exception, run: OpenRun) -> DamagedRun | None:
        """The damage that caused a query error, found by comparing every byte of the run; None where there is none."""
        import duckdb

        from pipeline.publish.damage import check

        if not isinstance(error, duckdb.IOException | duckdb.FatalException | duckdb.SerializationException):
            return None
        try:
            check(self.settings.published(run.slug) / run.run_id, run.manifest)
        except DamagedRun as damaged:
            return damaged
        return None

    def _exclude_damaged(self, pool: _RunPool, handle: _RunHandle, damaged: DamagedRun) -> None:
        """Exclude a run from later calls after a query found damage in it."""
        with pool.lock:
            pool.damaged[handle.run.run_id] = damaged
            if pool.newest is handle:
                _release_newest(pool)

    def _older(self, slug: Slug, pool: _RunPool, run_id: str) -> _RunHandle:
        """The handle of an earlier run; it stays open while a call reads it."""
        from pipeline.publish.pointer import run_ids

        if run_id not in run_ids(self.settings.published(slug)):
            raise RunGone("The run that this was asked of is no longer kept.", "Ask the question again.")
        exposed = self.tenant_status.exposed(slug)
        if (run_id, exposed) not in pool.older:
            opened = open_run(self.settings, slug, exposed, self._answers, run_id=run_id)
            pool.older[run_id, exposed] = _RunHandle(opened, is_newest=False)
        return pool.older[run_id, exposed]


def _stamp(settings: Settings, slug: Slug) -> Stamp | None:
    """The stamp of the pointer file, which changes when it is replaced: inode, time and size."""
    from pipeline.publish.pointer import POINTER

    try:
        status = (settings.published(slug) / POINTER).stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _release_newest(pool: _RunPool) -> None:
    if pool.newest is not None:
        pool.newest.is_newest = False
        _close_if_done(pool.newest)
        pool.newest = None


def _close_if_done(handle: _RunHandle) -> None:
    if handle.readers == 0 and not handle.is_newest:
        handle.run.close()
