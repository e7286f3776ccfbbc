"""Jobs: builds requested over HTTP, each in its own process, stored in ops.sqlite for every process to read.

    queued -> ingesting -> transforming -> validating -> ready
       └──────────┴─────────────┴──────────────┴──────-> failed, with the reason

A job's process holds a file lock while it runs; the operating system releases the lock however the process ends. An
unfinished job with a free lock file has died, and the next reader marks it as failed.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pipeline.config.slug import Slug

if TYPE_CHECKING:
    import sqlite3

    from pipeline.storage.ops import Ops

State = Literal["queued", "ingesting", "transforming", "validating", "ready", "failed"]
Kind = Literal["onboard", "update", "replay"]

STATES: Final[tuple[State, ...]] = ("queued", "ingesting", "transforming", "validating", "ready", "failed")
OVER: Final[frozenset[str]] = frozenset({"ready", "failed"})
DIED = "The process of this job ended before it was done."
REPLAY_FAILED = "The replay failed; readers keep the run that they have."


@dataclass(frozen=True)
class Job:
    """One job in its current state."""

    number: int
    id: str
    kind: Kind
    tenant: Slug
    state: State
    reason: str | None
    fix: str | None
    run_id: str | None
    """The published run, once the job is ready."""
    content: str
    """SHA-256 of the posted body."""
    undo: str | None
    """The change of tenants.yaml as JSON, to undo it; None where there is none, and once that is settled."""
    created_at: str
    updated_at: str

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def for_owner(self) -> Job:
        """The job as the tenant's own people may see it: the reason of a failure may quote paths and commands."""
        if self.reason in (None, DIED):
            return self
        return replace(self, reason=REPLAY_FAILED, fix=f"Tell whoever runs gata the id of this job, {self.id}.")


class Jobs:
    """The jobs of ops.sqlite. Safe to share between threads."""

    def __init__(self, ops: Ops, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`folder`: holds the lock files and logs of jobs."""
        self._ops = ops
        self._clock = clock
        self.folder = folder

    def make(
        self, job_id: str, *, kind: Kind, tenant: str, content: str, asked_by: str, key: str | None, undo: str | None
    ) -> None:
        """Insert a queued job; the caller holds its lock already."""
        now = self._timestamp()
        with self._ops.transaction() as store:
            store.execute(
                "insert into jobs (id, kind, tenant, state, content, key, asked_by, undo, created_at, updated_at)"
                " values (?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?)",
                (job_id, kind, tenant, content, key, asked_by, undo, now, now),
            )
            self._add_event(store, job_id, tenant, "queued", now)

    def move(
        self, job: Job, state: State, *, reason: str | None = None, fix: str | None = None, run_id: str | None = None
    ) -> bool:
        """Move a job to a later state; False where it is in that state, or over, already."""
        earlier = [name for name in STATES[: STATES.index(state)] if name not in OVER]
        with self._ops.transaction() as store:
            now = self._timestamp()
            moved = store.execute(
                "update jobs set state = ?, reason = ?, fix = ?, run_id = ?, updated_at = ?"
                f" where id = ? and state in ({', '.join('?' * len(earlier))})",
                (state, reason, fix, run_id, now, job.id, *earlier),
            ).rowcount
            if moved:
                self._add_event(store, job.id, job.tenant, state, now)
        return bool(moved)

    def settle(self, job: Job) -> None:
        """Clear the undo record: the change of tenants.yaml was undone, or stays."""
        with self._ops.transaction() as store:
            store.execute("update jobs set undo = null where id = ?", (job.id,))

    def find(self, job_id: str) -> Job | None:
        return self._first("where id = ?", job_id)

    def newest(self, tenant: str, kind: Kind) -> Job | None:
        """The last job of a kind for a tenant."""
        return self._first("where tenant = ? and kind = ? order by number desc limit 1", tenant, kind)

    def by_key(self, asked_by: str, key: str) -> Job | None:
        """The last job that a caller requested under an Idempotency-Key."""
        return self._first("where asked_by = ? and key = ? order by number desc limit 1", asked_by, key)

    def unfinished(self, tenant: str) -> Job | None:
        """A job for the tenant that is not over."""
        return self._first("where tenant = ? and state not in ('ready', 'failed') order by number desc limit 1", tenant)

    def page(self, limit: int, before: int | None) -> Sequence[Job]:
        """One page of jobs, newest first; with `before`, only those with a lower number."""
        return self._jobs("where ?1 is null or number < ?1 order by number desc limit ?2", before, limit)

    def events(self, job_id: str, after: int = 0) -> list[dict[str, Any]]:  # Any: JSON values
        """The state changes of a job, in order, from the one after number `after`."""
        rows = self._ops.connection.execute(
            "select number, state, at from job_events where job = ? and number > ? order by number", (job_id, after)
        ).fetchall()
        return [dict(row) for row in rows]

    def to_dict(self, job: Job) -> dict[str, Any]:  # Any: JSON values
        """A job as JSON for callers."""
        return {
            "id": job.id,
            "kind": job.kind,
            "tenant": job.tenant,
            "state": job.state,
            "reason": job.reason,
            "fix": job.fix,
            "run_id": job.run_id,
            "created_at": job.created_at,
            "updated_at": job.updated_at,
            "events": self.events(job.id),
        }

    def log_file(self, job_id: str) -> Path:
        """The log file of the job's process."""
        return self.folder / f"{job_id}.log"

    @contextmanager
    def hold_lock(self, job_id: str) -> Iterator[int]:
        """Hold the job's lock file: it is locked while this block, or a child process that inherits it, has it open."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._lock_file(job_id), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield descriptor
        finally:
            os.close(descriptor)

    def is_alive(self, job_id: str) -> bool:
        """Whether the job's process is running."""
        try:
            descriptor = os.open(self._lock_file(job_id), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(descriptor)

    def _lock_file(self, job_id: str) -> Path:
        return self.folder / f"{job_id}.lock"

    def _add_event(self, store: sqlite3.Connection, job_id: str, tenant: str, state: str, at: str) -> None:
        store.execute(
            "insert into job_events (job, number, tenant, state, at)"
            " select ?1, coalesce(max(number), 0) + 1, ?2, ?3, ?4 from job_events where job = ?1",
            (job_id, tenant, state, at),
        )

    def _first(self, where: str, *values: object) -> Job | None:
        return next(iter(self._jobs(where, *values)), None)

    def _jobs(self, where: str, *values: object) -> list[Job]:
        columns = ", ".join(Job.__dataclass_fields__)
        rows = self._ops.connection.execute(f"select {columns} from jobs {where}", values).fetchall()
        return [Job(**dict(row)) for row in rows]

    def _timestamp(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="microseconds")


def new_job_id() -> str:
    """A new job id: 64 random bits, so it cannot be guessed, though only an admin may read jobs."""
    return f"job_{secrets.token_hex(8)}"
