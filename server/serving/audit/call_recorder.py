"""The recorder of a process's calls: rate limits, the audit log, and observers such as metrics and traces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from server.serving.access import LOCAL
from server.serving.audit.call_record import CallRecord, recording
from server.serving.rate_limits import RateLimits

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from server.serving.audit.audit_log import AuditLog

STRANGERS_PER_MINUTE = 600
"""Refusals of callers without a token that are written down: a flood of them may not fill the disk."""

Observer = Callable[[CallRecord], None]


class CallRecorder:
    """What happens with every call of a process: its token's limits, the journal, and whoever observes."""

    def __init__(self, rates: RateLimits, journal: AuditLog | None, observers: Sequence[Observer] = ()) -> None:
        self.rates, self.journal, self._observers = rates, journal, tuple(observers)
        self.strangers = RateLimits(per_minute=STRANGERS_PER_MINUTE, at_once=0, streams=0)
        self.is_required = journal is not None and journal.is_required
        self.under_way = 0
        """Calls that are being answered."""

    @contextmanager
    def call(self, entry: CallRecord, *, limited: bool = True) -> Iterator[CallRecord]:
        """One call: what is noted in the block is about it, and it is written down when the block ends.

        Raises:
            QueueFull: Its token has asked too much.
            AuditError: It cannot be written down, and has to be.
        """
        if self.is_required:
            self._write({**entry.as_json(), "outcome": "began"})
        self.under_way += limited  # what is not limited is a stream
        is_limited = limited and entry.who is not None and entry.who.token_id != LOCAL
        try:
            with recording(entry), self.rates.call(entry.who.token_id) if is_limited and entry.who else nullcontext():
                yield entry
        finally:
            self.under_way -= limited
            self.told(entry)

    def told(self, entry: CallRecord) -> None:
        """Write an ended call down. That it began is known already where it has to be."""
        for observe in self._observers:
            observe(entry)
        if self.journal is not None:
            self.journal.write(entry.as_json(), is_optional=True)

    def _write(self, line: Mapping[str, object]) -> None:
        if self.journal is not None:
            self.journal.write(line)

    @property
    def lost(self) -> int:
        """Calls that could not be written down."""
        return 0 if self.journal is None else self.journal.lost

    def close(self) -> None:
        if self.journal is not None:
            self.journal.close()


def open_call_recorder(settings: Settings, observers: Sequence[Observer] = ()) -> CallRecorder:
    """The ledger that the settings ask for; nothing is opened before the first call."""
    from server.serving.audit.audit_log import AuditLog

    rates = RateLimits(
        per_minute=settings.rate_per_minute, at_once=settings.calls_at_once, streams=settings.streams_at_once
    )
    journal = None
    if settings.audit != "off":
        journal = AuditLog(
            settings.audit_folder, keep_days=settings.audit_days, is_required=settings.audit == "required"
        )
    return CallRecorder(rates, journal, observers)


def is_mcp(path: str) -> bool:
    """Whether a request to the path carries MCP messages."""
    return path in {"/mcp", "/mcp/", "/sse"} or path.startswith("/messages")


def interface_of(path: str) -> str:
    """The interface that a path belongs to: mcp, sse or rest."""
    return ("mcp" if path.startswith("/mcp") else "sse") if is_mcp(path) else "rest"
