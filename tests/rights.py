"""Rights that a test gives up: root may read everything, and a test of a refusal needs somebody who may not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
