"""One build at a time: a lock file that the system gives back when its holder ends, and a note beside it saying who."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import Busy, ConfigError, shorten
from pipeline.storage.disk import replace_text


@contextmanager
def build_lock(home: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold the right to build in `home`; the system gives it back when this process ends, however it ends.

    Raises:
        Busy: Another process still builds after `wait_seconds`; says which.
        ConfigError: `home` cannot be written.
    """
    lock, holder = FileLock(home / "build.lock"), home / "build.lock.json"
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=max(0.0, wait_seconds), poll_interval=0.1)
    except Timeout as error:
        raise Busy(
            f"Another build holds {home / 'build.lock'}{_describe(holder)}.",
            "Let it finish, or wait for it with `--wait SECONDS`.",
        ) from error
    except OSError as error:
        raise _unwritable(home, error) from error
    try:
        _name_holder(holder, home)
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _name_holder(holder: Path, home: Path) -> None:
    command = shorten(shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]))
    who = {"pid": os.getpid(), "command": command, "since": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        replace_text(holder, json.dumps(who) + "\n")
    except OSError as error:
        raise _unwritable(home, error) from error


def _describe(holder: Path) -> str:
    """Who holds the lock, as far as is known: the note is written a moment after the lock is taken."""
    try:
        who = json.loads(holder.read_bytes())
        return f": `{who['command']}`, process {who['pid']}, since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _unwritable(home: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{error.filename or home} cannot be written: {error.strerror or error}.",
        "Make it writable, or set GATA_HOME to a folder that is.",
    )
