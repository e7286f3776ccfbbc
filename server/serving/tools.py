"""The tools on a published run: five functions, shared by MCP, REST and the command line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from pipeline.errors import TooMuch
from pipeline.gates.finding import finding_texts
from pipeline.settings import Settings
from server.serving.runs.answer_cache import AnswerKey
from server.serving.runs.open_run import OpenRun

if TYPE_CHECKING:  # imported with the first run: a stdio server answers `initialize` before that
    import duckdb

    from semantic.answering.explain.change_request import ChangeRequest
    from semantic.catalog.catalog import Catalog
    from semantic.planning.query import Answer, Query

Payload = dict[str, Any]  # Any: what JSON can carry, and Decimal

MOST_FINDINGS = 20
"""Findings that a status lists."""

SEARCH = Field(default=None, max_length=200, description="Words to look for.", examples=["revenue"])


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MetricsAsked(_Request):
    """The arguments of `list_metrics`."""

    search: str | None = SEARCH
    limit: int | None = Field(default=None, ge=1, le=1000, description="At most so many metrics.", examples=[50])
    cursor: str | None = Field(
        default=None, max_length=1000, description="The cursor of the list before, for the next ones.", examples=["50"]
    )


class ValuesAsked(_Request):
    """The arguments of `get_dimension_values`."""

    dimension_name: str = Field(
        validation_alias=AliasChoices("dimension_name", "dimension"),
        max_length=200,
        description="A dimension of list_metrics.",
        examples=["campaign_name"],
    )
    search: str | None = SEARCH
    limit: int = Field(default=100, ge=1, le=1000, description="At most so many values.", examples=[100])


class StatusAsked(_Request):
    """The arguments of `get_status`: none."""


def list_metrics(run: OpenRun, request: MetricsAsked) -> Payload:
    """Every metric with its unit and its dimensions, and every dimension."""
    from semantic.answering.listing import list_metrics as listing

    return listing(run.model, search=request.search, limit=request.limit, cursor=request.cursor)


def list_briefly(run: OpenRun, request: MetricsAsked) -> Payload:
    """One page of metrics for an agent: names under their facts, and a note about the rest."""
    from semantic.answering.listing import PAGE
    from semantic.answering.listing import list_briefly as listing

    return _with_note(
        run, listing(run.model, search=request.search, limit=request.limit or PAGE, cursor=request.cursor)
    )


def get_dimension_values(run: OpenRun, request: ValuesAsked, cursor: duckdb.DuckDBPyConnection) -> Payload:
    """The values of a dimension, the most frequent first."""
    from semantic.answering.dimension_values import dimension_values

    return _with_note(
        run, dimension_values(request.dimension_name, run.model, cursor, search=request.search, limit=request.limit)
    )


def query(
    run: OpenRun, request: Query, cursor: duckdb.DuckDBPyConnection, settings: Settings, *, use_rollups: bool = True
) -> Answer:
    """Answer a query, from the cache while everything that the answer depends on is unchanged.

    Without `use_rollups` it is computed from the facts themselves, with the same rows.

    Raises:
        TooMuch: The limit exceeds the most rows of an answer, or the query takes too long.
        QueryError: As for `semantic.answering.run_query.run_query`.
    """
    from semantic.answering.run_query import local_day
    from semantic.answering.run_query import run_query as answer

    if request.limit > settings.query_rows:
        raise TooMuch(
            f"limit is {request.limit}, and an answer has at most {settings.query_rows} rows here.",
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
        query=request.model_dump_json(),
    )
    result = run.answers.get(key)
    if result is None:
        model = run.rolled if use_rollups else run.model
        result = answer(request, model, cursor, today=day, timeout_seconds=settings.query_timeout)
        run.answers.put(key, result)
    return replace(result, notes=(run.note, *result.notes)) if run.note else result


def explain_change(
    run: OpenRun, request: ChangeRequest, cursor: duckdb.DuckDBPyConnection, settings: Settings
) -> Payload:
    """Explain the change of a metric between two windows, in at most 1,500 tokens.

    Raises:
        QueryError: As for `semantic.answering.explain.explain_change.explain_change`.
    """
    from semantic.answering.explain.explain_change import explain_change as explain
    from server.serving.explanation_budget import explanation_within

    day = settings.today or settings.now()
    explained = explain(request, run.rolled, cursor, today=day, timeout_seconds=settings.query_timeout)
    return explanation_within(explained, note=run.note)


def _with_note(run: OpenRun, payload: Payload) -> Payload:
    """Add the note of a run that is not the newest or lacks a file."""
    return {**payload, "notes": [run.note, *payload.get("notes", ())]} if run.note else payload


def get_status(run: OpenRun) -> Payload:
    """The status of the run that answers: its id, the days of its data, and notes."""
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
        "notes": [
            *([run.note] if run.note else []),
            *catalog.notes,
            *_finding_notes(catalog),
            *_empty_facts_note(catalog),
        ],
    }


def sources(run: OpenRun, cursor: duckdb.DuckDBPyConnection) -> list[Payload]:
    """Data coverage per source, account and fact: the days of its first and last row."""
    from pipeline.contracts.sql import quote
    from semantic.answering.execute import execute
    from server.serving.plain_text import plain_text

    built = {table.name: {column.name for column in table.columns} for table in run.manifest.tables}
    rows = []
    for fact in run.model.catalog.facts.values():
        table = f"fct_{run.slug}__{fact.name}"
        if {"source_platform", "source_account", fact.day_column} <= built.get(table, set()):
            day = quote(fact.day_column)
            sql = (
                f"SELECT source_platform, source_account, COUNT(*), MIN({day}), MAX({day}) FROM {quote(table)}"
                " GROUP BY ALL ORDER BY ALL"
            )
            rows += [(fact.name, *row) for row in execute(cursor, sql, {})]
    return [
        {
            "source": source,
            "account": account and plain_text(account),
            "fact": fact,
            "rows": rows,
            "first_date": first and first.isoformat(),
            "as_of": last and last.isoformat(),
        }
        for fact, source, account, rows, first, last in rows
    ]


def describe_run(run: OpenRun) -> Payload:
    """All metrics and dimensions of a tenant, the joins of its tables, and what gates found in its data."""
    return {
        "tenant": run.slug,
        "run_id": run.run_id,
        "published_at": run.manifest.published_at.isoformat(),
        "time_zone": run.model.catalog.time_zone,
        **list_metrics(run, MetricsAsked()),
        "relationships": relationships(run),
        "findings": finding_texts(run.model.catalog.findings),
    }


def relationships(run: OpenRun) -> list[Payload]:
    """The joins from each table to its dimension tables, with the match rates measured at publish."""
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
    """A fraction, to six places; None of nothing."""
    return round(part / whole, 6) if whole else None


def _finding_notes(catalog: Catalog) -> list[str]:
    """What gates found in the run's data, the heaviest first."""
    said = finding_texts(catalog.findings)
    more = [f"And {len(said) - MOST_FINDINGS} more findings."] if len(said) > MOST_FINDINGS else []
    return [*said[:MOST_FINDINGS], *more]


def _empty_facts_note(catalog: Catalog) -> list[str]:
    """The note about facts without rows, except those without a source, and those of which a finding says it."""
    from pipeline.gates.finding import LEAVES_ROWS_OUT

    withheld = {fact for each in catalog.findings if each.kind in LEAVES_ROWS_OUT for fact in each.facts}
    empty = [fact for fact in catalog.facts.values() if not fact.rows and not fact.is_left_out]
    said = {each.table for each in catalog.findings if each.rule == "minimum_rows"}
    names = [fact.name for fact in empty if fact.name not in withheld | said]
    return [f"There are no rows in {', '.join(names)}."] if names else []
