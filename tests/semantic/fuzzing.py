"""Asks whatever it is given and says what came of it; the reference checks the answers that it can."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.errors import QueryError, UnknownName
from semantic.answering.exact_json import to_json
from semantic.planning.query import Answer, Query, TimeRange, read_query
from tests.semantic import reference
from tests.semantic.hand_star import HandStar
from tests.semantic.random_star import same, truth
from tests.semantic.reference import GroundTruth

LONGEST = 3000
"""Letters that an error may have: long input is never repeated whole."""


@dataclass(frozen=True)
class Outcome:
    """What came of a question."""

    kind: str  # answered, refused
    seconds: float  # on the clock
    cpu_seconds: float
    compared: bool = False
    """Whether the reference gave the same rows."""
    wrong: str = ""
    """What should not have come of it."""


def ask(shop: HandStar, question: dict[str, Any], meant: GroundTruth) -> Outcome:
    """Ask the hand-written shop; `meant` is what its rows mean. Whatever is neither answer nor refusal is raised."""
    began = (time.monotonic(), time.process_time())
    try:
        query = read_query(question)
        answer = shop.ask(**question)
    except QueryError as refused:
        return Outcome("refused", *_since(began), wrong=_of_refusal(refused))
    spent = _since(began)
    try:
        rows = None if query.compile_only else _reference(query, answer, meant)
    except (KeyError, ValueError, TypeError, AttributeError):  # it names what the reference does not know
        rows = None
    wrong = _of_answer(query, answer) or ("" if rows is None else _of_rows(answer, rows))
    return Outcome("answered", *spent, compared=rows is not None, wrong=wrong)


def _since(began: tuple[float, float]) -> tuple[float, float]:
    return time.monotonic() - began[0], time.process_time() - began[1]


def _of_refusal(refused: QueryError) -> str:
    if not refused.what or not refused.fix or len(str(refused)) > LONGEST:
        return f"an error without a repair, or too long: {refused}"
    if isinstance(refused, UnknownName) and not refused.fix.startswith(("Did you mean", "Choose one of", "There are")):
        return f"an unknown name without real ones: {refused}"
    return ""


def _of_answer(query: Query, answer: Answer) -> str:
    if [(said["name"], said["op"]) for said in answer.filters] != [(f.name, f.op) for f in query.filters]:
        return "filters that were not applied"
    if answer.row_count != len(answer.rows) or any(len(row) != len(answer.columns) for row in answer.rows):
        return "rows that do not fit their columns"
    if answer.row_count > query.limit + query.totals:
        return "more rows than asked for"
    return "" if to_json(answer.to_dict()) else "nothing to read"


def _reference(query: Query, answer: Answer, meant: GroundTruth) -> list[dict[str, Any]] | None:
    """The rows that there should be; None where the question names what the reference does not know."""
    named = [*query.dimensions, *(f.name for f in query.filters)]
    known = {*meant.measures, *meant.formulas}
    if not known.issuperset(query.metrics) or not (known | meant.dimensions.keys()).issuperset(named) or query.cursor:
        return None
    days = answer.time_range or {"start": None, "end": None}
    span = TimeRange(start=days["start"], end=days["end"]) if answer.time_range else None
    rows, total = reference.answer(query.model_copy(update={"time_range": span}), meant)
    return [*rows[: query.limit], *([total] if total is not None else [])]


def _of_rows(answer: Answer, expected: list[dict[str, Any]]) -> str:
    names = [str(column["name"]) for column in answer.columns]
    if len(answer.rows) != len(expected):
        return f"{len(answer.rows)} rows instead of {len(expected)}"
    for row, other in zip(answer.rows, expected, strict=True):
        for name, ours in zip(names, row, strict=True):
            theirs = str(other[name]) if isinstance(other[name], date) else other[name]
            if not (ours == theirs if isinstance(theirs, str) or theirs is None else same(ours, theirs)):
                return f"{name} is {ours} instead of {theirs} in {row}"
    return ""


def shop_truth(shop: HandStar) -> GroundTruth:
    return truth(shop.rows)
