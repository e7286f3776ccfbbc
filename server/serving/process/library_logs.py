"""Library logs as gata events: one line of JSON, without any value that a caller sent.

A library's message may quote a request, and the traceback of its error a row: only the kind of error is logged.
"""

from __future__ import annotations

import logging

from pipeline.bug_reports import event_logger
from server.serving.audit.call_record import redacted


class LibraryLogHandler(logging.Handler):
    """Logging handler that turns records of the standard library's log into events."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0] if record.exc_info else None
        event_logger().log(
            record.levelno,
            "library_said",
            logger=record.name,
            message=redacted(str(record.msg)),  # the template of the library: without its arguments
            **({"error": kind.__name__} if kind else {}),
        )


def route_library_logs() -> None:
    """Log warnings and errors of libraries as events, and nothing else of theirs; for a serving process."""
    logging.basicConfig(handlers=[LibraryLogHandler()], level=logging.WARNING, force=True)
