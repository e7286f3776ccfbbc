"""What is done about a bug: the caller gets an event id, stderr gets the frames, and nobody gets a row."""

from __future__ import annotations

import secrets
import traceback
from typing import TYPE_CHECKING

from server.audit.call import went_wrong

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


def report(error: BaseException, *, call: str) -> str:
    """Log an exception nobody foresaw and return its event id.

    The message of the exception stays out: a DuckDB error may quote the value it failed on.
    """
    event_id = secrets.token_hex(6)
    went_wrong(error, event_id=event_id)
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__) is not None and cause not in causes:
        causes.append(cause)
    events().error(
        "call_failed",
        event_id=event_id,
        call=call,
        errors=[f"{type(each).__module__}.{type(each).__qualname__}" for each in causes],
        frames="".join(traceback.format_tb(causes[-1].__traceback__)),
    )
    return event_id


def events() -> FilteringBoundLogger:
    """The log, on stderr; loaded with the first event, for structlog would cost a stdio server 0.1 s of its start."""
    import structlog

    from pipeline.log import configure_log, log

    if not structlog.is_configured():
        configure_log()
    bound: FilteringBoundLogger = log
    return bound


def apology(event_id: str) -> str:
    return f"Something went wrong here, and it is not your doing. Tell the operator this event: {event_id}."
