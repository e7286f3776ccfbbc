"""Replies of `query`, `get_dimension_values` and `show_chart`: an answer within the token budget, and its chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semantic.answering.run_query import cursor_after, more_rows_note
from server.mcp_server.token_budget import (
    CHARACTERS,
    ROWS,
    TOKENS,
    Picture,
    Reply,
    length_of_sql,
    plain_payload,
    reply,
    rows_within,
)
from server.serving import tools
from server.serving.plain_text import changed_note, plain_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from semantic.planning.query import Answer, Query
    from server.charts.vega import Chart
    from server.mcp_server.chart_arguments import ChartedQuery
    from server.serving.agency_answers import TenantAnswer
    from server.serving.call_context import CallContext
    from server.serving.tools import Payload

SVG_OF_PAGE = "gata/svg"
"""Key of the picture for a client's page: in `_meta`, which no model reads and which costs no tokens."""


def query_reply(call: CallContext, request: ChartedQuery) -> Reply:
    """The answer, within the budget where it has at most a hundred rows; with a chart where one is requested."""
    answer = tools.query(call.run, request.query, call.cursor, call.settings)
    payload = plain_payload(answer.to_dict())
    if request.chart is None:
        return _within_budget(payload, call, request.query)
    chart = chart_of_answer(call, request.query, answer)
    payload["notes"] = [*payload["notes"], *chart.notes]
    if request.chart == "vega":
        return _within_budget(payload, call, request.query, chart=chart.spec)
    from server.charts.pictures import MIME, picture

    pictures = (Picture(MIME[request.chart], picture(chart.spec, request.chart)),)
    description = {"format": request.chart, "title": chart.title, "place": "beside this text"}
    return _within_budget(payload, call, request.query, chart=description, pictures=pictures)


def page_reply(call: CallContext, request: ChartedQuery) -> Reply:
    """The answer, with its chart in `_meta`, where only the page that shows it looks."""
    from server.charts.pictures import picture

    answer = tools.query(call.run, request.query, call.cursor, call.settings)
    payload = plain_payload(answer.to_dict())
    chart = chart_of_answer(call, request.query, answer)
    payload["notes"] = [*payload["notes"], *chart.notes]
    description = {"format": "svg", "title": chart.title, "place": "shown to the person by the page of this tool"}
    meta = {SVG_OF_PAGE: picture(chart.spec, "svg").decode()}
    return _within_budget(payload, call, request.query, chart=description, meta=meta)


def merged_reply(answers: Sequence[TenantAnswer], query: Query) -> Reply:
    """The answer of several tenants, within the budget where it has at most a hundred rows."""
    from server.serving.agency_answers import merged_answer

    def within(most: int) -> Payload:
        return plain_payload(merged_answer(answers, query, most=most))

    payload = within(query.limit)
    result = reply(payload)
    totals = sum(len(each.totals) for each in answers)
    given = payload["row_count"] - totals
    if query.limit > ROWS or len(result.text) - length_of_sql(payload) <= CHARACTERS:
        return result
    rows = payload["rows"]
    fitting = rows_within({**payload, "rows": [*rows[given:], *rows[:given]]}) - totals
    if fitting >= given:
        return result
    cut = within(max(fitting, 1))
    return reply({**cut, "notes": [*_without_more(cut["notes"], query), _budget_note(max(fitting, 1), given)]})


def values_reply(payload: Payload) -> Reply:
    """The values of a dimension, within the budget; a note says what is left out."""
    rows = [[value["value"], value["count"]] for value in payload["values"]]
    plain, changed = plain_rows([{"type": "text"}, {"type": "integer"}], rows)
    notes = [changed_note(changed)] if changed else []
    values = [{"value": value, "count": count} for value, count in plain]
    payload = {**payload, "values": values, "notes": notes}
    fitting = rows_within(payload, "values")
    if fitting < len(values):
        payload = {**payload, "values": values[:fitting], "truncated": True}
    if payload["truncated"]:
        notes.append(f"Only the {fitting} most frequent are shown: send search, or a higher limit (up to 1000).")
    return reply(payload)


def chart_of_answer(call: CallContext, query: Query, answer: Answer) -> Chart:
    """The chart of an answer: of all its rows, where the caller set no limit.

    Raises:
        QueryError: There is nothing to draw.
    """
    from server.charts.vega import MOST_ROWS, chart_of

    if answer.truncated and "limit" not in query.model_fields_set and query.cursor is None:
        most = min(MOST_ROWS, call.settings.query_rows)
        answer = tools.query(call.run, query.model_copy(update={"limit": most}), call.cursor, call.settings)
    return chart_of(answer, call.run.model.catalog)


def _within_budget(
    payload: Payload,
    call: CallContext,
    query: Query,
    *,
    chart: Payload | None = None,
    pictures: tuple[Picture, ...] = (),
    meta: Payload | None = None,
) -> Reply:
    extras: Payload = {"chart": chart} if chart else {}
    if payload["truncated"]:
        extras |= call.full_result(call.run, query)
    result = reply({**payload, **extras})
    if query.limit <= ROWS and len(result.text) - length_of_sql(payload) > CHARACTERS:
        cut = _cut(payload, call, query)
        if cut["truncated"] and not payload["truncated"]:
            extras |= call.full_result(call.run, query)
        result = reply({**cut, **extras})
    return Reply(result.text, result.structured, pictures, meta)


def _cut(payload: Payload, call: CallContext, query: Query) -> Payload:
    """The first rows that fit the budget, and the row of totals; the cursor continues after them."""
    totals = [row for row in payload["rows"] if query.totals and row[-1]]
    page = payload["rows"][: len(payload["rows"]) - len(totals)]
    fitting = rows_within({**payload, "rows": [*totals, *page]}) - len(totals)
    if fitting >= len(page):
        return payload
    fitting = max(fitting, 1)
    today = call.settings.today or call.settings.now()
    return {
        **payload,
        "rows": [*page[:fitting], *totals],
        "row_count": fitting + len(totals),
        "truncated": True,
        "cursor": cursor_after(fitting, query, call.run.model, today=today),
        "notes": [*_without_more(payload["notes"], query), _budget_note(fitting, len(page))],
    }


def _without_more(notes: Sequence[str], query: Query) -> list[str]:
    """The notes without the one that there are more rows."""
    return [note for note in notes if note != more_rows_note(query)]


def _budget_note(shown: int, rows: int) -> str:
    return (
        f"Only the first {shown} of these {rows} rows are shown, to keep within {TOKENS:,} tokens: ask for fewer"
        f" columns, send the same query with this cursor, or ask for more than {ROWS} rows to get them in one piece."
    )
