"""Rows of dbt metadata on their way: from star files, where they wait while the hub is read-only, into the hub.

Each dbt project writes its rows into the database that it writes anyway, by its on-run-end hooks
(warehouse/macros/dbt_metadata): the library and the pushes into the hub, a star into its own file. Every build command
copies the rows of the star files that changed into the hub, when it begins (a build that was killed, a dbt run by hand)
and when it ends; a star file is removed only after that. Rows that the hub has are not copied again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb

from pipeline.contracts.sql import literal
from pipeline.log import log
from pipeline.settings import Settings

COLLECTED = "platform_ops__collected_stars"
KEYS = {
    "invocations__history": ("tenant_slug", "project", "invocation_id"),
    "run_results__history": ("tenant_slug", "project", "invocation_id", "node_id"),
    "table_stats__history": ("tenant_slug", "project", "invocation_id", "table_name"),
    "model_artifacts__history": ("tenant_slug", "project", "invocation_id", "node_id"),
    "test_artifacts__history": ("tenant_slug", "project", "invocation_id", "node_id"),
}
"""The tables of dbt metadata, each with the columns that make a row."""
DEFINITIONS = ("model_artifacts__history", "test_artifacts__history")
"""Tables that hold a row per change, not per run."""
LEAST_INVOCATIONS, MOST_INVOCATIONS = 10, 500
"""Of each project, dbt invocations that are kept however old they are, and however young they are."""


@dataclass(frozen=True)
class StarFile:
    """A star file as it is on disk."""

    tenant_slug: str
    path: str
    """Relative to the state folder."""
    size: int
    changed_ns: int


def star_files(settings: Settings) -> Iterator[StarFile]:
    """Every star file there is: the tenants' own, and those of unpublished runs."""
    folder = settings.home / "tenants"
    for pattern in ("*/stars.duckdb", "*/runs/*/stars.duckdb"):
        for file in sorted(folder.glob(pattern)):
            status = file.stat()
            path = str(file.relative_to(settings.home))
            yield StarFile(file.relative_to(folder).parts[0], path, status.st_size, status.st_mtime_ns)


def collected_stars(hub: duckdb.DuckDBPyConnection) -> frozenset[StarFile]:
    """The star files whose rows the hub has, as they were then."""
    rows = hub.execute(f"select tenant_slug, path, size, changed_ns from {COLLECTED}").fetchall()
    return frozenset(StarFile(*row) for row in rows)


def collect(hub: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Copy the rows of every star file that changed since it was last copied; each file in one transaction.

    A file that cannot be read now is left for the next command.
    """
    known = collected_stars(hub)
    for file in star_files(settings):
        if file not in known:
            try:
                _collect_file(hub, settings, file)
            except duckdb.Error as error:
                log.warning("metadata_not_collected", star=file.path, what=str(error).partition("\n")[0])


def _collect_file(hub: duckdb.DuckDBPyConnection, settings: Settings, file: StarFile) -> None:
    hub.execute(f"attach {literal(str(settings.home / file.path))} as star (read_only)")
    try:
        hub.execute("begin")
        found = hub.execute("select table_name from duckdb_tables() where database_name = 'star'").fetchall()
        for table in KEYS.keys() & {name for (name,) in found}:
            hub.execute(_copy(table))
        hub.execute(f"delete from {COLLECTED} where path = ?", [file.path])
        hub.execute(
            f"insert into {COLLECTED} values (?, ?, ?, ?, now() at time zone 'UTC')",
            [file.tenant_slug, file.path, file.size, file.changed_ns],
        )
        hub.execute("commit")
    except duckdb.Error:
        hub.execute("rollback")
        raise
    finally:
        hub.execute("detach star")


def _copy(table: str) -> str:
    """The rows of a table of the attached star that the hub lacks, as an INSERT.

    A star file is new at every build, so the first definition of a node in it is often the one that the hub has last.
    """
    same = " and ".join(f"known.{column} = waiting.{column}" for column in KEYS[table])
    rows = f"from star.main.{table} as waiting where not exists (select 1 from main.{table} as known where {same})"
    if table not in DEFINITIONS:
        return f"insert into main.{table} by name select waiting.* {rows}"
    return f"""
        insert into main.{table} by name
        with waiting as (
            select waiting.* {rows}
        ),
        last_ones as (
            select tenant_slug, project, node_id, definition_hash from main.{table}
            qualify row_number() over (
                partition by tenant_slug, project, node_id order by recorded_at desc, run_id desc
            ) = 1
        )
        select waiting.* from waiting
        left join last_ones using (tenant_slug, project, node_id)
        qualify waiting.definition_hash is distinct from last_ones.definition_hash
            or row_number() over (
                partition by waiting.tenant_slug, waiting.project, waiting.node_id order by waiting.recorded_at
            ) > 1"""


def prune_metadata(hub: duckdb.DuckDBPyConnection, settings: Settings, now: datetime) -> None:
    """Remove the rows of old dbt invocations, old definitions that were replaced, and what is known of removed files.

    A project keeps GATA_RUN_DAYS of invocations, but its newest 10 however old they are, and at most 500. What is so
    now is kept: the last definition, result and statistics of everything that is still there.
    """
    oldest = now.replace(tzinfo=None) - timedelta(days=settings.run_days)
    files = [file.path for file in star_files(settings)]
    hub.execute(f"delete from {COLLECTED} where not list_contains($files::varchar[], path)", {"files": files})
    old = hub.execute(
        """select invocation_id from invocations__history
        window in_project as (partition by tenant_slug, project order by recorded_at desc)
        qualify row_number() over in_project > $most
            or (row_number() over in_project > $least and recorded_at < $oldest)""",
        {"least": LEAST_INVOCATIONS, "most": MOST_INVOCATIONS, "oldest": oldest},
    ).fetchall()
    doomed = [invocation for (invocation,) in old]
    if not doomed and not _has_unnamed(hub, oldest):
        return
    for table, key in KEYS.items():
        gone = "list_contains($doomed::varchar[], invocation_id) or invocation_id is null and recorded_at < $oldest"
        values: dict[str, object] = {"doomed": doomed, "oldest": oldest}
        if table in DEFINITIONS:  # the invocation that saw a definition first may be long gone
            gone, values = "recorded_at < $oldest", {"oldest": oldest}
        if table != "invocations__history":
            current, same = (
                table.replace("__history", "__current"),
                " and ".join(f"c.{name} = t.{name}" for name in key),
            )
            gone = (
                f"({gone}) and not exists (select 1 from {current} as c where {same} and c.recorded_at = t.recorded_at)"
            )
        hub.execute(f"delete from {table} as t where {gone}", values)


def _has_unnamed(hub: duckdb.DuckDBPyConnection, oldest: datetime) -> bool:
    """Whether there are old rows of a release that named no invocations."""
    (row,) = hub.execute(
        "select exists (select 1 from run_results__history where invocation_id is null and recorded_at < ?)", [oldest]
    ).fetchall()
    return bool(row[0])


def results_since(hub: duckdb.DuckDBPyConnection, run_id: str) -> list[dict[str, Any]]:  # Any: JSON values
    """The last results of models and tests in runs after one, oldest run first, as REST shows them.

    Returns:
        Rows of run_id, tenant, at and node: what int_platform_observability__run_results and __test_results say.
    """
    names = ("run_id", "tenant", "at", "node")
    rows: Iterable[tuple[Any, ...]] = hub.execute(
        """
        select run_id, tenant_slug, strftime(recorded_at, '%Y-%m-%dT%H:%M:%S.%f') || '+00:00', {
            'node_id': node_id, 'project': project, 'name': name, 'kind': resource_type, 'status': status,
            'seconds': seconds, 'rows': "rows", 'failures': null::bigint, 'message': message,
            'depends_on': depends_on, 'materialization': materialization, 'invocation_id': invocation_id,
            'checks': null::varchar, 'test': null::varchar, 'column': null::varchar, 'severity': null::varchar
        } from int_platform_observability__run_results where run_id > $run_id
        union all
        select run_id, tenant_slug, strftime(recorded_at, '%Y-%m-%dT%H:%M:%S.%f') || '+00:00', {
            'node_id': node_id, 'project': project, 'name': name, 'kind': resource_type, 'status': status,
            'seconds': seconds, 'rows': null::bigint, 'failures': failures, 'message': message,
            'depends_on': depends_on, 'materialization': resource_type, 'invocation_id': invocation_id,
            'checks': tested_node, 'test': test_name, 'column': column_name, 'severity': severity
        } from int_platform_observability__test_results where run_id > $run_id
        order by 1, 2, 3
        """,
        {"run_id": run_id},
    ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]
