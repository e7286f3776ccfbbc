"""Runs a project by dbt, and notes the SQL that dbt ran, node by node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import yaml

from pipeline.storage.build_memory import DuckDbMemory
from warehouse.compiled.compile_inputs import compile_inputs
from warehouse.compiled.compiled_project import CompiledNode, CompiledProject, Graph
from warehouse.compiled.connection import Profile, read_profile
from warehouse.compiled.decided_at_run import RunTimeNames
from warehouse.compiled.jinja_renderer import Renderer, macro_texts
from warehouse.run_dbt import Node, dbt_environment, first_lines, invoke_dbt, nodes_of

END_HOOKS = "on-run-end"
DONE = frozenset({"success", "pass", "warn", "fail", "no-op"})
"""What dbt says of a node whose SQL ran."""
REPEATED = frozenset({("model", "view"), ("model", "table"), ("test", "test"), ("exposure", "exposure")})
"""Kinds of nodes with their materializations, as they are run without dbt. An exposure is nothing to run."""
_COMPILED_FIELDS = ("compiled", "compiled_code", "extra_ctes", "extra_ctes_injected")
_READS = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN, duckdb.StatementType.PRAGMA}


class SqlEvents:
    """Collects the SQL that dbt says it runs, by node."""

    def __init__(self) -> None:
        self.by_node: dict[str, list[str]] = {}

    def __call__(self, event: Any) -> None:  # Any: dbt's events are untyped
        if event.info.name == "SQLQuery" and event.data.node_info.unique_id:
            self.by_node.setdefault(event.data.node_info.unique_id, []).append(event.data.sql)


def run_and_compile(
    folder: Path,
    command: tuple[str, ...],
    *,
    project: Mapping[str, str],
    files: Mapping[str, Path],
    threads: int,
    memory: DuckDbMemory,
    inputs: str,
) -> tuple[tuple[Node, ...], CompiledProject | None]:
    """Run a dbt command, and return with its nodes what can be kept of it; None where a node did not do its work.

    Raises:
        BuildError: dbt could not run.
    """
    manifest = _parse(folder, compile_inputs(project, (), files), tuple(sorted(files.items())), threads)
    events = SqlEvents()
    result = invoke_dbt(
        folder, command, files=files, threads=threads, memory=memory, manifest=manifest, callback=events
    )
    nodes = nodes_of(result)
    if not nodes or not DONE.issuperset(node.status for node in nodes):
        return nodes, None
    profile = read_profile(project["profiles.yml"], dbt_environment(files, threads))
    done = [each.node for each in result.results if each.node.resource_type != "operation"]
    names = RunTimeNames(manifest, _jinja(), files)
    why_not = next(_obstacles(done, project, profile, names), None)
    if why_not is not None:
        return nodes, CompiledProject(inputs, why_not=why_not)
    said = {node.name: node for node in nodes}
    manifest.build_flat_graph()
    graph = {kind: dict(manifest.flat_graph[kind]) for kind in ("nodes", "sources")}
    graph["nodes"] = {
        name: {field: value for field, value in node.items() if field not in _COMPILED_FIELDS}
        for name, node in graph["nodes"].items()
    }
    compiled = tuple(_compiled(node, said[node.name], events.by_node.get(node.unique_id, [])) for node in done)
    if any(each is None for each in compiled):
        return nodes, CompiledProject(inputs, why_not="dbt ran other SQL than it compiled")
    variables = {name: str(files[name].resolve()) for node in done for name in names.variables(node)}
    try:
        with profile.connect(memory) as connection:
            schemas = read_schemas(connection, schema_names(graph, variables) if _has_contracts(done) else ())
    except duckdb.Error as error:
        return nodes, CompiledProject(inputs, why_not=f"its sources cannot be described: {first_lines(str(error))}")
    return nodes, CompiledProject(
        inputs,
        variables=variables,
        schemas=schemas,
        nodes=tuple(each for each in compiled if each is not None),
        graph=graph,
        dbt_version=version("dbt-core"),
    )


@lru_cache(maxsize=1)
def _parse(folder: Path, _inputs: str, files: tuple[tuple[str, Path], ...], threads: int) -> Any:  # Any: dbt's
    """The manifest of a project, parsed once for the commands that follow each other."""
    return invoke_dbt(folder, ("parse",), files=dict(files), threads=threads)


def schema_names(graph: Graph, variables: Mapping[str, str]) -> Iterator[str]:
    """The source tables and the files that a project reads, as DuckDB names them."""
    for source in graph["sources"].values():
        yield source["relation_name"]
    for path in variables.values():
        if Path(path).exists():
            yield "'" + path.replace("'", "''") + "'"


def read_schemas(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> dict[str, list[list[str]]]:
    """Columns and types of tables and files."""
    return {
        name: [
            [str(column), str(type_)] for column, type_, *_ in connection.execute(f"describe from {name}").fetchall()
        ]
        for name in names
    }


def _obstacles(
    done: Sequence[Any],  # Any: nodes of dbt, untyped
    project: Mapping[str, str],
    profile: Profile,
    names: RunTimeNames,
) -> Iterator[str]:
    """Why the SQL of a project may not be run without dbt."""
    settings = yaml.safe_load(project["dbt_project.yml"])
    if "on-run-start" in settings:
        yield "its project has on-run-start hooks"
    yield from (f"its profile sets {option}" for option in sorted(profile.unknown))
    hooks = Renderer(macro_texts(project), {})
    for hook in settings.get(END_HOOKS, ()):
        yield from (f"its {END_HOOKS} hooks use {name}" for name in sorted(hooks.unknown_names(hook)))
    read = {name for node in done for name in node.depends_on.nodes}
    for node in done:
        if node.unique_id in read and _post_hooks(node):
            yield f"{node.name} has hooks, and others read it"
        yield from (f"{node.name} is decided at run time by {name}" for name in names.of(node))
        yield from (f"{node.name} {what}" for what in _odd_configuration(node, hooks))


def _odd_configuration(node: Any, hooks: Renderer) -> Iterator[str]:  # Any: a node of dbt
    config, made_as = node.config, _made_as(node)
    if (node.resource_type, made_as) not in REPEATED:
        yield f"is a {node.resource_type} made as {made_as}"
        return
    if made_as == "test" and (config.store_failures or config.limit):
        yield "stores or limits its failures"
    if getattr(config, "pre_hook", None):
        yield "has pre-hooks"
    post = _post_hooks(node)
    if post and made_as != "view":
        yield "has post-hooks and is no view"
    for hook in post:
        if not hook.transaction:
            yield "has a hook outside its transaction"
        yield from (f"has a hook that uses {name}" for name in sorted(hooks.unknown_names(hook.sql)))


def _compiled(node: Any, said: Node, ran: list[str]) -> CompiledNode | None:  # Any: a node of dbt
    """A node with what dbt ran for it; None where that is not what its materialization is known to run."""
    statements = _statements(node, ran)
    if statements is None:
        return None
    config = node.config
    return CompiledNode(
        id=node.unique_id,
        name=node.name,
        kind=said.kind,
        materialized=_made_as(node),
        path=node.original_file_path,
        relation=getattr(node, "relation_name", None),
        statements=statements,
        sql=said.sql,
        hooks=tuple(hook.sql for hook in _post_hooks(node)),
        severity=str(getattr(config, "severity", "error")).lower(),
        error_if=getattr(config, "error_if", ""),
        warn_if=getattr(config, "warn_if", ""),
        checks=said.checks,
        test=said.test,
        column=said.column,
        reads=said.reads,
        macros=said.macros,
    )


def _has_contracts(done: Iterable[Any]) -> bool:  # Any: nodes of dbt
    return any(node.config.contract.enforced for node in done if node.resource_type == "model")


def _statements(node: Any, ran: list[str]) -> tuple[str, ...] | None:  # Any: a node of dbt
    if _made_as(node) in ("view", "exposure"):
        return ()
    own = [sql for sql in ran if node.compiled_code in sql]
    if node.resource_type == "test":
        return tuple(own) if len(own) == 1 else None
    written = tuple(sql for sql in ran if not _only_reads(sql))
    is_whole = sum(node.compiled_code in sql for sql in written) == 1
    return written if is_whole and _word(written[0]) == "begin" and "commit" in map(_word, written) else None


def _post_hooks(node: Any) -> list[Any]:  # Any: nodes and hooks of dbt
    return list(getattr(node.config, "post_hook", ()))


def _made_as(node: Any) -> str:  # Any: a node of dbt
    return str(getattr(node.config, "materialized", node.resource_type))


def _only_reads(sql: str) -> bool:
    return all(statement.type in _READS for statement in duckdb.extract_statements(sql))


def _word(sql: str) -> str:
    return sql.strip().rstrip(";").lower()


def _jinja() -> Any:  # Any: dbt's environment, whose blocks `{% test %}` the macros of dbt use
    from dbt_common.clients.jinja import get_environment

    return get_environment()
