"""A delivery: one export or pull of one object of one account. The unit of landing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pipeline.ingest.exports import ExportFile
from pipeline.storage.bronze.manifest import BatchManifest


@dataclass(frozen=True)
class Carried:
    """A file that landed before and is still there, perhaps under a new name, and belongs to a new delivery.

    It is read again where it shares a day with that.
    """

    export: ExportFile
    days: frozenset[date]
    """The days of its rows that no later delivery has replaced."""


@dataclass(frozen=True)
class Delivery:
    """Files that are delivered together."""

    files: tuple[ExportFile, ...]
    delivered_at: datetime | None = None
    """Its own time, UTC without a zone; None where nothing says it."""
    covers: tuple[date, ...] | None = None
    """The days that it says it covers; None: those that its files say, else the days of their rows."""
    order: str = ""
    """By which deliveries without a time are told apart."""
    is_declared: bool = False
    """Whether a manifest, a setting or a common time puts its files together; else their names do."""
    is_rewritten: bool = False
    """Whether a file of it took the place of one that landed: then it is newer, whatever its name says."""
    incomplete: str | None = None
    """Why it is not complete."""
    carried: tuple[Carried, ...] = ()
    batch: tuple[Path, BatchManifest] | None = None
    """The batch of bronze that holds it already."""
    origin: tuple[Path, BatchManifest] | None = None
    """The batch of another bronze that it is read from."""

    @property
    def name(self) -> str:
        """The name of its first file, and the number of the others."""
        if not self.files:
            return "a delivery without files"
        others = len(self.files) - 1
        return self.files[0].name + (f" and {others} more" if others else "")

    @property
    def identity(self) -> str:
        """SHA-256 of its files' content, its days and its time."""
        if self.batch:
            return self.batch[1].identity
        days = sorted({*(self.covers or ()), *(day for file in self.files for day in file.covers or ())})
        parts = [
            sorted(file.sha256 or str(file.path) for file in self.files),
            [day.isoformat() for day in days],
            self.delivered_at and self.delivered_at.isoformat(),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
