"""Answers of several tenants as one: their rows meet here, under a column `tenant`, and nowhere before.

Each tenant's answer comes from its own plan, connection, cache and cursor. Rows stand in the order of the question
over all tenants, those that tie in the order in which tenants were named; the limit is that of all rows. The cursor
holds a cursor of each tenant. What an answer computes over its rows (totals, shares, top groups) stays that of each
tenant.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from heapq import merge
from typing import TYPE_CHECKING, Any

from pipeline.errors import QueryError
from semantic.catalog.sent_values import absent

if TYPE_CHECKING:
    from pipeline.config.slug import Slug
    from semantic.planning.query import Answer, Query
    from server.serving.call_context import CallContext
    from server.serving.tools import Payload

TENANT_COLUMN = {"name": "tenant", "role": "dimension", "type": "text", "unit": None}
LONGEST_CURSOR = 10_000
_AGAIN = "Ask again without a cursor, and send the cursor of that answer."
_SHARED = ("time_range", "time_grain", "time_zone", "filters")
"""Parts of an answer that are said once where they are the same for all."""
_PLACED = ("columns", "rows", "row_count", "truncated", "limit", "cursor", "notes", "sql")
"""Parts that hold something of all tenants; every other part is given by tenant."""
Row = list[Any]  # Any: as in an answer


@dataclass(frozen=True, kw_only=True)
class TenantAnswer:
    """The answer of one tenant, and what is needed to place its rows beside those of others."""

    slug: Slug
    answer: Answer
    order: tuple[tuple[str, bool], ...]
    """Columns, and whether the highest comes first."""
    money: frozenset[str]
    """The columns of money."""
    is_converted: bool
    """Its money is in its reporting currency, whatever the column currency says."""
    meanings: Mapping[str, str]
    """The description of each metric."""
    cursor: str | None
    """That of the question."""
    cursor_after: Callable[[int], str]

    @property
    def totals(self) -> list[Row]:
        return [row for row in self.answer.rows if self._has_totals and row[-1]]

    @property
    def page(self) -> list[Row]:
        return [row for row in self.answer.rows if not (self._has_totals and row[-1])]

    @property
    def _has_totals(self) -> bool:
        return self.answer.columns[-1]["name"] == "is_total"


def answer_of_tenant(call: CallContext, query: Query) -> TenantAnswer:
    """Answer a question for the tenant of a call.

    Raises:
        QueryError: As for `server.serving.tools.query`.
    """
    from semantic.answering.run_query import cursor_after, prepare_query
    from semantic.catalog.catalog import CURRENCY
    from server.serving import tools

    answer = tools.query(call.run, query, call.cursor, call.settings)
    today, model = call.settings.today or call.settings.now(), call.run.model
    prepared = prepare_query(query, model, today=today)
    units = {prepared.planned.money, CURRENCY} - {None}
    return TenantAnswer(
        slug=call.run.slug,
        answer=answer,
        order=prepared.planned.shape.order,
        money=frozenset(str(column["name"]) for column in answer.columns if column["unit"] in units),
        is_converted=model.catalog.rates is not None,
        meanings={name: model.catalog.metrics[name].description for name in query.metrics},
        cursor=query.cursor,
        cursor_after=lambda rows: cursor_after(rows, query, model, today=today),
    )


def merged_answer(answers: Sequence[TenantAnswer], query: Query, *, most: int) -> Payload:
    """One answer of several tenants' answers to one question, with at most `most` of their rows.

    Raises:
        QueryError: Their columns differ, or their money would meet in one column or one ranking.
    """
    columns, is_mixed = _columns(answers, query)
    rows = _ordered(answers, columns, is_mixed=is_mixed, query=query)
    given = rows[:most]
    counts = {each.slug: sum(slug == each.slug for slug, _ in given) for each in answers}
    truncated = len(rows) > len(given) or any(each.answer.truncated for each in answers)
    totals = [(each.slug, row) for each in answers for row in each.totals]
    parts = {each.slug: each.answer.to_dict() for each in answers}
    first = parts[answers[0].slug]
    shared = {name: first[name] for name in _SHARED if all(part[name] == first[name] for part in parts.values())}
    days = [each.answer.as_of for each in answers]
    return {
        "columns": [TENANT_COLUMN, *columns],
        "rows": [[slug, *row] for slug, row in (*given, *totals)],
        "row_count": len(given) + len(totals),
        "truncated": truncated,
        "limit": query.limit,
        "cursor": _write_cursor(answers, counts) if truncated else None,
        **dict.fromkeys(_SHARED),
        **shared,
        "as_of": None if None in days else min(day for day in days if day is not None),
        "run_id": ", ".join(each.answer.run_id for each in answers),
        "notes": _notes(answers, query, is_mixed=is_mixed, truncated=truncated),
        "sql": [statement for each in answers for statement in each.answer.sql],
        "by_tenant": {slug: _rest(part, (*_PLACED, *shared)) for slug, part in parts.items()},
    }


def _rest(part: Payload, placed: Collection[str]) -> Payload:
    """What an answer says beside the parts that have their place."""
    return {name: value for name, value in part.items() if name not in placed and value not in (None, [], {})}


def _columns(answers: Sequence[TenantAnswer], query: Query) -> tuple[list[dict[str, Any]], bool]:  # Any: as Row
    """The columns of all answers, and whether money of several currencies stands in one of them, by row."""
    first = answers[0]
    columns, is_mixed = [], False
    for place, column in enumerate(first.answer.columns):
        name = str(column["name"])
        kinds = {each.answer.columns[place]["type"] for each in answers}
        units = {each.slug: each.answer.columns[place]["unit"] for each in answers}
        unit = column["unit"]
        if name in first.money and all(name in each.money for each in answers):
            is_mixed = is_mixed or len(set(units.values())) > 1 or unit == "currency"
            unit = _money_unit(name, units, answers, query)
        elif len(set(units.values())) > 1:
            raise QueryError(f"{name} is in {_by_tenant(units)}.", "Ask for each tenant by itself.")
        columns.append({**column, "unit": unit, "type": column["type"] if len(kinds) == 1 else "number"})
    return columns, is_mixed


def _money_unit(
    name: str, units: Mapping[Slug, str | None], answers: Sequence[TenantAnswer], query: Query
) -> str | None:
    if len(set(units.values())) == 1:
        return next(iter(units.values()))
    if any(each.is_converted for each in answers):
        fix = "Ask for each tenant by itself: its money is converted to the currency that it reports in."
    elif "currency" in query.dimensions:
        return "currency"
    else:
        fix = 'Add "currency" to dimensions, filter on one currency, or ask for each tenant by itself.'
    raise QueryError(f"{name} is in {_by_tenant(units)}, and currencies never meet in one column.", fix)


def _by_tenant(units: Mapping[Slug, str | None]) -> str:
    return " and ".join(f"{unit or 'no unit'} for {slug}" for slug, unit in units.items())


def _ordered(
    answers: Sequence[TenantAnswer], columns: Sequence[Mapping[str, Any]], *, is_mixed: bool, query: Query
) -> list[tuple[Slug, Row]]:
    """The rows of all answers, each with its tenant: in the question's order, or by tenant where that ranks money.

    Raises:
        QueryError: The caller orders by money of several currencies.
    """
    pages = [[(each.slug, row) for row in each.page] for each in answers]
    places = {column["name"]: place for place, column in enumerate(columns)}
    order = [(places[name], is_highest) for name, is_highest in answers[0].order if name in places]
    ranked = [name for name, _ in answers[0].order if name in answers[0].money]
    if is_mixed and ranked:
        if any(name.removeprefix("-") in ranked for name in query.order_by):
            raise QueryError(
                f"{ranked[0]} is in several currencies, and tenants are not ranked by it.",
                "Leave it out of order_by, or filter on one currency.",
            )
        return [row for page in pages for row in page]

    def compare(one: tuple[Slug, Row], other: tuple[Slug, Row]) -> int:
        for place, is_highest in order:
            if sign := _compared(one[1][place], other[1][place], is_highest=is_highest):
                return sign
        return 0

    return list(merge(*pages, key=cmp_to_key(compare)))


def _compared(one: Any, other: Any, *, is_highest: bool) -> int:  # Any: as Row
    """-1, 0 or 1 as `one` stands before, with or behind `other`; what is NULL stands last in either direction."""
    if one is None or other is None:
        return (one is None) - (other is None)
    sign = int(one > other) - int(one < other)
    return -sign if is_highest else sign


def _notes(answers: Sequence[TenantAnswer], query: Query, *, is_mixed: bool, truncated: bool) -> list[str]:
    """The notes of each tenant under its name, those of all of them once, and what is to know of the whole."""
    from semantic.answering.run_query import more_rows_note

    more = more_rows_note(query)
    said = {each.slug: [note for note in each.answer.notes if note != more] for each in answers}
    notes = [note for note in said[answers[0].slug] if all(note in others for others in said.values())]
    notes += [f"{slug}: {note}" for slug, own in said.items() for note in own if note not in notes]
    notes += [
        f"{name} is not described alike for these tenants: compare it with care."
        for name in query.metrics
        if len({each.meanings[name] for each in answers}) > 1
    ]
    if is_mixed:
        notes.append("Money is in the currency of each row, and tenants are not ranked by it.")
    if query.top or query.share_of_total or query.totals:
        notes.append("Totals, shares and top groups are those of each tenant.")
    return [*notes, more] if truncated else notes


def _write_cursor(answers: Sequence[TenantAnswer], counts: Mapping[Slug, int]) -> str:
    after = [[each.slug, each.cursor_after(n) if (n := counts[each.slug]) else each.cursor] for each in answers]
    return base64.urlsafe_b64encode(json.dumps(after, separators=(",", ":")).encode()).decode()


def read_tenant_cursors(text: object, slugs: Sequence[Slug]) -> dict[Slug, str | None]:
    """The cursor of each tenant in that of an answer of several; None for each without one.

    Raises:
        QueryError: It is no such cursor, or that of other tenants.
    """
    if absent(text):
        return dict.fromkeys(slugs)
    unreadable = QueryError("This cursor was not given by an answer of several tenants.", _AGAIN)
    if not isinstance(text, str) or len(text) > LONGEST_CURSOR:
        raise unreadable
    try:
        held = dict(json.loads(base64.urlsafe_b64decode(text.encode())))
    except (ValueError, TypeError, RecursionError) as error:
        raise unreadable from error
    if list(held) != list(slugs):
        raise QueryError("This cursor belongs to other tenants.", _AGAIN)
    if not all(cursor is None or isinstance(cursor, str) for cursor in held.values()):
        raise unreadable
    return {slug: held[slug] for slug in slugs}
