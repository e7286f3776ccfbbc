"""Structured events to stderr: JSON, or colour on a terminal; and to log files as JSON. Never a row, never a secret."""

from __future__ import annotations

import io
import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog

from pipeline.log_files import LogFiles, append_to_log_file, log_to_files

log = structlog.get_logger("gata")

_AS_JSON = structlog.processors.JSONRenderer(default=repr, ensure_ascii=False)


def configure_log(files: LogFiles | None = None, *, verbose: bool = False) -> None:
    """Send events to stderr at INFO, or DEBUG when verbose. Called at the entry point.

    Args:
        files: Where they are written too; those of the process so far when left out.
        verbose: Whether events of level DEBUG are sent.
    """
    if files is not None:
        log_to_files(files)
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _write_to_files,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=cast("TextIO", LossyStream(sys.stderr))),
        cache_logger_on_first_use=False,
    )


def _write_to_files(
    logger: structlog.types.WrappedLogger, name: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    append_to_log_file(str(_AS_JSON(logger, name, dict(event))))
    return event


class LossyStream(io.TextIOBase):
    """A stream of events that loses what it cannot write: a log on a full disk fails no call and no build."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._begun = stream, ""

    def write(self, text: str) -> int:
        """Write whole lines, each at once: other processes write to the same stream."""
        lines, line_end, self._begun = (self._begun + text).rpartition("\n")
        with suppress(OSError, ValueError):  # ValueError: closed
            self._stream.write(lines + line_end)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()
