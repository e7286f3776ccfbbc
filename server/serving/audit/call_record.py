"""The audit record of a call: caller, tool, arguments, time and outcome; never a personal value, never a secret.

An interface opens a `CallRecord`; the code that answers the call adds its run, rows and error (`set_run`, `set_rows`,
`set_error`): the record is a context variable of the call, in threads too.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from pipeline.bug_reports import report_bug
from pipeline.errors import GataError, QueueFull, shorten

if TYPE_CHECKING:
    from semantic.catalog.catalog import Catalog
    from server.serving.access import Caller
    from server.serving.audit.call_recorder import CallRecorder

Outcome = Literal["ok", "refused", "busy", "failed", "cancelled", "began"]
"""`refused`: the caller can repair it; `failed`: a bug or a damaged run; `began`: in progress when written."""

WITHHELD, TOKEN = "(withheld)", "(token)"
LONGEST_TEXT, MOST_ITEMS, DEEPEST = 200, 50, 6
_TOKENS = re.compile(r"gata_[0-9a-f]{12}_[\w-]+|eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?|(?i:bearer)\s+\S+")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class CallRecord:
    """One call. `interface` is stdio, mcp, sse, rest or cli; files and metrics name it `door`."""

    interface: str
    tool: str
    caller: Caller | None = None
    arguments: object = None
    tenant: str | None = None
    at: datetime = field(default_factory=_utc_now)
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    outcome: Outcome | None = None
    error: str | None = None
    """The kind of error, without its text, which may quote arguments."""
    event_id: str | None = None
    status: int | None = None
    """The HTTP status."""
    run_id: str | None = None
    rows: int | None = None
    bytes: int | None = None
    traceparent: str | None = None
    """The W3C trace context of the caller, where it sent one."""
    catalog: Catalog | None = field(default=None, repr=False)
    """The catalog of the run that answered: it marks personal names."""
    recorder: CallRecorder | None = field(default=None, repr=False)
    """The recorder of the call: it records the parts of a call about several tenants too."""
    started: float = field(default_factory=time.perf_counter, repr=False)
    seconds: float = 0.0

    def end(self) -> None:
        self.seconds = time.perf_counter() - self.started
        self.outcome = self.outcome or ("refused" if self.error else "ok")

    def as_json(self) -> dict[str, Any]:  # Any: JSON values
        """The line of the audit file, without unknown values."""
        known = {
            "at": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "id": self.id,
            "door": self.interface,
            "tenant": self.tenant or (self.caller.tenant if self.caller else None),
            "token": redacted(self.caller.name) if self.caller else None,
            "token_id": self.caller.token_id if self.caller else None,
            "tool": self.tool,
            "arguments": without_personal(self.arguments, self.catalog) if self.arguments else None,
            "outcome": self.outcome,
            "status": self.status,
            "error": self.error,
            "event_id": self.event_id,
            "ms": None if self.outcome == "began" else round(self.seconds * 1000, 1),
            "rows": self.rows,
            "bytes": self.bytes,
            "run_id": self.run_id,
        }
        return {name: value for name, value in known.items() if value is not None}


def agency_tenant(caller: Caller | None, named: object) -> str | None:
    """The first of an agency's own tenants among what a call names; None for other callers."""
    names = named if isinstance(named, list | tuple) else (named,)
    own = caller.agency or () if caller is not None else ()
    return next((name for name in names if isinstance(name, str) and name in own), None)


_CURRENT_RECORD: ContextVar[CallRecord | None] = ContextVar("gata_audit_entry", default=None)


@contextmanager
def recording(record: CallRecord) -> Iterator[CallRecord]:
    """Make the record current for the block, and end it with the block."""
    token = _CURRENT_RECORD.set(record)
    try:
        yield record
    except GataError as error:
        set_error(error)
        raise
    except Exception as error:
        record.outcome, record.error = "failed", type(error).__name__
        raise
    except BaseException:  # the caller has disconnected, or the server stops
        record.outcome = "cancelled"
        raise
    finally:
        record.end()
        _CURRENT_RECORD.reset(token)


def current_record() -> CallRecord | None:
    """The record of the current call; None outside of one."""
    return _CURRENT_RECORD.get()


def set_run(slug: str, run_id: str, catalog: Catalog) -> None:
    """Record the run and tenant of the answer."""
    if record := current_record():
        record.run_id, record.catalog = run_id, catalog
        record.tenant = record.tenant or slug


def set_rows(answer: object) -> None:
    """Record the number of rows of the answer."""
    if (record := current_record()) and (rows := answer_rows(answer)) is not None:
        record.rows = rows


def set_error(error: BaseException, *, event_id: str | None = None) -> None:
    """Record the kind of error that ended the call; an event id marks a bug, or an error for the operator."""
    if record := current_record():
        record.error, record.event_id = type(error).__name__, event_id or record.event_id
        record.outcome = "failed" if event_id else "busy" if isinstance(error, QueueFull) else "refused"


def report_call_bug(error: BaseException, *, call: str) -> str:
    """Report a bug that ended a call, add it to the call's record, and return its event id."""
    record = current_record()
    event_id = report_bug(error, call=call, run_id=record.run_id if record else None)
    set_error(error, event_id=event_id)
    return event_id


def answer_rows(answer: object) -> int | None:
    """The number of rows, values or metrics of an answer; None for any other answer."""
    if isinstance(answer, Mapping):
        for name in ("rows", "values", "metrics"):
            if isinstance(answer.get(name), Sequence):
                return len(answer[name])
    return None


def redacted(text: str) -> str:
    """The text, cut, with token-like parts replaced."""
    return _TOKENS.sub(TOKEN, shorten(text, LONGEST_TEXT))


def without_personal(value: object, catalog: Catalog | None, *, depth: int = 0) -> object:
    """Remove values of personal dimensions and of unknown names from arguments.

    Long texts and lists are cut, and opaque cursors are withheld.
    """
    if depth > DEEPEST:
        return WITHHELD
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        name = next((value[key] for key in ("dimension_name", "dimension", "name") if key in value), None)
        is_public = name is None or _is_public(name, catalog)
        recorded: dict[str, object] = {}
        for key, item in list(value.items())[:MOST_ITEMS]:
            if key == "cursor":
                recorded[key] = item and WITHHELD
            elif key in {"value", "values", "search"} and not is_public:
                recorded[key] = WITHHELD
            else:
                recorded[redacted(str(key))] = without_personal(item, catalog, depth=depth + 1)
        return recorded
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [without_personal(item, catalog, depth=depth + 1) for item in value[:MOST_ITEMS]]
    return value if isinstance(value, bool | int | float | None) else WITHHELD


def _is_public(name: object, catalog: Catalog | None) -> bool:
    """Whether values of the name may be recorded: a metric, or a dimension that is not personal."""
    if catalog is None or not isinstance(name, str):
        return False
    dimension = catalog.dimensions.get(name)
    return name in catalog.metrics if dimension is None else not dimension.is_personal
