"""The digest of everything that dbt reads when it compiles a project, data aside."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from warehouse.run_dbt import ENGINES, MACROS

PACKAGES = ("dbt-core", "dbt-adapters", "dbt-common", "dbt-duckdb", "duckdb")
HERE = Path(__file__).parent


def compile_inputs(project: Mapping[str, str], command: tuple[str, ...], files: Mapping[str, Path]) -> str:
    """The digest of a project's generated files, the macros, the packages, and the command.

    Args:
        project: Text of every generated file of it.
        command: Of dbt, with its options.
        files: The databases and files that its profile and models read. Their names count, for DuckDB names a database
            after its file; their folders do not, unless SQL holds them: see `CompiledProject.variables`.
    """
    digest = hashlib.sha256()
    for part in _parts(project, command, files):
        digest.update(f"{len(part)}:".encode() + part)
    return digest.hexdigest()


def _parts(project: Mapping[str, str], command: tuple[str, ...], files: Mapping[str, Path]) -> Iterator[bytes]:
    yield repr(command).encode()
    yield repr(sorted((name, path.name) for name, path in files.items())).encode()
    yield repr([(package, version(package)) for package in PACKAGES]).encode()
    for folder in (MACROS, ENGINES):
        for path in sorted(folder.rglob("*.sql")):
            yield path.relative_to(folder).as_posix().encode()
            yield path.read_bytes()
    for path in sorted(HERE.glob("*.py")):  # what is kept, and how it is run
        yield path.read_bytes()
    for name, text in sorted(project.items()):
        yield name.encode()
        yield text.encode()


def foreign_flags() -> tuple[str, ...]:
    """The environment variables that change what dbt does, beside those that a build sets."""
    return tuple(sorted(name for name in os.environ if name.startswith("DBT_")))
