"""Which run of a tenant readers see: one small file, replaced whole, moved by one process at a time."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import PublishError
from pipeline.publish.run_manifest import read_manifest
from pipeline.storage.disk import replace_text
from pipeline.storage.run_id import is_run_id

POINTER = "_latest.json"
WAIT_SECONDS = 10.0
RUNS_SHOWN = 20


def latest_run_id(folder: Path) -> str | None:
    """The run that readers see, or None when nothing was published yet.

    Raises:
        PublishError: The pointer is there and cannot be read.
    """
    try:
        run_id = json.loads((folder / POINTER).read_bytes())["run_id"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(folder) from error
    if not isinstance(run_id, str) or not is_run_id(run_id):
        raise _unreadable(folder)
    return run_id


def latest_readable(folder: Path) -> str | None:
    """The run that readers see; None also when the pointer is damaged: publishing is what repairs it."""
    try:
        return latest_run_id(folder)
    except PublishError:
        return None


def run_ids(folder: Path) -> tuple[str, ...]:
    """Every complete run, oldest first."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(entry.name for entry in folder.iterdir() if is_run_id(entry.name) and entry.is_dir()))


def run_before(folder: Path) -> str:
    """The run that readers saw until the current one was published.

    Raises:
        PublishError: There is none, or it is gone; says which runs there are.
    """
    current = latest_run_id(folder)
    if current is None:
        raise PublishError(f"{folder.name} has no current run to go back from.", choose_rollback(folder))
    previous = read_manifest(folder / current).previous
    if previous is None:
        raise PublishError(f"Run {current} of {folder.name} is the first one.", choose_rollback(folder))
    if previous not in run_ids(folder):
        raise PublishError(
            f"Run {previous}, which {folder.name} served before {current}, is gone.", choose_rollback(folder)
        )
    return previous


def write_pointer(folder: Path, run_id: str, now: datetime) -> None:
    """Let readers see the run from now on."""
    moment = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
    replace_text(folder / POINTER, json.dumps({"version": 1, "run_id": run_id, "published_at": moment}) + "\n")


@contextlib.contextmanager
def pointer_lock(folder: Path) -> Iterator[None]:
    """Hold the pointer: nothing is pruned that another process is just pointing to."""
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=WAIT_SECONDS)
    except Timeout as error:
        raise PublishError(
            f"Another process has moved the runs of {folder.name} for {WAIT_SECONDS:.0f} seconds.", "Try again."
        ) from error
    try:
        yield
    finally:
        lock.release()


def choose_rollback(folder: Path) -> str:
    """The imperative half of an error about runs: every run that can be asked for, newest first."""
    known = run_ids(folder)[::-1]
    more = f" and {len(known) - RUNS_SHOWN} older" if len(known) > RUNS_SHOWN else ""
    return f"Choose one with `gata rollback --tenant {folder.name} --to`: {', '.join(known[:RUNS_SHOWN])}{more}."


def _unreadable(folder: Path) -> PublishError:
    return PublishError(f"{folder / POINTER} cannot be read.", choose_rollback(folder))
