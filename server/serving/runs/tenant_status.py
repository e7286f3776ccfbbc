"""Current tenant status from tenants.yaml, not from the last build: whether it is served, and its exposed columns.

An offboarded or removed tenant is refused at once, a withdrawn column is hidden at once, and no rollback brings them
back. While the file cannot be read no personal column is exposed, and refused tenants stay refused; where the file
never existed, every published tenant is served. A tenant whose own entry is wrong is served as it was, without any
personal column; so is one of an included file that cannot be read, as long as this process knew it before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pipeline.bug_reports import event_logger
from pipeline.config.slug import Slug
from pipeline.errors import AccessError, ConfigError
from server.serving.access import Caller, no_such_tenant

OFFBOARDED, REFUSED = "offboarded", "refused"
RETRY_SECONDS = 1.0

Stamp = tuple[tuple[int, int] | None, ...]


class TenantStatus:
    """The status of every tenant in one tenants.yaml, read again when the file, or one it includes, has changed."""

    def __init__(self, tenants: Path) -> None:
        self._tenants = tenants
        self._lock = threading.Lock()
        self._files: tuple[Path, ...] = (tenants,)
        self._read_as: Stamp | None = None
        self._retry_at = float("inf")
        self._exposed: Mapping[str, frozenset[str]] = {}
        self._statuses: Mapping[Slug, str] | None = None

    @property
    def is_current(self) -> bool:
        """Whether the files are unchanged since they were read: then a lookup costs a `stat` and does not wait."""
        return self._stamp() == self._read_as and time.monotonic() < self._retry_at

    def exposed(self, slug: Slug) -> frozenset[str]:
        """The exposed personal names of a tenant; none when tenants.yaml does not name it or cannot be read."""
        self._refresh()
        return self._exposed.get(slug, frozenset())

    def status(self, slug: Slug) -> str | None:
        """A tenant's status in tenants.yaml; None where it is not named, or the file was never read."""
        self._refresh()
        return (self._statuses or {}).get(slug)

    def refusal(self, slug: Slug) -> AccessError | None:
        """The error that refuses a tenant, whatever is published of it; None for one that is served."""
        self._refresh()
        if self._statuses is None or self._statuses.get(slug, OFFBOARDED) != OFFBOARDED:
            return None
        return _offboarded(slug) if slug in self._statuses else no_such_tenant()

    def served(self, caller: Caller) -> Caller:
        """The caller as it is served now: an agency without those of its tenants that are not."""
        if caller.agency is None:
            return caller
        return replace(caller, agency=tuple(slug for slug in caller.agency if self.refusal(slug) is None))

    def refusal_of(self, caller: Caller) -> AccessError | None:
        """The error that refuses a caller whose tenant, or each of whose tenants, is not served."""
        if caller.agency is None:
            return None if caller.tenant is None else self.refusal(caller.tenant)
        if self.served(caller).agency:
            return None
        return AccessError(
            "None of the tenants of this token is served any more.",
            "Ask whoever runs gata: their status in tenants.yaml says so.",
        )

    def tenant_of_agency(self, caller: Caller, name: object) -> Slug:
        """The tenant that an agency names.

        Raises:
            AccessError: It is none of its own, not served any more, or nobody's: the same message for all.
        """
        for slug in self.served(caller).agency or ():
            if slug == name:
                return slug
        raise AccessError(no_such_tenant().what, "Ask for a tenant of your token: get_status lists them.")

    def check(self, slug: Slug) -> None:
        """Check that a tenant is served.

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

        stamp = self._stamp()
        try:
            manifest = load_tenants(self._tenants, load_catalog())
        except ConfigError as error:
            self._exposed = {}
            self._retry_at = time.monotonic() + RETRY_SECONDS  # the error may be in a file it includes
            self._read_as = stamp
            _log_withheld(self._tenants, error)
            return
        self._exposed = {tenant.slug: frozenset(tenant.semantic.get("expose", ())) for tenant in manifest.tenants}
        statuses: dict[Slug, str] = {tenant.slug: tenant.status for tenant in manifest.tenants}
        for entry in manifest.refused:
            if entry.slug is not None:  # it is served as it was, unless it says itself that it is not
                statuses[entry.slug] = OFFBOARDED if entry.status == OFFBOARDED else REFUSED
        if any(entry.slug is None for entry in manifest.refused):  # nobody knows whose they are
            statuses = {**(self._statuses or {}), **statuses}
        self._statuses = statuses
        self._retry_at = float("inf")
        files = manifest.files
        # read once more when the included files changed: only now all of them are watched
        self._files, self._read_as = files, stamp if files == self._files else None


def _offboarded(slug: Slug) -> AccessError:
    return AccessError(
        f"{slug} is offboarded: nothing of it is answered any more.",
        "Ask whoever runs gata: its status in tenants.yaml says so.",
    )


def _stamp(file: Path) -> tuple[int, int] | None:
    """The stamp of a file, which changes with it; None while it is missing."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _log_withheld(tenants: Path, error: ConfigError) -> None:
    if tenants.exists():  # without the file nothing personal is requested
        event_logger().warning("personal_data_withheld", reason=error.what)
