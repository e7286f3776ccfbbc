"""What dbt compiled of one command of a project, as it is kept in a file beside the project's folder.

    dbt/<slug>/stars/                  the generated project
    dbt/<slug>/stars_build.json.gz     what `dbt build` ran of it
    dbt/<slug>/stars_test.json.gz      what `dbt test` ran of it

A file says what it was compiled from. It is used for that alone: anything else goes through dbt, which writes it anew.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Graph = Mapping[str, Mapping[str, Any]]
"""`nodes` and `sources` as dbt's Jinja has them, by kind and id. Any: JSON values."""


@dataclass(frozen=True)
class CompiledNode:
    """One model or data test: the SQL that dbt ran for it, and what a build says of it."""

    id: str
    name: str
    kind: str
    """model, test or exposure"""
    materialized: str
    path: str
    """Of its file in the project."""
    relation: str | None
    statements: tuple[str, ...]
    """What makes a table in an empty database; the one query of a test; none of a view, which is made of `sql`."""
    sql: str
    hooks: tuple[str, ...] = ()
    """Jinja of what runs after a view in its transaction, rendered then: it asks the database."""
    severity: str = "error"
    error_if: str = ""
    warn_if: str = ""
    checks: str | None = None
    test: str | None = None
    column: str | None = None
    reads: tuple[str, ...] = ()
    macros: tuple[str, ...] = ()


@dataclass(frozen=True)
class CompiledProject:
    """What dbt ran of a project, or why that may not be run without dbt."""

    inputs: str
    """The digest of what dbt compiled it from."""
    why_not: str | None = None
    """Why a build goes through dbt: the first thing that is decided only while dbt runs."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """The environment variables that the SQL holds, with their values."""
    schemas: Mapping[str, list[list[str]]] = field(default_factory=dict)
    """Columns and types of what the project reads, where it has contracts, which dbt compared with what SQL gives."""
    nodes: tuple[CompiledNode, ...] = ()
    """In the order in which dbt ran them."""
    graph: Graph = field(default_factory=dict)
    dbt_version: str = ""


def compiled_file(project: Path, command: str) -> Path:
    """Where the SQL of a dbt command is kept."""
    return project.with_name(f"{project.name}_{command}.json.gz")


def read_compiled(path: Path) -> CompiledProject | None:
    """What is kept in a file; None where there is none, or it is damaged."""
    try:
        read = json.loads(gzip.decompress(path.read_bytes()))
        nodes = tuple(_node(node) for node in read.pop("nodes"))
        return CompiledProject(nodes=nodes, **read)
    except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, AttributeError):
        return None


def write_compiled(path: Path, project: CompiledProject) -> None:
    """Replace what is kept in a file; a process that is killed leaves the old one."""
    temporary = path.with_name(f".{path.name}.new")
    text = json.dumps(asdict(project), default=str)
    temporary.write_bytes(gzip.compress(text.encode(), compresslevel=6, mtime=0))
    temporary.replace(path)


def _node(read: Mapping[str, Any]) -> CompiledNode:  # Any: JSON values
    values: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in read.items()}
    return CompiledNode(**values)
