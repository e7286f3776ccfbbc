"""Verbs that ask: list metrics, list the values of a dimension, and run a query."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import GataError, QueryError
from server.cli.options import AsJson, AskedTenant, Search, chosen_tenant, read_command_settings

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from semantic.planning.query import Answer, Query
    from server.serving.call_context import CallContext
    from server.serving.runs.open_run import OpenRun

Several = list[str] | None


def metrics(tenant: AskedTenant = None, search: Search = None, as_json: AsJson = False) -> None:
    """List the metrics that can be asked for, each with the dimensions it goes with."""
    settings = read_command_settings()
    from server.cli.output.stdout import print_json, print_text
    from server.serving import tools
    from server.serving.arguments import read_arguments

    arguments = read_arguments(tools.MetricsAsked, {"search": search})
    with run_of(tenant, settings) as run:
        result = tools.list_metrics(run, arguments)
    if as_json:
        print_json(result)
    else:
        print_text(_metrics_text(result))


def values(
    dimension: Annotated[str, typer.Argument(metavar="DIMENSION", help="A name from `gata metrics`.")],
    tenant: AskedTenant = None,
    search: Search = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="At most so many values, 1 to 1000.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the values of a dimension, the most frequent first: what a filter may name."""
    settings = read_command_settings()
    from server.cli.output.stdout import print_json, print_text
    from server.serving import tools
    from server.serving.arguments import read_arguments

    arguments = read_arguments(tools.ValuesAsked, {"dimension_name": dimension, "search": search, "limit": limit})
    with run_of(tenant, settings) as run, run.cursor() as cursor:
        result = tools.get_dimension_values(run, arguments, cursor)
    if as_json:
        print_json(result)
    else:
        print_text(_values_text(result))


def ask(
    *,
    tenant: AskedTenant = None,
    metrics: Annotated[
        Several, typer.Option("--metrics", metavar="A,B", help="What to measure: names from `gata metrics`.")
    ] = None,
    dimensions: Annotated[Several, typer.Option("--dimensions", metavar="C,D", help="What to group by.")] = None,
    filter: Annotated[  # noqa: A002  # the option's name
        Several,
        typer.Option(
            "--filter",
            metavar="TEXT",
            help="A condition; may be repeated, and all hold. x=y, x!=y, x>1, x>=1, x<1, x<=1, x=a|b (one of several),"
            " 'x contains y', 'x starts with y', 'x between 1 and 2', 'x is null', 'x is not null'."
            ' Quotes keep a | in a value: x="a|b".',
        ),
    ] = None,
    grain: Annotated[
        str | None, typer.Option("--grain", metavar="PERIOD", help="Of the dimension date: day, week, month, ...")
    ] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day, such as 2026-01-01.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day, such as 2026-01-31.")] = None,
    named: Annotated[
        str | None, typer.Option("--range", metavar="NAME", help="Days by name: last_30_days, this_month, ...")
    ] = None,
    order: Annotated[
        Several, typer.Option("--order", metavar="[-]A", help="Columns to sort by; - puts the highest first.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", help="At most so many rows, 1 to 10000; 100 when left out.")
    ] = None,
    compare: Annotated[
        str | None, typer.Option("--compare", metavar="PERIOD", help="previous_period, previous_year or row_before.")
    ] = None,
    align: Annotated[
        str | None,
        typer.Option(
            "--align", metavar="HOW", help="to_date compares the days that both periods have; whole all of them."
        ),
    ] = None,
    totals: Annotated[bool, typer.Option("--totals", help="One more row, of everything.")] = False,
    cursor: Annotated[
        str | None, typer.Option("--cursor", metavar="TEXT", help="Of the answer before, for its next rows.")
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            "--query", metavar="JSON", help="The whole question instead, as REST and MCP take it; - is stdin."
        ),
    ] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Show the SQL that ran.")] = False,
    chart: Annotated[
        Path | None,
        typer.Option(
            "--chart", metavar="FILE", help="Draw the answer too: FILE.svg, FILE.png, or FILE.json (Vega-Lite)."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask a tenant's newest published run a question about governed metrics.

    Tables round for people and name every unit; --json has every digit.
    """
    settings = read_command_settings()
    from server.charts.files import kind_of
    from server.cli import ask_flags
    from server.cli.output.stdout import print_json, print_text
    from server.serving import tools
    from server.serving.call_context import CallContext
    from server.serving.full_results import full_result_by_command

    flags = {
        "metrics": ask_flags.split_names(metrics),
        "dimensions": ask_flags.split_names(dimensions),
        "filters": ask_flags.filters(filter),
        "time_grain": grain,
        "time_range": ask_flags.time_range(named, start, end),
        "order_by": ask_flags.split_names(order),
        "limit": limit,
        "compare": compare,
        "align": align,
        "totals": totals,
        "cursor": cursor,
    }
    try:
        question = ask_flags.query_of(query, flags, include_sql=sql)
    except QueryError as error:
        raise _with_names_of(error, tenant, settings) from error
    if chart:
        kind_of(chart)  # before anything is asked
    with run_of(tenant, settings) as run, run.cursor() as connection:
        answer = tools.query(run, question, connection, settings)
        chart_lines = (
            _write_answer_chart(
                chart, CallContext(run, connection, settings, full_result_by_command(settings)), question, answer
            )
            if chart
            else []
        )
    if as_json:
        print_json(answer.to_dict())
        return
    from server.cli.output.tables import answer_text

    print_text("\n".join([answer_text(answer, sql=question.include_sql or question.compile_only), *chart_lines]))


def _with_names_of(error: QueryError, tenant: str | None, settings: Settings) -> QueryError:
    """The error of a question that cannot be read, with those of its names where the tenant can be asked."""
    from semantic.planning.check_query import with_wrong_names

    if error.readable is None:
        return error
    with suppress(GataError), run_of(tenant, settings) as run:
        return with_wrong_names(error, run.model.catalog)
    return error


def _write_answer_chart(file: Path, call: CallContext, question: Query, answer: Answer) -> list[str]:
    """Write the chart of an answer; the lines to print about it."""
    from server.charts.files import write_chart
    from server.mcp_server.answer_reply import chart_of_answer

    chart = chart_of_answer(call, question, answer)
    write_chart(chart, file)
    return [*(f"Note: {note}" for note in chart.notes), f"The chart is in {file}."]


@contextmanager
def run_of(slug: str | None, settings: Settings) -> Iterator[OpenRun]:
    """The newest published run of the tenant that was named.

    Raises:
        ConfigError: None was named, or there is no such tenant; names the nearest.
        AccessError: It has not been built.
        PublishError: Its run cannot be opened.
    """
    from server.serving.process.setup import keep_pandas_out
    from server.serving.runs.published_runs import PublishedRuns

    keep_pandas_out()
    runs = PublishedRuns(settings)
    try:
        with runs.run(chosen_tenant(slug, settings)) as run:
            yield run
    finally:
        runs.close()


def _metrics_text(result: dict[str, Any]) -> str:  # Any: JSON values
    """Metrics grouped by the dimensions they go with, then every dimension."""
    from server.cli.output.tables import add_row, render, table

    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for metric in result["metrics"]:
        groups.setdefault(tuple(metric["dimensions"]), []).append(metric)
    parts: list[Any] = []
    for dimensions, group in groups.items():
        rows = table("metric", "unit", "what it is")
        for metric in group:
            add_row(rows, metric["name"], metric["unit"], metric["description"])
        parts += [rows, f"by: {', '.join(dimensions)}", ""]
    rows = table("dimension", "type", "what it is")
    for dimension in result["dimensions"]:
        add_row(rows, dimension["name"], dimension["type"], dimension["description"])
    return render(*parts, rows)


def _values_text(result: dict[str, Any]) -> str:  # Any: JSON values
    from server.cli.output.rounding import round_value
    from server.cli.output.tables import add_row, render, table

    rows = table(result["dimension"], "rows", right=("rows",))
    for value in result["values"]:
        add_row(rows, round_value(value["value"], {"unit": None}), f"{value['count']:,}")
    more = ["", "There are more. Look for some with --search, or raise --limit."] if result["truncated"] else []
    return render(rows, *more)
