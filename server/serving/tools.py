"""What may be asked of a published run: four functions, the same behind MCP, REST and the command line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from pipeline.errors import TooMuch
from pipeline.settings import Settings
from server.serving.runs.answer_cache import AnswerKey
from server.serving.runs.published_runs import OpenRun

if TYPE_CHECKING:  # imported with the first run: a stdio server answers `initialize` before that
    import duckdb

    from semantic.catalog.catalog import Fact
    from semantic.planning.query import Answer, Query

Payload = dict[str, Any]  # Any: what JSON can carry, and Decimal

SEARCH = Field(default=None, max_length=200, description="Words to look for.", examples=["revenue"])


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MetricsAsked(_Asked):
    """The arguments of `list_metrics`."""

    search: str | None = SEARCH
    limit: int | None = Field(default=None, ge=1, le=1000, description="At most so many metrics.", examples=[50])
    cursor: str | None = Field(
        default=None, max_length=1000, description="The cursor of the list before, for the next ones.", examples=["50"]
    )


class ValuesAsked(_Asked):
    """The arguments of `get_dimension_values`."""

    dimension_name: str = Field(
        validation_alias=AliasChoices("dimension_name", "dimension"),
        max_length=200,
        description="A dimension of list_metrics.",
        examples=["campaign_name"],
    )
    search: str | None = SEARCH
    limit: int = Field(default=100, ge=1, le=1000, description="At most so many values.", examples=[100])


class StatusAsked(_Asked):
    """The arguments of `get_status`: none."""


def list_metrics(run: OpenRun, asked: MetricsAsked) -> Payload:
    """Every metric with its unit and its dimensions, and every dimension."""
    from semantic.answering.listing import list_metrics as listed

    return listed(run.model, search=asked.search, limit=asked.limit, cursor=asked.cursor)


def list_briefly(run: OpenRun, asked: MetricsAsked) -> Payload:
    """The same for an agent: names under their facts, a page of them, and what is not on it."""
    from semantic.answering.listing import PAGE
    from semantic.answering.listing import list_briefly as listed

    return _noted(run, listed(run.model, search=asked.search, limit=asked.limit or PAGE, cursor=asked.cursor))


def get_dimension_values(run: OpenRun, asked: ValuesAsked, cursor: duckdb.DuckDBPyConnection) -> Payload:
    """The values of a dimension, the most frequent first."""
    from semantic.answering.dimension_values import dimension_values

    return _noted(
        run, dimension_values(asked.dimension_name, run.model, cursor, search=asked.search, limit=asked.limit)
    )


def query(
    run: OpenRun, asked: Query, cursor: duckdb.DuckDBPyConnection, settings: Settings, *, use_rollups: bool = True
) -> Answer:
    """The answer to a question about metrics: the one that was given before, while nothing it depends on is other.

    Without `use_rollups` it is made from the facts themselves, and is the same.

    Raises:
        TooMuch: It asks for more rows than one answer may have, or takes too long.
        QueryError: As for `semantic.answering.run_query.run_query`.
    """
    from semantic.answering.run_query import local_day
    from semantic.answering.run_query import run_query as answer

    if asked.limit > settings.query_rows:
        raise TooMuch(
            f"limit is {asked.limit}, and an answer has at most {settings.query_rows} rows here.",
            f'Write "limit": {settings.query_rows}, and send the cursor of each answer for the next rows.',
        )
    day = local_day(settings.today or settings.now(), run.model.catalog)
    key = AnswerKey(
        slug=run.slug,
        run_id=run.run_id,
        definitions=run.model.definitions,
        exposed=run.exposed,
        day=day,
        from_rollups=use_rollups,
        query=asked.model_dump_json(),
    )
    given = run.answers.get(key)
    if given is None:
        model = run.rolled if use_rollups else run.model
        given = answer(asked, model, cursor, today=day, timeout_seconds=settings.query_timeout)
        run.answers.put(key, given)
    return replace(given, notes=(run.note, *given.notes)) if run.note else given


def _noted(run: OpenRun, found: Payload) -> Payload:
    """What was found, with the note of a run that is not the newest or lacks a file."""
    return {**found, "notes": [run.note, *found.get("notes", ())]} if run.note else found


def get_status(run: OpenRun) -> Payload:
    """Which run answers, how far its data go, and what is to know about it."""
    from semantic.answering.listing import fact_days

    catalog = run.model.catalog
    facts = [{**fact_days(fact), "currencies": list(fact.currencies)} for fact in catalog.facts.values()]
    return {
        "tenant": run.slug,
        "run_id": run.run_id,
        "published_at": run.manifest.published_at.isoformat(),
        "time_zone": catalog.time_zone,
        "week_start": catalog.week_start,
        "currency": catalog.currency,
        "facts": facts,
        "tables": {table.name: table.rows for table in run.manifest.tables},
        "notes": [*([run.note] if run.note else []), *catalog.notes, *_empty(catalog.facts.values())],
    }


def sources(run: OpenRun, cursor: duckdb.DuckDBPyConnection) -> list[Payload]:
    """How far the data of each account of each source go, by fact: the days of its first and its last row."""
    from pipeline.contracts.sql import quote
    from semantic.answering.execute import execute
    from server.serving.plain_text import plain_text

    built = {table.name: {column.name for column in table.columns} for table in run.manifest.tables}
    found = []
    for fact in run.model.catalog.facts.values():
        table = f"fct_{run.slug}__{fact.name}"
        if {"source_platform", "source_account", fact.day_column} <= built.get(table, set()):
            day = quote(fact.day_column)
            sql = (
                f"SELECT source_platform, source_account, COUNT(*), MIN({day}), MAX({day}) FROM {quote(table)}"
                " GROUP BY ALL ORDER BY ALL"
            )
            found += [(fact.name, *row) for row in execute(cursor, sql, {})]
    return [
        {
            "source": source,
            "account": account and plain_text(account),
            "fact": fact,
            "rows": rows,
            "first_date": first and first.isoformat(),
            "as_of": last and last.isoformat(),
        }
        for fact, source, account, rows, first, last in found
    ]


def describe_run(run: OpenRun) -> Payload:
    """Everything that can be asked of a tenant, and how its tables join."""
    return {
        "tenant": run.slug,
        "run_id": run.run_id,
        "published_at": run.manifest.published_at.isoformat(),
        "time_zone": run.model.catalog.time_zone,
        **list_metrics(run, MetricsAsked()),
        "relationships": relationships(run),
    }


def relationships(run: OpenRun) -> list[Payload]:
    """The joins from each table to its dimension tables, with what was measured when the run was published."""
    return [
        {
            "from": join.table,
            "from_column": join.column,
            "to": join.to,
            "to_column": join.to_column,
            "cardinality": join.cardinality,
            "rows": join.rows,
            "rows_without_key": join.rows_without_key,
            "rows_with_unknown_key": join.rows_with_unknown_key,
            "match_share": _share(join.rows - join.rows_without_key - join.rows_with_unknown_key, join.rows),
            "orphan_share": _share(join.rows_with_unknown_key, join.rows - join.rows_without_key),
        }
        for join in run.model.relationships
    ]


def _share(part: int, whole: int) -> float | None:
    """A fraction, to six places; of nothing there is none."""
    return round(part / whole, 6) if whole else None


def _empty(facts: Iterable[Fact]) -> list[str]:
    """Which facts have no rows, but for those that the tenant says it has no source for."""
    names = [fact.name for fact in facts if not fact.rows and not fact.is_left_out]
    return [f"There are no rows in {', '.join(names)}."] if names else []
