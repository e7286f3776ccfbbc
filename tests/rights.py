"""Rights that a test gives up: root may read everything, and a test of a refusal needs somebody who may not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

NOBODY = 65534


@contextmanager
def may_not_read(path: Path) -> Iterator[None]:
    """Without the right to read a folder: root reads everything, so that its rights are given up meanwhile."""
    user = os.geteuid()
    path.chmod(0)
    os.seteuid(user or NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        path.chmod(0o777)


@contextmanager
def as_owner(folder: Path) -> Iterator[None]:
    """As the user whose folder it is, bound by the permissions of files: root gives the folder to nobody meanwhile."""
    if os.geteuid() != 0:
        yield
        return
    parents = {parent: parent.stat().st_mode for parent in folder.parents}
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    try:
        for parent, mode in parents.items():
            parent.chmod(mode | 0o011)
        os.seteuid(NOBODY)
        yield
    finally:
        os.seteuid(0)
        for parent, mode in parents.items():
            parent.chmod(mode)


@cache
def may_mount() -> bool:
    """Whether this user may mount a disk in memory: it is tried."""
    with TemporaryDirectory() as folder:
        try:
            tried = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False)
        except OSError:  # no such program
            return False
        if tried.returncode == 0:
            subprocess.run(["umount", folder], check=True)
        return tried.returncode == 0
