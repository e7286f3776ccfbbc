"""What libraries log, as events of ours: one line of JSON, and no value that a caller sent.

A library's message may quote a request, and the traceback of its error a row: of those only the kind is kept.
"""

from __future__ import annotations

import logging

from server.audit.call import redacted
from server.faults import events


class LibraryLog(logging.Handler):
    """Turns records of the standard library's log into events."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0] if record.exc_info else None
        events().log(
            record.levelno,
            "library_said",
            logger=record.name,
            message=redacted(str(record.msg)),  # as it stands in the library: without what was put into it
            **({"error": kind.__name__} if kind else {}),
        )


def take_over_logs() -> None:
    """Let warnings and errors of libraries come out as events, and nothing else of theirs; for a serving process."""
    logging.basicConfig(handlers=[LibraryLog()], level=logging.WARNING, force=True)
