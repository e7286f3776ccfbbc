"""Faults of the disk that a test can bring about as any user: no room, no permission."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def little_room(most_bytes: int = 100_000) -> Iterator[None]:
    """No file of this process can grow beyond `most_bytes`: writes fail as on a full disk."""
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nothing under a folder can be written by this process; the superuser, who always may, is nobody meanwhile."""
    paths = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in [*paths, *folder.parents] if not path.is_symlink()}
    user = os.geteuid()
    try:
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        if user == 0:
            for parent in folder.parents:
                parent.chmod(modes[parent] | 0o011)
            os.seteuid(NOBODY)
        yield
    finally:
        os.seteuid(user)
        for path, mode in modes.items():
            path.chmod(mode)
