"""Which personal columns each tenant has agreed to show: read from tenants.yaml as it is now, not as it was at a build.

So withdrawing a column works at once, and no rollback brings it back. What cannot be read shows nothing personal.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import ConfigError
from server.faults import events

RETRY_SECONDS = 1.0

Stamp = tuple[tuple[int, int] | None, ...]


class ExposedNames:
    """The `expose` lists of one tenants.yaml, read again when the file, or one it includes, has changed."""

    def __init__(self, tenants: Path) -> None:
        self._tenants = tenants
        self._lock = threading.Lock()
        self._files: tuple[Path, ...] = (tenants,)
        self._read_as: Stamp | None = None
        self._retry_at = float("inf")
        self._exposed: Mapping[str, frozenset[str]] = {}

    def of(self, slug: str) -> frozenset[str]:
        """The personal names a tenant shows; none when tenants.yaml does not name the tenant or cannot be read."""
        with self._lock:
            stamp = tuple(_stamp(file) for file in self._files)
            if stamp != self._read_as or time.monotonic() >= self._retry_at:
                self._read(stamp)
            return self._exposed.get(slug, frozenset())

    def _read(self, stamp: Stamp) -> None:
        from pipeline.connectors import load_catalog
        from pipeline.tenants import load_tenants
        from server.workshop import CATALOG

        self._read_as = stamp
        try:
            manifest = load_tenants(self._tenants, load_catalog(CATALOG))
        except ConfigError as error:
            self._exposed = {}
            self._retry_at = time.monotonic() + RETRY_SECONDS  # what is wrong may be in a file it includes
            _withheld(self._tenants, error)
            return
        self._exposed = {tenant.slug: frozenset(tenant.semantic.get("expose", ())) for tenant in manifest.tenants}
        self._retry_at = float("inf")
        included = {Path(place.rpartition(":")[0]) for place in manifest.places.values()} - {self._tenants}
        files = (self._tenants, *sorted(included))
        if files != self._files:
            self._files, self._read_as = files, None  # read once more, now that all of them are watched


def _stamp(file: Path) -> tuple[int, int] | None:
    """What changes when the file does; None while it is not there."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _withheld(tenants: Path, error: ConfigError) -> None:
    if tenants.exists():  # without the file nobody has asked for anything personal
        events().warning("personal_data_withheld", reason=error.what)
