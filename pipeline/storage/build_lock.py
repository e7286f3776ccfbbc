"""The build lock: a lock file that the system releases when its holder ends, and a file that names the holder."""

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
from pipeline.storage.home_format import claim_home
from pipeline.storage.private_folder import make_private, private_files


@contextmanager
def build_lock(home: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold the build lock of `home`; the system releases it when this process ends, however it ends.

    Raises:
        Busy: Another process still builds after `wait_seconds`; names it.
        ConfigError: `home` cannot be written, or a later release has changed its format.
    """
    lock, holder_file = FileLock(home / "build.lock", mode=0o600), home / "build.lock.json"
    try:
        make_private(home)
        lock.acquire(timeout=max(0.0, wait_seconds), poll_interval=0.1)
    except Timeout as error:
        raise Busy(
            f"Another build holds {home / 'build.lock'}{_describe(holder_file)}.",
            "Let it finish, or wait for it with `--wait SECONDS`.",
        ) from error
    except OSError as error:
        raise _unwritable(home, error) from error
    try:
        with private_files():
            claim_home(home)
            _write_holder(holder_file, home)
            yield
    finally:
        holder_file.unlink(missing_ok=True)
        lock.release()


def _write_holder(file: Path, home: Path) -> None:
    command = shorten(shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]))
    holder = {"pid": os.getpid(), "command": command, "since": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        replace_text(file, json.dumps(holder) + "\n")
    except OSError as error:
        raise _unwritable(home, error) from error


def _describe(file: Path) -> str:
    """The holder of the lock, empty while unknown: its file is written a moment after the lock is taken."""
    try:
        holder = json.loads(file.read_bytes())
        return f": `{holder['command']}`, process {holder['pid']}, since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _unwritable(home: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{error.filename or home} cannot be written: {error.strerror or error}.",
        "Make it writable, or set GATA_HOME to a folder that is.",
    )
