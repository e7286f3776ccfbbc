"""Asks the questions of a tenant whose answers are known, and compares: each is right, wrong or refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import duckdb

from pipeline.config.blocks.questions_block import KnownAnswer
from pipeline.config.blocks.single_select import TODAY
from pipeline.errors import ConfigError, GataError, QueryError
from pipeline.gates.run_measures import AnsweredQuestion
from pipeline.settings import Settings
from semantic.answering.known_answers.compared_rows import first_difference
from semantic.answering.run_query import local_day, run_query
from semantic.answering.semantic_model import SemanticModel
from semantic.planning.query import MAX_LIMIT, Query, read_query
from warehouse.confined.cells import cell_json
from warehouse.confined.run_confined import NoRows, Rows, rows_of
from warehouse.confined.star_process import ConfinedSelect


class Verdict(StrEnum):
    """How a question was answered."""

    RIGHT = "right"
    WRONG = "wrong"
    """The answer is another than the known one."""
    REFUSED = "refused"
    """There is no answer, or no SQL to compare it with."""


@dataclass(frozen=True, kw_only=True)
class AskedQuestion:
    """One question, how it was answered, and why not right."""

    known: KnownAnswer
    verdict: Verdict
    metrics: tuple[str, ...] = ()
    """Of its query; none where that cannot be read."""
    why: str | None = None

    def to_dict(self) -> dict[str, Any]:  # Any: JSON values
        return {
            "question": self.known.question,
            "verdict": self.verdict.value,
            "why": self.why,
            "query": self.known.query,
        }


def answered_right(asked: Iterable[AskedQuestion]) -> tuple[AnsweredQuestion, ...]:
    """The questions that were answered right."""
    right = (each.known for each in asked if each.verdict is Verdict.RIGHT)
    return tuple(AnsweredQuestion(question=known.question, query=known.query) for known in right)


def check_queries(questions: Iterable[KnownAnswer]) -> None:
    """Check that each query can be read; whether its names are the tenant's is seen when it is asked.

    Raises:
        ConfigError: One cannot; names file and line.
    """
    for each in questions:
        try:
            read_query(each.query)
        except QueryError as error:
            raise ConfigError(f"{each.location}: The query of {each.question!r}: {error.what}", error.fix) from error


def ask_known(
    questions: Sequence[KnownAnswer],
    model: SemanticModel,
    cursor: duckdb.DuckDBPyConnection,
    *,
    star: Path,
    today: date,
    settings: Settings,
) -> Iterator[AskedQuestion]:
    """Ask each question, and compare its answer with the known one.

    Args:
        questions: Their SQL was checked to be one SELECT over the tenant's tables.
        model: The run's definitions.
        cursor: On the run's star.
        star: The file of that star: what a tenant wrote runs on it, in a process of its own.
        today: The day that named ranges count from.
        settings: What a query may use; its time is that of each query, and of each SQL.
    """
    day = local_day(today, model.catalog)
    rows = _rows(questions, star, day, settings)
    for known in questions:
        metrics: tuple[str, ...] = ()
        try:
            query = _whole(read_query(known.query))
            metrics = query.metrics
            answer = run_query(query, model, cursor, today=day, timeout_seconds=settings.query_timeout)
            shown = [place for place, column in enumerate(answer.columns) if column["role"] != "flag"]
            given = [[row[place] for place in shown] for row in answer.rows]
            expected = known.value or () if known.sql is None else _expected(rows[known.sql], settings)
        except GataError as error:
            yield AskedQuestion(known=known, verdict=Verdict.REFUSED, metrics=metrics, why=str(error))
            continue
        why = first_difference(given, expected, is_written=known.sql is None)
        yield AskedQuestion(known=known, verdict=Verdict.WRONG if why else Verdict.RIGHT, metrics=metrics, why=why)


def _whole(query: Query) -> Query:
    """The query with all rows of its answer, unless it says how many."""
    return query if "limit" in query.model_fields_set else query.model_copy(update={"limit": MAX_LIMIT})


def _rows(questions: Iterable[KnownAnswer], star: Path, day: date, settings: Settings) -> Mapping[str, Rows | NoRows]:
    """What each SQL gives, or why it gives nothing."""
    texts = list(dict.fromkeys(known.sql for known in questions if known.sql is not None))
    selects = [
        ConfinedSelect(
            f"SELECT * FROM (\n{sql.rstrip(';')}\n) LIMIT {MAX_LIMIT + 1}",
            {TODAY: cell_json(day)} if f"${TODAY}" in sql else {},
        )
        for sql in texts
    ]
    return dict(zip(texts, rows_of(star, selects, settings, seconds=settings.query_timeout), strict=True))


def _expected(rows: Rows | NoRows, settings: Settings) -> Rows:
    """The rows that are expected.

    Raises:
        QueryError: The SQL does not run, or has more rows than any answer.
    """
    fix = "Correct the sql of the question in tenants.yaml."
    if isinstance(rows, NoRows):
        raise QueryError(_why_none(rows, settings), fix)
    if len(rows) > MAX_LIMIT:
        raise QueryError(f"Its SQL gives more than {MAX_LIMIT} rows.", fix)
    return rows


def _why_none(none: NoRows, settings: Settings) -> str:
    if none.kind == "time":
        return f"Its SQL took too much: there was no answer within {settings.query_timeout:g} seconds."
    if none.kind == "memory":
        return f"Its SQL took too much: it needs more memory than {settings.query_memory}."
    if none.kind == "disk":
        return f"Its SQL took too much: it writes more to disk than {settings.query_spill}, or the disk is full."
    return f"Its SQL does not run: {(none.message or f'its process ended with {none.kind}').rstrip('.')}."
