"""The questions block: a tenant's own questions with known answers, which a run is judged by before it is published.

    - question: What did ads cost in January?
      query: {metrics: [spend], time_range: {start: 2026-01-01, end: 2026-01-31}}
      sql: select sum(spend) from fct_acme__ad_performance where report_date between '2026-01-01' and '2026-01-31'
    - question: How many orders were there on the first day?
      query: {metrics: [valid_orders], time_range: {start: 2026-01-01, end: 2026-01-01}}
      value: 12

Whether a query names what the tenant has is seen when it is asked.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipeline.config.blocks.single_select import LONGEST, select_problem
from pipeline.config.entry import Entry
from pipeline.config.naming import free_text
from pipeline.config.slug import Slug

MOST = 200
"""Questions of a tenant: each is asked at every publish."""

Scalar = bool | int | float | str | None


class KnownAnswer(BaseModel):
    """A question in words, the query that asks it, and its answer: by SQL over the star, or by value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    """The question in words."""
    query: dict[str, Any]  # Any: a plain tree, as callers send it in JSON
    """The query, with the keys that REST and MCP take."""
    sql: str | None = None
    """One SELECT over the tenant's facts and dimensions that gives the rows of the answer: dimensions, then metrics."""
    value: tuple[tuple[Scalar, ...], ...] | None = None
    """The answer: one value, or a list of rows. Numbers are compared at the decimals that they are written with."""
    location: str = Field(default="", exclude=True, repr=False)
    """File and line, for errors; not part of the fingerprint."""


def read_questions(entry: Entry, slug: Slug) -> tuple[KnownAnswer, ...]:
    """The questions of a tenant, in their order."""
    if len(entry.items()) > MOST:
        raise entry.wrong(f"There are {len(entry.items())} questions.", f"Keep at most {MOST}.")
    found: dict[str, KnownAnswer] = {}
    for item in entry.items():
        each = _question(item, slug)
        if each.question in found:
            raise item.wrong(f"The question {each.question!r} is there twice.", "Keep one of the two.")
        found[each.question] = each
    return tuple(found.values())


def _question(item: Entry, slug: Slug) -> KnownAnswer:
    fields = item.fields(("question", "query", "sql", "value"))
    question = " ".join(item.required("question").text(300).split())
    query = item.required("query")
    if not isinstance(query.value, dict):
        raise query.unlike("a query", "Write one such as {metrics: [spend], dimensions: [date]}.")
    if ("sql" in fields) == ("value" in fields):
        both = "sql and value" if "sql" in fields else "neither sql nor value"
        raise item.wrong(f"The question {question!r} has {both}.", "Give it its answer in one way.")
    return KnownAnswer(
        question=question,
        query=query.plain(lambda entry: entry.text(2000) if entry.value else entry.value),
        sql=_select(fields["sql"], slug) if "sql" in fields else None,
        value=_rows(fields["value"]) if "value" in fields else None,
        location=item.location,
    )


def _select(entry: Entry, slug: Slug) -> str:
    """One SELECT, which may go over several lines."""
    if not isinstance(entry.value, str) or not entry.value.strip():
        raise entry.unlike("one SELECT")
    sql: str = entry.value.strip()
    problem = next((each for line in sql.split("\n") if line.strip() and (each := free_text(line, LONGEST))), None)
    if problem is None and len(sql) > LONGEST:
        problem = f"it is longer than {LONGEST} characters"
    if problem is not None:
        raise entry.wrong(f"sql is no text that can be run: {problem}.", "Write one SELECT.")
    if wrong := select_problem(sql, slug):
        fix = f"Write one SELECT over tables such as fct_{slug}__orders; $today is the day of the build."
        raise entry.wrong(f"sql {wrong}.", fix)
    return sql


def _rows(entry: Entry) -> tuple[tuple[Scalar, ...], ...]:
    """One value as one row of it; else the rows, each a list of values."""
    if not isinstance(entry.value, list):
        return ((_scalar(entry),),)
    rows = tuple(tuple(_scalar(value) for value in row.items()) for row in entry.value)
    if len({len(row) for row in rows}) > 1:
        raise entry.wrong("The rows of value differ in length.", "Give each row the dimensions, then the metrics.")
    return rows


def _scalar(entry: Entry) -> Scalar:
    if entry.value is None or isinstance(entry.value, bool | int | float):
        return entry.value
    return entry.text(1000)
