"""What tenants.yaml says of a tenant now, not as it was at a build: whether it is served, and what personal it shows.

So a tenant that is offboarded, or no longer named, is refused and a withdrawn column is gone at once, and no rollback
brings them back. While the file cannot be read nothing personal is shown, and who was refused before still is; where
there never was a file, whatever is published is served.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

from pipeline.bug_reports import event_logger
from pipeline.config.slug import Slug
from pipeline.errors import AccessError, ConfigError
from server.serving.access import no_such_tenant

OFFBOARDED = "offboarded"
RETRY_SECONDS = 1.0

Stamp = tuple[tuple[int, int] | None, ...]


class TenantStatus:
    """Every tenant's standing by one tenants.yaml, read again when the file, or one it includes, has changed."""

    def __init__(self, tenants: Path) -> None:
        self._tenants = tenants
        self._lock = threading.Lock()
        self._files: tuple[Path, ...] = (tenants,)
        self._read_as: Stamp | None = None
        self._retry_at = float("inf")
        self._exposed: Mapping[str, frozenset[str]] = {}
        self._statuses: Mapping[str, str] | None = None

    @property
    def is_current(self) -> bool:
        """Whether nothing has changed since the file was read: then asking costs a `stat` and waits for nobody."""
        return self._stamp() == self._read_as and time.monotonic() < self._retry_at

    def exposed(self, slug: Slug) -> frozenset[str]:
        """The personal names a tenant shows; none when tenants.yaml does not name the tenant or cannot be read."""
        self._refresh()
        return self._exposed.get(slug, frozenset())

    def status(self, slug: Slug) -> str | None:
        """A tenant's status in tenants.yaml; None where it is not named, or the file was never read."""
        self._refresh()
        return (self._statuses or {}).get(slug)

    def refusal(self, slug: Slug) -> AccessError | None:
        """Why nothing of a tenant is answered, whatever is published of it; None for one that is served."""
        self._refresh()
        if self._statuses is None or self._statuses.get(slug, OFFBOARDED) != OFFBOARDED:
            return None
        return _offboarded(slug) if slug in self._statuses else no_such_tenant()

    def check(self, slug: Slug) -> None:
        """See that a tenant is served.

        Raises:
            AccessError: tenants.yaml says that it is offboarded, or no longer names it.
        """
        if error := self.refusal(slug):
            raise error

    def _refresh(self) -> None:
        if not self.is_current:
            with self._lock:
                if not self.is_current:
                    self._read()

    def _stamp(self) -> Stamp:
        return tuple(_stamp(file) for file in self._files)

    def _read(self) -> None:
        from pipeline.config.connector_catalog import load_catalog
        from pipeline.config.tenants_file import load_tenants
        from server.orchestration.build_context import CATALOG

        stamp = self._stamp()
        try:
            manifest = load_tenants(self._tenants, load_catalog(CATALOG))
        except ConfigError as error:
            self._exposed = {}
            self._retry_at = time.monotonic() + RETRY_SECONDS  # what is wrong may be in a file it includes
            self._read_as = stamp
            _withheld(self._tenants, error)
            return
        self._exposed = {tenant.slug: frozenset(tenant.semantic.get("expose", ())) for tenant in manifest.tenants}
        self._statuses = {tenant.slug: tenant.status for tenant in manifest.tenants}
        self._retry_at = float("inf")
        included = {Path(place.rpartition(":")[0]) for place in manifest.locations.values()} - {self._tenants}
        files = (self._tenants, *sorted(included))
        # read once more when there are other files than before: only now all of them are watched
        self._files, self._read_as = files, stamp if files == self._files else None


def _offboarded(slug: Slug) -> AccessError:
    return AccessError(
        f"{slug} is offboarded: nothing of it is answered any more.",
        "Ask whoever runs gata: its status in tenants.yaml says so.",
    )


def _stamp(file: Path) -> tuple[int, int] | None:
    """What changes when the file does; None while it is not there."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _withheld(tenants: Path, error: ConfigError) -> None:
    if tenants.exists():  # without the file nobody has asked for anything personal
        event_logger().warning("personal_data_withheld", reason=error.what)
