"""The context of one call: its run, a cursor on it, and access to the full result of a cut answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from pipeline.settings import Settings
    from server.serving.full_results import FullResult
    from server.serving.runs.open_run import OpenRun


@dataclass(frozen=True)
class CallContext:
    """The context of a call: a run, its own cursor on it, and the full-result lookup of a cut answer."""

    run: OpenRun
    cursor: duckdb.DuckDBPyConnection
    settings: Settings
    full_result: FullResult
