"""Running one statement: on a cursor of its own, with bound values, no longer than it may."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Timer
from typing import Any

import duckdb

from pipeline.errors import TooMuch


def execute(
    cursor: duckdb.DuckDBPyConnection,
    sql: str,
    values: Mapping[str, object],
    *,
    timeout_seconds: float,
) -> list[tuple[Any, ...]]:  # Any: whatever a column holds
    """All rows of a statement. The cursor is as good as new afterwards, also after an error.

    Raises:
        TooMuch: It took longer than `timeout_seconds`, or more memory than there is; nothing is kept.
    """
    timer = Timer(timeout_seconds, cursor.interrupt)
    timer.daemon = True
    timer.start()
    fix = "Ask for a shorter time range, fewer dimensions, or filter."
    try:
        return cursor.execute(sql, dict(values)).fetchall()
    except duckdb.InterruptException as error:
        raise TooMuch(f"The query was stopped; it may run for {timeout_seconds:g} seconds.", fix) from error
    except duckdb.OutOfMemoryException as error:
        raise TooMuch("The query needs more memory than it may have.", fix) from error
    finally:
        timer.cancel()
