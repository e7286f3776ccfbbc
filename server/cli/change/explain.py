"""Verb that explains a change: the effects of members as a table for people, or as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from server.cli.ask import Several, run_of
from server.cli.options import AsJson, AskedTenant, read_command_settings


def explain(
    *,
    tenant: AskedTenant = None,
    metric: Annotated[
        str | None, typer.Option("--metric", metavar="A", help="What changed: a name from `gata metrics`.")
    ] = None,
    named: Annotated[
        str | None, typer.Option("--range", metavar="NAME", help="Days by name: last_week, last_month, ...")
    ] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="DAY", help="First day, such as 2026-01-01.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DAY", help="Last day, such as 2026-01-31.")] = None,
    compare: Annotated[
        str, typer.Option("--compare", metavar="PERIOD", help="previous_period or previous_year.")
    ] = "previous_period",
    dimensions: Annotated[
        Several, typer.Option("--dimensions", metavar="D,E", help="Where to look; all that it reaches when left out.")
    ] = None,
    filter: Annotated[  # noqa: A002  # the option's name
        Several, typer.Option("--filter", metavar="TEXT", help="A condition, as of `gata ask`; may be repeated.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain why a metric changed: the effect of each member of the dimension that explains most.

    Effects add up to the change: of ratios, mix and rate effects do.
    """
    settings = read_command_settings()
    from semantic.answering.explain.change_request import read_change_request
    from server.cli import ask_flags
    from server.cli.output.stdout import print_json, print_text
    from server.serving import tools

    sent = {
        "metric": metric,
        "time_range": ask_flags.time_range(named, start, end),
        "compare": compare,
        "dimensions": ask_flags.split_names(dimensions) or None,
        "filters": ask_flags.filters(filter) or None,
    }
    request = read_change_request(sent)
    with run_of(tenant, settings) as run, run.cursor() as cursor:
        result = tools.explain_change(run, request, cursor, settings)
    if as_json:
        print_json(result)
    else:
        print_text(_text(result))


def _text(result: Mapping[str, Any]) -> str:  # Any: JSON values and Decimal
    from server.cli.output.rounding import round_value
    from server.cli.output.tables import add_row, render, table

    measure = {"unit": result["unit"]}

    def shown(value: object, unit: str | None = None) -> str:
        return round_value(value, {"unit": unit} if unit else measure)

    def days(name: str) -> str:
        return f"{result[name]['start']} to {result[name]['end']}"

    unit = f" {result['unit']}" if result["unit"] not in (None, "ratio", "count") else ""
    now, before = (f"{shown(result[name])}{unit}" for name in ("value", "previous"))
    head = (
        f"{result['metric']}: {now} from {days('time_range')}, {before} from {days('compared_with')}:"
        f" {_signed(shown(result['change']))}."
    )
    parts = [f"{part['name']}: {_signed(shown(part['effect']))}" for part in result["parts"]]
    rows = table(*result["columns"], right=result["columns"][1:-1])
    for name, *values, onset in result["rows"]:
        add_row(rows, shown(name), *(shown(value) for value in values), onset)
    lines: list[Any] = [head, *([f"Of it by {', by '.join(parts)}."] if parts else []), "", rows, ""]
    if result["other"]:
        lines.append(f"{result['other']['members']} others: {_signed(shown(result['other']['effect']))}.")
    if result["onset"]:
        low, high = (shown(value) for value in result["onset"]["usual"])
        lines.append(f"It left its usual band of {low} to {high} on {result['onset']['date']}.")
    lines += [*_looked_at(result["concentration"]), f"Method: {result['method']}"]
    lines += [f"Note: {note}" for note in result["notes"]]
    return render(*lines, f"Data as of {result['as_of']}, run {result['run_id']}.")


def _looked_at(concentration: Mapping[str, Any]) -> Sequence[str]:  # Any: Decimal
    if len(concentration) < 2:
        return []
    return [f"Concentration: {', '.join(f'{name} {value}' for name, value in concentration.items())}."]


def _signed(text: str) -> str:
    return text if text.startswith("-") else f"+{text}"
