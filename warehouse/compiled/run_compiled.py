"""Runs the SQL that dbt compiled, in order, on one connection, and writes what happened by the macros that dbt uses.

begin, create and fill, rename, commit      a table, as dbt ran it
begin, create or replace, hooks, commit     a view
select                                      a data test, which finds rows or does not
on-run-end                                  rows of dbt metadata
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import duckdb
import yaml
from jinja2 import TemplateError

from pipeline.contracts.sql import quote
from pipeline.log import log
from pipeline.storage.build_memory import DuckDbMemory
from warehouse.compiled.compile_project import END_HOOKS, read_schemas
from warehouse.compiled.compiled_project import CompiledNode, CompiledProject
from warehouse.compiled.connection import read_profile
from warehouse.compiled.jinja_renderer import Renderer, macro_texts
from warehouse.projects.profiles import SANDBOX
from warehouse.run_dbt import Node, dbt_environment, first_lines

SCHEMA = "main"


class NotRunWithoutDbtError(Exception):
    """dbt has to run the project after all; the text says why."""


@dataclass(frozen=True)
class _Outcome:
    status: str
    failures: int | None
    message: str | None


@dataclass
class Run:
    """One run of compiled SQL: its connection, and the context of its hooks."""

    connection: duckdb.DuckDBPyConnection
    renderer: Renderer
    results: list[dict[str, Any]] = field(default_factory=list)  # Any: as dbt's results in Jinja

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        return self.connection.execute(sql)


def run_compiled(
    compiled: CompiledProject,
    command: str,
    *,
    project: Mapping[str, str],
    files: Mapping[str, Path],
    threads: int,
    memory: DuckDbMemory,
) -> tuple[Node, ...]:
    """Run what dbt ran, and return the nodes as dbt does.

    Args:
        compiled: Of this project and command.
        command: The first word of dbt's command.
        project: Text of every generated file.
        files: The databases and files that its profile and models read.
        threads: Of DuckDB.
        memory: Of DuckDB.

    Returns:
        The nodes, in dbt's order. A view whose hooks failed is an error, and those after it are done.

    Raises:
        NotRunWithoutDbtError: Any other statement failed, or the tables that it reads have other columns. What failed
            is rolled back; what came before it is done.
    """
    environment = dbt_environment(files, threads)
    profile = read_profile(project["profiles.yml"], environment)
    settings = yaml.safe_load(project["dbt_project.yml"])
    with _explained("the database"), profile.connect(memory) as connection:
        for name, columns in read_schemas(connection, compiled.schemas).items():
            if columns != compiled.schemas[name]:
                raise NotRunWithoutDbtError(f"{name} has other columns than it had")
        names = _context(compiled, connection, settings, environment)
        names |= {
            "flags": SimpleNamespace(WHICH=command),
            "invocation_args_dict": {"which": command},
            "target": SimpleNamespace(name=SANDBOX, database=Path(profile.path).stem, schema=SCHEMA),
        }
        run = Run(connection, Renderer(macro_texts(project), names))
        nodes = tuple(_run_node(node, run) for node in compiled.nodes)
        _run_end_hooks(settings, run)
    return nodes


def _run_node(node: CompiledNode, run: Run) -> Node:
    began = datetime.now(UTC).replace(tzinfo=None)
    with _explained(node.name):
        outcome = _RUNS[node.materialized](node, run)
    ended = datetime.now(UTC).replace(tzinfo=None)
    run.results.append(
        {
            "unique_id": node.id,
            "status": outcome.status,
            "execution_time": (ended - began).total_seconds(),
            "failures": outcome.failures,
            "message": outcome.message,
            "thread_id": threading.current_thread().name,
            "timing": [{"name": "execute", "started_at": began, "completed_at": ended}],
        }
    )
    return Node(
        name=node.name,
        kind=node.kind,
        status=outcome.status,
        failures=outcome.failures,
        message=outcome.message or "",
        sql=node.sql,
        checks=node.checks,
        test=node.test,
        column=node.column,
        reads=node.reads,
        macros=node.macros,
    )


def _table(node: CompiledNode, run: Run) -> _Outcome:
    for statement in node.statements:
        run.execute(statement)
    return _DONE


def _view(node: CompiledNode, run: Run) -> _Outcome:
    try:
        run.execute("begin")
        run.execute(f"\n  \n  create or replace view {node.relation} as (\n    {node.sql}\n  );")
        for hook in node.hooks:
            if sql := run.renderer.render(hook, this=node.relation):
                run.execute(f"\n        {sql}")  # errors name a line, and dbt begins on the second
        run.execute("commit")
    except duckdb.Error as error:
        if not node.hooks:
            raise
        with suppress(duckdb.TransactionException):  # a hook may have committed
            run.execute("rollback")
        return _Outcome("error", None, _message(node, error))
    return _DONE


def _message(node: CompiledNode, error: duckdb.Error) -> str:
    """What dbt says of an error.

    Source: `DbtRuntimeError.__str__` of dbt-common.
    """
    return "\n  ".join([f"Runtime Error in {node.kind} {node.name} ({node.path})", *str(error).split("\n")])


def _test(node: CompiledNode, run: Run) -> _Outcome:
    """The result of a test, by dbt's rules.

    Source: `TestRunner.build_test_run_result` of dbt-core.
    """
    ((failures, should_warn, should_error),) = run.execute(node.statements[0]).fetchall()
    if not isinstance(failures, int):
        raise NotRunWithoutDbtError(f"{node.name} counts {failures!r} rows")
    counted = f"Got {failures} result{'' if failures == 1 else 's'}, configured to"
    if node.severity == "error" and should_error:
        return _Outcome("fail", failures, f"{counted} fail if {node.error_if}")
    if should_warn:
        return _Outcome("warn", failures, f"{counted} warn if {node.warn_if}")
    return _Outcome("pass", 0, None)


def _exposure(_node: CompiledNode, _run: Run) -> _Outcome:
    return _Outcome("no-op", 0, "NO-OP")


_DONE = _Outcome("success", None, "OK")
_RUNS: Mapping[str, Callable[[CompiledNode, Run], _Outcome]] = {
    "table": _table,
    "view": _view,
    "test": _test,
    "exposure": _exposure,
}


def _run_end_hooks(settings: Mapping[str, Any], run: Run) -> None:  # Any: YAML values
    """Run the hooks of the project's end; one that fails costs rows of metadata, and fails no build."""
    for number, hook in enumerate(settings.get(END_HOOKS, ())):
        try:
            if sql := run.renderer.render(hook, results=run.results):
                run.execute(sql)
        except (duckdb.Error, TemplateError) as error:
            name = f"{settings['name']}-{END_HOOKS}-{number}"
            log.warning("metadata_not_written", hook=name, what=first_lines(str(error)))
            return


def _context(
    compiled: CompiledProject,
    connection: duckdb.DuckDBPyConnection,
    settings: Mapping[str, Any],
    environment: Mapping[str, str],
) -> dict[str, Any]:  # Any: YAML values, and what templates may hold
    """The names of dbt's context that a project and its database give."""
    sources = {(source["source_name"], source["name"]): source for source in compiled.graph["sources"].values()}

    def run_query(sql: str) -> SimpleNamespace:
        return SimpleNamespace(rows=connection.execute(sql).fetchall())

    def env_var(name: str, default: str) -> str:
        return environment.get(name, default)

    return {
        "adapter": SimpleNamespace(quote=quote),
        "dbt_version": compiled.dbt_version,
        "env_var": env_var,
        "graph": compiled.graph,
        "invocation_id": str(uuid4()),
        "project_name": settings["name"],
        "run_query": run_query,
        "run_started_at": datetime.now(UTC),
        "source": lambda *name: sources[name]["relation_name"],
        "var": settings.get("vars", {}).__getitem__,
    }


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn every error of DuckDB and of templates into the reason why dbt runs the project, which tells it as ever."""
    try:
        yield
    except (duckdb.Error, TemplateError, KeyError) as error:
        raise NotRunWithoutDbtError(f"{what}: {first_lines(str(error))}") from error
