"""Structured events to stderr: JSON, or colour on a terminal. Never a row, never a secret."""

from __future__ import annotations

import logging
import sys

import structlog

log = structlog.get_logger("gata")


def configure_log(*, verbose: bool = False) -> None:
    """Send events to stderr at INFO, or DEBUG when verbose. Called once, at the entry point."""
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
