"""dbt in process: write a project's files, run it, and return the result of each node."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from structlog.contextvars import get_contextvars

import pipeline
from pipeline.contracts.sql import literal
from pipeline.errors import BuildError, DbtFailed
from pipeline.log import log
from pipeline.storage.build_memory import UNLIMITED, DuckDbMemory
from pipeline.storage.disk import holds
from pipeline.storage.hub import let_go_of_hub
from warehouse.projects.profiles import BRIEF, PROPERTIES, SANDBOX

MACROS = Path(__file__).parent / "macros"
ENGINES = Path(pipeline.__file__).parent / "connectors"
"""The folder of `<connector>/engine.sql`: text for dbt, which no module imports."""
_LINE_EXPRESSION = re.compile(r"^[ \t]*\{\{-?(.*?)\}\}", re.MULTILINE | re.DOTALL)
BUILD_TARGET = "target/build"
"""What dbt keeps of builds; a person's dbt keeps its own in `target`, and neither parses anew for the other."""
QUIET = (
    *("--quiet", "--no-use-colors", "--no-version-check", "--no-send-anonymous-usage-stats", "--no-write-json"),
    *("--log-level", "none"),  # else dbt makes up every line that it then does not print: a tenth of its time
    *("--log-level-file", "none"),  # dbt would leave its log file open
)


@dataclass(frozen=True)
class Node:
    """The result of one model or test of a dbt run, as a build goes on from it."""

    name: str
    kind: str  # model, test, seed, unit_test
    status: str  # success, pass, warn, fail, error, skipped
    failures: int | None
    message: str
    sql: str  # as dbt ran it, but for what its materialization adds
    checks: str | None = None  # the model a test is attached to
    test: str | None = None  # the generic test, such as unique
    column: str | None = None  # that it tests
    reads: tuple[str, ...] = ()  # the models and tables that it depends on, by name
    macros: tuple[str, ...] = ()  # that its SELECT is made by, in the order of their calls
    rows: int | None = None  # that a table has; dbt does not say


def write_project(folder: Path, files: Mapping[str, str]) -> bool:
    """Make the folder's sources exactly `files` (dbt's own target and logs stay); whether anything changed."""
    stale = _sources(folder) - set(files)
    for path in stale:
        (folder / path).unlink()
    return write_files(folder, files) or bool(stale)


def write_files(folder: Path, files: Mapping[str, str]) -> bool:
    """Write the files of a folder that are missing or differ; whether there were any."""
    changed = False
    for path, text in files.items():
        target = folder / path
        if not holds(target, text):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            changed = True
    return changed


def _sources(folder: Path) -> set[str]:
    """The generated files of a project folder, relative; dbt's own files are left out."""
    skip = {"target", "logs"}
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).parts[0] not in skip and path.name != ".user.yml"
    }


def run_dbt(
    folder: Path,
    command: tuple[str, ...],
    *,
    files: Mapping[str, Path],
    threads: int = 2,
    memory: DuckDbMemory = UNLIMITED,
) -> tuple[Node, ...]:
    """Run one dbt command in a project folder; `files` are the GATA_*_FILE variables its profile reads.

    Raises:
        BuildError: dbt could not run, or a node failed; names the node, its message and how many rows failed.
    """
    return nodes_of(invoke_dbt(folder, command, files=files, threads=threads, memory=memory))


def invoke_dbt(
    folder: Path,
    command: tuple[str, ...],
    *,
    files: Mapping[str, Path],
    threads: int = 2,
    memory: DuckDbMemory = UNLIMITED,
    manifest: Any = None,  # Any: dbt's classes are untyped, here and below
    callback: Callable[[Any], None] | None = None,
) -> Any:
    """Run one dbt command in a project folder, and return dbt's own result of it.

    A hub that a phase keeps open is closed before, for dbt opens it with settings of its own. Every connection is
    closed afterwards: dbt keeps DuckDB files open in a class attribute, and no other process could read them.

    Args:
        files: As for `run_dbt`.
        manifest: Of the project, where it is parsed already.
        callback: Gets every event of dbt, from all of its threads.

    Raises:
        BuildError: dbt could not run.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner
    from dbt.plugins import PluginManager
    from dbt_common.tests import enable_test_caching

    PluginManager.get_prefixed_modules = dict  # no plugins: dbt imports every `dbt_*.py` on the import path
    enable_test_caching()  # dbt's own switch: its 700 macros are parsed for the first project of a process only
    arguments = [
        *command,
        *QUIET,
        *("--project-dir", str(folder), "--profiles-dir", str(folder)),
        *("--target", SANDBOX, "--target-path", str(folder / BUILD_TARGET), "--log-path", str(folder / "logs")),
    ]
    runner, noise = dbtRunner(manifest, [callback] if callback else None), io.StringIO()
    let_go_of_hub()
    try:
        with (
            _environment(dbt_environment(files, threads)),
            _limited(memory),
            contextlib.redirect_stderr(noise),
            contextlib.redirect_stdout(noise),
        ):
            result = runner.invoke(arguments)
    finally:
        DuckDBConnectionManager.close_all_connections()
    if isinstance(result.exception, KeyboardInterrupt):
        raise result.exception
    if result.exception is not None:
        raise BuildError(
            f"dbt {command[0]} could not run in {folder}: {first_lines(str(result.exception))}",
            "Run the build again; if it stays, delete the folder named here, which is generated.",
        ) from result.exception
    return result.result


def dbt_environment(files: Mapping[str, Path], threads: int) -> dict[str, str]:
    """The environment variables that a build sets for a generated project."""
    environment = {name: str(path.resolve()) for name, path in files.items()} | {
        "GATA_MACROS": str(MACROS),
        "GATA_ENGINES": str(ENGINES),
        "GATA_THREADS": str(threads),
        PROPERTIES: BRIEF,
    }
    if run_id := get_contextvars().get("run_id"):
        environment["GATA_RUN_ID"] = run_id  # rows of dbt metadata carry the run that log lines do
    return environment


def nodes_of(result: Any) -> tuple[Node, ...]:  # Any: as for `invoke_dbt`
    """The nodes of a result of dbt, in the order in which they ran."""
    return tuple(_node(item) for item in _without_hooks(getattr(result, "results", None) or ()))


def _without_hooks(results: Iterable[Any]) -> Iterator[Any]:  # Any: dbt's result classes are untyped
    """The results of a project's own nodes. A hook that fails costs rows of metadata, and fails no build."""
    for item in results:
        node = getattr(item, "node", None)  # none of a `run-operation`
        if node is not None and node.resource_type != "operation":
            yield item
        elif node is not None and str(item.status) not in ("success", "skipped"):
            log.warning("metadata_not_written", hook=node.name, what=first_lines(item.message or ""))


def with_rows(nodes: tuple[Node, ...], rows: Mapping[str, int]) -> tuple[Node, ...]:
    """The nodes with how many rows each made, by its name."""
    return tuple(replace(node, rows=rows.get(node.name)) for node in nodes)


def refuse_failures(nodes: tuple[Node, ...], *, of: str) -> None:
    """Raise when a node did not succeed.

    Raises:
        DbtFailed: Names the first failed model or test, what it says, and how many rows failed.
    """
    failed = [node for node in nodes if node.status in ("error", "fail", "runtime error")]
    if not failed:
        return
    first = failed[0]
    rows = f" in {first.failures} rows" if first.failures else ""
    more = f" ({len(failed) - 1} more failed)" if len(failed) > 1 else ""
    raise DbtFailed(
        f"{of}: {first.kind} {first.name} failed{rows}: {first_lines(first.message)}{more}",
        "Mend the record or the setting it names and run `gata build` again; the last published run is still served.",
    )


def _node(item: Any) -> Node:  # Any: dbt's result classes are untyped
    node = item.node
    depends_on = getattr(node, "depends_on", None)
    return Node(
        name=node.name,
        kind=str(node.resource_type),
        status=str(item.status),
        failures=item.failures,
        message=item.message or "",
        sql=getattr(node, "compiled_code", None) or "",
        checks=getattr(node, "attached_node", None),
        test=getattr(getattr(node, "test_metadata", None), "name", None),
        column=getattr(node, "column_name", None),
        reads=tuple(sorted({each.rpartition(".")[2] for each in getattr(depends_on, "nodes", ())})),
        macros=macros_called(getattr(node, "raw_code", None) or "", getattr(depends_on, "macros", ())),
    )


def macros_called(text: str, known: Iterable[str]) -> tuple[str, ...]:
    """The macros that the SELECT of a model is made by: those of the expressions that begin a line of its text.

    Args:
        text: The model, as dbt has not rendered it yet.
        known: The ids of the macros that dbt says it depends on.
    """
    names = {each.rpartition(".")[2] for each in known}
    expressions = (found[1] for found in _LINE_EXPRESSION.finditer(text))
    made_by = (each for each in expressions if not each.lstrip().startswith("config("))
    return tuple(name for each in made_by for name in re.findall(r"(\w+)\s*\(", each) if name in names)


def first_lines(text: str, lines: int = 6) -> str:
    return " ".join(line.strip() for line in text.strip().splitlines()[:lines] if line.strip())[:600]


@contextlib.contextmanager
def _limited(memory: DuckDbMemory) -> Iterator[None]:
    """Limit the memory of the databases that dbt opens.

    A profile cannot say it: its settings are a part of what dbt parsed, and each other value would parse all anew.
    """
    from dbt.adapters.duckdb.environments.local import LocalEnvironment

    open_database = LocalEnvironment.initialize_db

    def limited(*arguments: Any) -> Any:  # Any: as dbt's own
        database = open_database(*arguments)
        for option, value in memory.items():
            database.execute(f"set {option} = {literal(value)}")
        return database

    LocalEnvironment.initialize_db = staticmethod(limited)
    try:
        yield
    finally:
        del LocalEnvironment.initialize_db  # what the class inherits is left


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for one run, as dbt's profiles read them, and restore the old values."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
