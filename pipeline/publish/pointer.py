"""The pointer to a tenant's served run: one small file, replaced atomically by one process at a time."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import DamagedRun, PublishError
from pipeline.publish.damage import Damage, fatal, find_damage
from pipeline.publish.run_manifest import read_manifest
from pipeline.storage.disk import replace_text
from pipeline.storage.run_id import is_run_id

POINTER = "_latest.json"
WAIT_SECONDS = 10.0
RUNS_SHOWN = 20


def latest_run_id(folder: Path) -> str | None:
    """The run that readers see, None before the first publish.

    Raises:
        PublishError: The pointer exists and cannot be read.
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
    """The run that readers see; None also when the pointer is damaged: the next publish repairs it."""
    try:
        return latest_run_id(folder)
    except PublishError:
        return None


def run_ids(folder: Path) -> tuple[str, ...]:
    """Every complete run, oldest first."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(entry.name for entry in folder.iterdir() if is_run_id(entry.name) and entry.is_dir()))


@dataclass(frozen=True)
class ServedRun:
    """The run that answers a tenant's queries; `notes` explain why it is an earlier one, or what it lacks."""

    run_id: str
    notes: tuple[str, ...] = ()


def served_run(folder: Path) -> ServedRun | None:
    """The run that the pointer names, or the newest undamaged one before it; None when nothing is published.

    Raises:
        PublishError: Every run is damaged; names the damage and the command that builds a new run.
    """
    current, reason = latest_readable(folder), ""
    if current is None:
        if not (folder / POINTER).exists():
            return None
        reason = "The pointer to the newest run cannot be read."
    for run_id in chain([current] if current else [], earlier_runs(folder, current)):
        damage = find_damage(folder / run_id)
        if worst := fatal(damage):
            reason = reason or f"Run {run_id} is {worst.state}: {worst}."
        elif reason:
            return ServedRun(run_id, (fallback_note(reason, run_id),))
        else:
            return ServedRun(run_id, damage_notes(run_id, damage))
    raise nothing_to_serve(folder, reason)


def damage_notes(run_id: str, damage: tuple[Damage, ...]) -> tuple[str, ...]:
    """Notes on answers from a run with damaged optional files."""
    return tuple(f"Run {run_id} answers without a damaged file: {each}." for each in damage)


def fallback_note(reason: str, run_id: str) -> str:
    """The note on an answer from an earlier run."""
    return f"{reason} An earlier run answers instead: {run_id}."


def nothing_to_serve(folder: Path, reason: str) -> PublishError:
    """The error of a tenant without an undamaged run."""
    return PublishError(
        f"{folder.name} has no undamaged run. {reason}", f"Run `gata build --tenant {folder.name}` to make one."
    )


def earlier_runs(folder: Path, run_id: str | None) -> Iterator[str]:
    """The runs that readers saw before a run, newest first; every run when `run_id` is None.

    A manifest names the previous run. Where it cannot be read, the next older run is taken.
    """
    known = run_ids(folder)
    seen = {run_id}
    while True:
        older = max((each for each in known if run_id is None or each < run_id), default=None)
        with contextlib.suppress(DamagedRun):
            older = read_manifest(folder / run_id).previous if run_id else older
        if older is None or older in seen:
            return
        if older in known:
            yield older
        seen.add(older)
        run_id = older


def run_before(folder: Path) -> str:
    """The run that readers saw until the current one was published.

    Raises:
        PublishError: There is none, or it is gone; lists the runs there are.
    """
    current = latest_run_id(folder)
    if current is None:
        raise PublishError(f"{folder.name} has no current run to go back from.", choose_rollback(folder))
    try:
        previous = read_manifest(folder / current).previous
    except DamagedRun:
        previous = next(earlier_runs(folder, current), None)
    if previous is None:
        raise PublishError(f"Run {current} of {folder.name} is the first one.", choose_rollback(folder))
    if previous not in run_ids(folder):
        raise PublishError(
            f"Run {previous}, which {folder.name} served before {current}, is gone.", choose_rollback(folder)
        )
    return previous


def write_pointer(folder: Path, run_id: str, now: datetime) -> None:
    """Point readers to a run."""
    published_at = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
    replace_text(folder / POINTER, json.dumps({"version": 1, "run_id": run_id, "published_at": published_at}) + "\n")


@contextlib.contextmanager
def pointer_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the pointer: no run is pruned while another process points to it."""
    lock = FileLock(folder / ".lock", mode=0o600)
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
    """The imperative half of an error about runs: every run to choose from, newest first."""
    known = [run_id for run_id in reversed(run_ids(folder)) if not fatal(find_damage(folder / run_id))]
    if not known:
        return f"Run `gata build --tenant {folder.name}` to make one."
    more = f" and {len(known) - RUNS_SHOWN} older" if len(known) > RUNS_SHOWN else ""
    return f"Choose one with `gata rollback --tenant {folder.name} --to`: {', '.join(known[:RUNS_SHOWN])}{more}."


def _unreadable(folder: Path) -> PublishError:
    return PublishError(f"{folder / POINTER} cannot be read.", choose_rollback(folder))
