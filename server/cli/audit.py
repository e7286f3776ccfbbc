"""Verb that reads the audit log: calls of every process and day, in order of time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.options import read_command_settings

if TYPE_CHECKING:
    from collections.abc import Mapping


_SPAN = re.compile(r"([1-9]\d{0,4})([mhdw])")
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}
DEFAULT_CALLS = 50
"""Calls shown to people when they name no time."""


def audit(
    tenant: Annotated[str | None, typer.Option("--tenant", metavar="SLUG", help="Only calls of this tenant.")] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="D", help="From a day on (2026-03-01), or so far back: 90m, 24h, 7d, 4w."),
    ] = None,
    tool: Annotated[
        str | None, typer.Option("--tool", metavar="T", help="Only calls of this tool, such as query.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON per call, as it was written.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with new calls as they end, until Ctrl-C.")] = False,
) -> None:
    """Say who asked what, when, and how it went. Left alone it shows the last 50 calls.

    Arguments are shown without personal values: those were never written down.
    """
    begin = _read_since(since)
    settings = read_command_settings()
    from server.serving.audit.read_audit_log import CallFilter, follow_calls, read_calls

    call_filter = CallFilter(tenant, begin, tool)
    calls = read_calls(settings.audit_folder, call_filter)
    _print_calls(calls if begin or as_json else calls[-DEFAULT_CALLS:], as_json=as_json, is_alone=not follow)
    if follow:
        for call in follow_calls(settings.audit_folder, call_filter, after=calls):
            _print_call(call, as_json=as_json)


def _print_calls(calls: list[dict[str, Any]], *, as_json: bool, is_alone: bool) -> None:  # Any: JSON values
    if as_json or not is_alone:
        for call in calls:
            _print_call(call, as_json=as_json)
        return
    from server.cli.output.stdout import print_text
    from server.cli.output.tables import add_row, render, table

    rows = table("at (UTC)", "tenant", "token", "door", "tool", "outcome", "ms", "rows", "asked", right=("ms", "rows"))
    for call in calls:
        add_row(rows, *_cells(call))
    print_text(render(rows) if calls else "No call was written down that fits.")


def _print_call(call: Mapping[str, Any], *, as_json: bool) -> None:
    import json

    from server.cli.output.stdout import print_text

    line = json.dumps(call, ensure_ascii=False, separators=(",", ":"))
    print_text(line if as_json else "  ".join("" if cell is None else str(cell) for cell in _cells(call)))


def _cells(call: Mapping[str, Any]) -> tuple[object, ...]:
    import json

    arguments = json.dumps(call.get("arguments") or {}, ensure_ascii=False)
    at = str(call.get("at", ""))[:19].replace("T", " ")
    outcome = " ".join(str(call[name]) for name in ("outcome", "status", "error") if name in call)
    texts = [_printable(call.get(name)) for name in ("tenant", "token", "door", "tool")]
    return (at, *texts, outcome, call.get("ms"), call.get("rows"), _printable(arguments) if arguments != "{}" else None)


def _printable(text: object) -> str:
    """The text without control characters: a caller's text moves no cursor and reverses no line."""
    return "".join(character if character.isprintable() else "�" for character in str(text or ""))


def _read_since(text: str | None) -> datetime | None:
    """The time of a day, or of a span back from now."""
    if text is None:
        return None
    if match := _SPAN.fullmatch(text):
        return datetime.now(UTC) - timedelta(minutes=int(match[1]) * _MINUTES[match[2]])
    try:
        day = date.fromisoformat(text)
    except ValueError:
        what = f"{text!r} is neither a day nor a length of time; write 2026-03-01, 24h or 7d."
        raise typer.BadParameter(what, param_hint="--since") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
