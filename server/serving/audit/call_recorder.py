"""The recorder of a process's calls: rate limits, the audit log, and observers such as metrics and traces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from pipeline.bug_reports import report_bug
from server.serving.access import LOCAL
from server.serving.audit.call_record import CallRecord, current_record, recording
from server.serving.rate_limits import RateLimits

if TYPE_CHECKING:
    from pipeline.config.slug import Slug
    from pipeline.settings import Settings
    from server.serving.audit.audit_log import AuditLog

UNAUTHENTICATED_PER_MINUTE = 600
"""Most recorded refusals of callers without a token: a flood of them must not fill the disk."""

Observer = Callable[[CallRecord], None]


class CallRecorder:
    """The recorder of every call of a process: applies rate limits, writes the audit log, notifies observers."""

    def __init__(self, rate_limits: RateLimits, audit_log: AuditLog | None, observers: Sequence[Observer] = ()) -> None:
        self.rate_limits, self.audit_log, self._observers = rate_limits, audit_log, tuple(observers)
        self.unauthenticated = RateLimits(per_minute=UNAUTHENTICATED_PER_MINUTE, at_once=0, streams=0)
        self.is_required = audit_log is not None and audit_log.is_required
        self.under_way = 0
        """Calls in progress."""

    @contextmanager
    def call(self, record: CallRecord, *, limited: bool = True) -> Iterator[CallRecord]:
        """Record one call: it is current in the block, and written when the block ends.

        Raises:
            QueueFull: Its token has reached a limit.
            AuditError: It cannot be written, and the audit log is required.
        """
        if self.is_required:
            self._write({**record.as_json(), "outcome": "began"})
        self.under_way += limited  # an unlimited call is a stream
        is_limited = limited and record.caller is not None and record.caller.token_id != LOCAL
        record.recorder = self
        try:
            with recording(record), self.rate_limits.call(_bucket(record)) if is_limited else nullcontext():
                yield record
        finally:
            self.under_way -= limited
            self.record_ended(record)

    def record_ended(self, record: CallRecord) -> None:
        """Write the record of an ended call and notify the observers. A required `began` line is already written."""
        for observe in self._observers:
            try:
                observe(record)
            except Exception as error:  # noqa: BLE001  # the call is answered: a metric or a trace does not fail it
                report_bug(error, call=f"{type(observe).__name__} of a call")
        if self.audit_log is not None:
            self.audit_log.write(record.as_json(), is_optional=True)

    def _write(self, line: Mapping[str, object]) -> None:
        if self.audit_log is not None:
            self.audit_log.write(line)

    @property
    def lost(self) -> int:
        """Calls that could not be written to the audit log."""
        return 0 if self.audit_log is None else self.audit_log.lost

    def close(self) -> None:
        if self.audit_log is not None:
            self.audit_log.close()


def _bucket(record: CallRecord) -> str:
    """Whose calls a call counts among: those of its token, of an agency's token those about one of its tenants."""
    caller = record.caller
    assert caller is not None  # noqa: S101  # only calls of a token are limited
    return caller.token_id if caller.agency is None or record.tenant is None else f"{caller.token_id} {record.tenant}"


@contextmanager
def part_of_call(slug: Slug, *, is_first: bool) -> Iterator[CallRecord | None]:
    """Record the part of the current call that is about one of several tenants: each has a line, and a rate limit.

    The first part has the line of the call itself.

    Raises:
        QueueFull: The token has reached its limit for this tenant.
        AuditError: It cannot be written, and the audit log is required.
    """
    call = current_record()
    if call is None or call.recorder is None:
        yield None
        return
    asked = call.arguments if isinstance(call.arguments, Mapping) else {}
    arguments = {**{name: value for name, value in asked.items() if name != "tenants"}, "tenant": slug}
    if is_first:
        call.tenant, call.arguments = slug, arguments
        yield call
        return
    part = CallRecord(call.interface, call.tool, call.caller, arguments, tenant=slug, traceparent=call.traceparent)
    with call.recorder.call(part):
        yield part


def open_call_recorder(settings: Settings, observers: Sequence[Observer] = ()) -> CallRecorder:
    """The recorder of these settings; no file is opened before the first call."""
    from server.serving.audit.audit_log import AuditLog

    rate_limits = RateLimits(
        per_minute=settings.rate_per_minute, at_once=settings.calls_at_once, streams=settings.streams_at_once
    )
    audit_log = None
    if settings.audit != "off":
        audit_log = AuditLog(
            settings.audit_folder, keep_days=settings.audit_days, is_required=settings.audit == "required"
        )
    return CallRecorder(rate_limits, audit_log, observers)


def is_mcp(path: str) -> bool:
    """Whether a request to the path carries MCP messages."""
    return path in {"/mcp", "/mcp/", "/sse"} or path.startswith("/messages")


def interface_of(path: str) -> str:
    """The interface that a path belongs to: mcp, sse or rest."""
    return ("mcp" if path.startswith("/mcp") else "sse") if is_mcp(path) else "rest"
