"""Whether the hub is as the last command left it: what notes of tenants say about their part of it holds only then.

A file of the state folder names the hub by its headers, which count every checkpoint, and a generation, which every
note of a tenant carries. Whoever writes the hub otherwise (an erasure, a replay, a restore, dbt by hand, a killed
build) leaves other headers: the next command begins a new generation, and all notes of the one before are void.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Self

from pipeline.settings import Settings
from pipeline.storage.disk import replace_text

HEADERS = 3 * 4096
"""DuckDB's main header and two database headers, of which the newer one has the higher iteration.
Source: duckdb.org/docs/stable/internals/storage."""


class HubSeen:
    """The generation of the notes that hold in this command."""

    def __init__(self, settings: Settings) -> None:
        self._path, self._hub = settings.home / "hub.seen.json", settings.hub
        left, self._generation = _read(self._path)
        self._was = _identity(self._hub)
        if self._was is None or self._was != left:
            self._generation = uuid.uuid4().hex

    @property
    def generation(self) -> str:
        return self._generation

    def refresh(self) -> Self:
        """Begin a new generation where this command has written the hub since it began."""
        if self._was is None or _identity(self._hub) != self._was:
            self._generation = uuid.uuid4().hex
        return self

    def remember(self) -> None:
        """Record the hub as this command leaves it: whose part of it changed has a note of its own, or none."""
        left = _identity(self._hub)
        if left is None:
            self._path.unlink(missing_ok=True)
        elif (left, self._generation) != _read(self._path):
            replace_text(self._path, json.dumps({"hub": left, "generation": self._generation}) + "\n")


def _read(path: Path) -> tuple[str | None, str]:
    try:
        known = json.loads(path.read_bytes())
        return str(known["hub"]), str(known["generation"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, ""


def _identity(hub: Path) -> str | None:
    """What every checkpoint of the hub changes; None where there is no hub, or one with unmerged changes beside it."""
    if hub.with_name(f"{hub.name}.wal").exists():
        return None
    try:
        with hub.open("rb") as file:
            headers = file.read(HEADERS)
        status = hub.stat()
    except OSError:
        return None
    of_file = f"{status.st_size} {status.st_mtime_ns} {status.st_ino}"
    return hashlib.sha256(headers + of_file.encode()).hexdigest()
