"""The files of a published run, in one table: publishing, checking, opening and linking a run all read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STARS: Final = "stars.duckdb"
ROLLUPS: Final = "rollups.duckdb"
DEFINITIONS: Final = "semantic.yml"
CATALOG_JSON: Final = "semantic.json"
CATALOG_SCHEMA: Final = "semantic.schema.json"
FINDINGS: Final = "findings.json"
COVERAGE: Final = "coverage.json"
MEASURES: Final = "measures.json"
MODELS: Final = "models.json.gz"
MANIFEST: Final = "_MANIFEST.json"
STAGING: Final = ".staging-"


@dataclass(frozen=True)
class RunFile:
    """A file that a published run may hold."""

    name: str
    is_required: bool
    """Answers depend on it: without it, or with another, readers fall back to an earlier run. Others are optional."""
    is_hashed: bool
    """The manifest keeps its SHA-256."""
    is_sealed: bool
    """It is made read-only before the run is published."""
    holds_tables: bool
    """It is a DuckDB file: too large to hash each time a run is opened, as every other file is."""


RUN_FILES: Final = (
    RunFile(STARS, is_required=True, is_hashed=True, is_sealed=True, holds_tables=True),
    RunFile(ROLLUPS, is_required=False, is_hashed=True, is_sealed=True, holds_tables=True),
    RunFile(DEFINITIONS, is_required=True, is_hashed=True, is_sealed=True, holds_tables=False),
    RunFile(CATALOG_JSON, is_required=False, is_hashed=True, is_sealed=True, holds_tables=False),
    RunFile(CATALOG_SCHEMA, is_required=False, is_hashed=True, is_sealed=True, holds_tables=False),
    RunFile(COVERAGE, is_required=True, is_hashed=True, is_sealed=True, holds_tables=False),
    RunFile(MEASURES, is_required=False, is_hashed=True, is_sealed=True, holds_tables=False),
    RunFile(MODELS, is_required=False, is_hashed=True, is_sealed=True, holds_tables=False),
    RunFile(FINDINGS, is_required=True, is_hashed=True, is_sealed=True, holds_tables=False),
    RunFile(MANIFEST, is_required=True, is_hashed=False, is_sealed=True, holds_tables=False),
)
"""In the order in which they are checked. The manifest comes last: it describes the others, and none describes it."""

HASHED: Final = {file.name: file for file in RUN_FILES if file.is_hashed}


def hashed_name(name: str) -> str:
    """Check that a name is one of a hashed file, and return it.

    Raises:
        ValueError: A manifest has no such file.
    """
    if name not in HASHED:
        raise ValueError(f"{name!r} is no file of a run; there are {', '.join(HASHED)}")
    return name
