"""What is written down about a call: who asked what, when, and how it went. Never a personal value, never a secret.

A door begins an `Entry`; whatever answers the call adds to it what only it knows (`asked_of`, `answered`,
`went_wrong`), wherever
in the program that is: the entry travels with the call, into threads too.
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

Outcome = Literal["ok", "refused", "busy", "failed", "cancelled", "began"]
"""`refused`: the caller can repair it; `failed`: a bug or a damaged run; `began`: not over when it was written."""

WITHHELD, TOKEN = "(withheld)", "(token)"
LONGEST_TEXT, MOST_ITEMS, DEEPEST = 200, 50, 6
_SECRET = re.compile(r"gata_[0-9a-f]{12}_[\w-]+|eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?|(?i:bearer)\s+\S+")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class CallRecord:
    """One call. `door` is stdio, mcp, sse, rest or cli."""

    door: str
    tool: str
    who: Caller | None = None
    arguments: object = None
    tenant: str | None = None
    at: datetime = field(default_factory=_utc_now)
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    outcome: Outcome | None = None
    error: str | None = None
    """The kind of error; its text may quote what a caller sent."""
    event_id: str | None = None
    status: int | None = None
    """Over HTTP."""
    run_id: str | None = None
    rows: int | None = None
    bytes: int | None = None
    traceparent: str | None = None
    """The caller's trace, W3C, where it sent one."""
    catalog: Catalog | None = field(default=None, repr=False)
    """Of the run that answered: it says which names are personal."""
    started: float = field(default_factory=time.perf_counter, repr=False)
    seconds: float = 0.0

    def end(self) -> None:
        self.seconds = time.perf_counter() - self.started
        self.outcome = self.outcome or ("refused" if self.error else "ok")

    def as_json(self) -> dict[str, Any]:  # Any: JSON values
        """The line of the file; what nobody knows is left out."""
        known = {
            "at": self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "id": self.id,
            "door": self.door,
            "tenant": self.tenant or (self.who.tenant if self.who else None),
            "token": redacted(self.who.name) if self.who else None,
            "token_id": self.who.token_id if self.who else None,
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


_CURRENT: ContextVar[CallRecord | None] = ContextVar("gata_audit_entry", default=None)


@contextmanager
def recording(entry: CallRecord) -> Iterator[CallRecord]:
    """Let what is noted in this block be about the entry, and end it with the block."""
    before = _CURRENT.set(entry)
    try:
        yield entry
    except GataError as error:
        set_error(error)
        raise
    except Exception as error:
        entry.outcome, entry.error = "failed", type(error).__name__
        raise
    except BaseException:  # the caller has gone, or the server stops
        entry.outcome = "cancelled"
        raise
    finally:
        entry.end()
        _CURRENT.reset(before)


def current_record() -> CallRecord | None:
    """The entry of the call that is being answered; None outside of one."""
    return _CURRENT.get()


def set_run(slug: str, run_id: str, catalog: Catalog) -> None:
    """Note which run of which tenant answers."""
    if entry := current_record():
        entry.run_id, entry.catalog = run_id, catalog
        entry.tenant = entry.tenant or slug


def set_rows(found: object) -> None:
    """Note with how many rows."""
    if (entry := current_record()) and (rows := answer_rows(found)) is not None:
        entry.rows = rows


def set_error(error: BaseException, *, event_id: str | None = None) -> None:
    """Note the kind of error that ended the call; with an event id it was a bug, or what only the operator mends."""
    if entry := current_record():
        entry.error, entry.event_id = type(error).__name__, event_id or entry.event_id
        entry.outcome = "failed" if event_id else "busy" if isinstance(error, QueueFull) else "refused"


def report_call_bug(error: BaseException, *, call: str) -> str:
    """Report a bug that ended a call, note it in the call's record, and return its event id."""
    entry = current_record()
    event_id = report_bug(error, call=call, run_id=entry.run_id if entry else None)
    set_error(error, event_id=event_id)
    return event_id


def answer_rows(found: object) -> int | None:
    """How many rows, values or metrics an answer holds; None where it holds none of them."""
    if isinstance(found, Mapping):
        for name in ("rows", "values", "metrics"):
            if isinstance(found.get(name), Sequence):
                return len(found[name])
    return None


def redacted(text: str) -> str:
    """Short, and without anything that looks like a token."""
    return _SECRET.sub(TOKEN, shorten(text, LONGEST_TEXT))


def without_personal(sent: object, catalog: Catalog | None, *, depth: int = 0) -> object:
    """What a caller sent, as far as it may be kept: no value of a personal dimension, and none of a name unknown here.

    Long texts and lists are cut, and an opaque cursor says nothing to a reader.
    """
    if depth > DEEPEST:
        return WITHHELD
    if isinstance(sent, str):
        return redacted(sent)
    if isinstance(sent, Mapping):
        about_name = next((sent[key] for key in ("dimension_name", "dimension", "name") if key in sent), None)
        is_open = about_name is None or _is_open(about_name, catalog)
        kept: dict[str, object] = {}
        for key, value in list(sent.items())[:MOST_ITEMS]:
            if key == "cursor":
                kept[key] = value and WITHHELD
            elif key in {"value", "values", "search"} and not is_open:
                kept[key] = WITHHELD
            else:
                kept[redacted(str(key))] = without_personal(value, catalog, depth=depth + 1)
        return kept
    if isinstance(sent, Sequence) and not isinstance(sent, bytes | bytearray):
        return [without_personal(value, catalog, depth=depth + 1) for value in sent[:MOST_ITEMS]]
    return sent if isinstance(sent, bool | int | float | None) else WITHHELD


def _is_open(name: object, catalog: Catalog | None) -> bool:
    """Whether values of the name may be kept: it is a metric, or a dimension that is not personal."""
    if catalog is None or not isinstance(name, str):
        return False
    dimension = catalog.dimensions.get(name)
    return name in catalog.metrics if dimension is None else not dimension.is_personal
