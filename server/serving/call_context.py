"""The context of one call: its run, a cursor on it, and where the full result of a cut answer is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from pipeline.settings import Settings
    from server.serving.full_results import FullResult
    from server.serving.runs.published_runs import OpenRun


@dataclass(frozen=True)
class CallContext:
    """What a call works with: a run, a cursor of its own on it, and where the whole of a cut answer is to be had."""

    run: OpenRun
    cursor: duckdb.DuckDBPyConnection
    settings: Settings
    whole: FullResult
