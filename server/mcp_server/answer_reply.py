"""What the tools `query`, `get_dimension_values` and `show_chart` give: an answer within the budget, and its chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semantic.answering.run_query import cursor_after
from server.mcp_server.token_budget import CHARACTERS, ROWS, TOKENS, Picture, Reply, plain_payload, reply, rows_within
from server.serving import tools
from server.serving.plain_text import changed_note, plain_rows

if TYPE_CHECKING:
    from semantic.planning.query import Answer, Query
    from server.charts.vega import Chart
    from server.mcp_server.chart_arguments import ChartedQuery
    from server.serving.call_context import CallContext
    from server.serving.tools import Payload

SVG_OF_PAGE = "gata/svg"
"""Where the page of a client finds its picture: in `_meta`, which no model reads and nobody pays for."""


def query_reply(desk: CallContext, asked: ChartedQuery) -> Reply:
    """The answer, within the budget where it is of at most a hundred rows; a chart where one is asked for."""
    answer = tools.query(desk.run, asked.query, desk.cursor, desk.settings)
    payload = plain_payload(answer.to_dict())
    if asked.chart is None:
        return _within_budget(payload, desk, asked.query)
    chart = chart_of_answer(desk, asked.query, answer)
    payload["notes"] = [*payload["notes"], *chart.notes]
    if asked.chart == "vega":
        return _within_budget(payload, desk, asked.query, chart=chart.spec)
    from server.charts.pictures import MIME, picture

    pictures = (Picture(MIME[asked.chart], picture(chart.spec, asked.chart)),)
    said = {"format": asked.chart, "title": chart.title, "place": "beside this text"}
    return _within_budget(payload, desk, asked.query, chart=said, pictures=pictures)


def page_reply(desk: CallContext, asked: ChartedQuery) -> Reply:
    """The answer, and its chart where only the page that shows it finds it."""
    from server.charts.pictures import picture

    answer = tools.query(desk.run, asked.query, desk.cursor, desk.settings)
    payload = plain_payload(answer.to_dict())
    chart = chart_of_answer(desk, asked.query, answer)
    payload["notes"] = [*payload["notes"], *chart.notes]
    said = {"format": "svg", "title": chart.title, "place": "shown to the person by the page of this tool"}
    meta = {SVG_OF_PAGE: picture(chart.spec, "svg").decode()}
    return _within_budget(payload, desk, asked.query, chart=said, meta=meta)


def values_reply(payload: Payload) -> Reply:
    """The values of a dimension, within the budget; what is left out is said."""
    rows = [[value["value"], value["count"]] for value in payload["values"]]
    found, changed = plain_rows([{"type": "text"}, {"type": "integer"}], rows)
    notes = [changed_note(changed)] if changed else []
    values = [{"value": value, "count": count} for value, count in found]
    payload = {**payload, "values": values, "notes": notes}
    kept = rows_within(payload, "values")
    if kept < len(values):
        payload = {**payload, "values": values[:kept], "truncated": True}
    if payload["truncated"]:
        notes.append(f"Only the {kept} most frequent are shown: send search, or a higher limit (up to 1000).")
    return reply(payload)


def chart_of_answer(desk: CallContext, query: Query, answer: Answer) -> Chart:
    """The chart of an answer: of all its rows, where the caller has not said how many.

    Raises:
        QueryError: There is nothing to draw.
    """
    from server.charts.vega import MOST_ROWS, chart_of

    if answer.truncated and "limit" not in query.model_fields_set and query.cursor is None:
        most = min(MOST_ROWS, desk.settings.query_rows)
        answer = tools.query(desk.run, query.model_copy(update={"limit": most}), desk.cursor, desk.settings)
    return chart_of(answer, desk.run.model.catalog)


def _within_budget(
    payload: Payload,
    desk: CallContext,
    query: Query,
    *,
    chart: Payload | None = None,
    pictures: tuple[Picture, ...] = (),
    meta: Payload | None = None,
) -> Reply:
    extras: Payload = {"chart": chart} if chart else {}
    if payload["truncated"]:
        extras["full_result"] = desk.whole(desk.run, query)
    given = reply({**payload, **extras})
    if query.limit <= ROWS and len(given.text) > CHARACTERS:
        cut = _cut(payload, desk, query)
        if cut["truncated"] and "full_result" not in extras:
            extras["full_result"] = desk.whole(desk.run, query)
        given = reply({**cut, **extras})
    return Reply(given.text, given.structured, pictures, meta)


def _cut(payload: Payload, desk: CallContext, query: Query) -> Payload:
    """The first rows, as many as the budget has room for, and the row of totals; the cursor goes on behind them."""
    totals = [row for row in payload["rows"] if query.totals and row[-1]]
    page = payload["rows"][: len(payload["rows"]) - len(totals)]
    kept = rows_within({**payload, "rows": [*totals, *page]}) - len(totals)
    if kept >= len(page):
        return payload
    kept = max(kept, 1)
    today = desk.settings.today or desk.settings.now()
    note = (
        f"Only the first {kept} of these {len(page)} rows are shown, to keep within {TOKENS:,} tokens: ask for fewer"
        f" columns, send the same query with this cursor, or ask for more than {ROWS} rows to get them in one piece."
    )
    notes = [said for said in payload["notes"] if not said.startswith("There are more rows")]
    return {
        **payload,
        "rows": [*page[:kept], *totals],
        "row_count": kept + len(totals),
        "truncated": True,
        "cursor": cursor_after(kept, query, desk.run.model, today=today),
        "notes": [*notes, note],
    }
