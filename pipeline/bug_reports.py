"""Bug reports: stderr gets the frames under an event id, the caller gets that id, and no row is written anywhere."""

from __future__ import annotations

import secrets
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


def report_bug(error: BaseException, *, call: str, run_id: str | None = None) -> str:
    """Log an unforeseen exception and return its event id.

    The message of the exception stays out: a DuckDB error may quote the value it failed on.
    """
    event_id = secrets.token_hex(6)
    causes: list[BaseException] = [error]
    while (cause := causes[-1].__cause__) is not None and cause not in causes:
        causes.append(cause)
    event_logger().error(
        "call_failed",
        **({"run_id": run_id} if run_id else {}),
        event_id=event_id,
        call=call,
        errors=[f"{type(each).__module__}.{type(each).__qualname__}" for each in causes],
        frames="".join(traceback.format_tb(causes[-1].__traceback__)),
    )
    return event_id


def is_interrupt(error: BaseException) -> bool:
    """Whether Ctrl-C is the cause: DuckDB, dlt and dbt raise errors of their own for it."""
    chain: list[BaseException] = [error]
    for each in chain:
        if isinstance(each, KeyboardInterrupt):
            return True
        causes = (each.__cause__, each.__context__)
        chain += [cause for cause in causes if cause is not None and cause not in chain]
    return False


def event_logger() -> FilteringBoundLogger:
    """The log, on stderr; loaded with the first event, for structlog would cost a stdio server 0.1 s of its start."""
    import structlog

    from pipeline.log import configure_log, log

    if not structlog.is_configured():
        configure_log()
    bound: FilteringBoundLogger = log
    return bound


def internal_error_message(event_id: str) -> str:
    return f"Something went wrong here, and it is not your doing. Tell the operator this event: {event_id}."
