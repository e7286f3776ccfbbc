"""Verb that lists recorded runs, and shows one with its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.options import AsJson, read_command_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from pipeline.settings import Settings
    from pipeline.storage.ops import Ops


def runs(
    run_id: Annotated[str | None, typer.Argument(metavar="[RUN_ID]", help="Show this run with its steps.")] = None,
    *,
    tenant: Annotated[
        str | None, typer.Option("--tenant", metavar="SLUG", help="Only what was done for this tenant.")
    ] = None,
    report: Annotated[bool, typer.Option("--report", help="Print the quality reports of the run RUN_ID.")] = False,
    html: Annotated[bool, typer.Option("--html", help="With --report: write them as pages, and name these.")] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="The most runs to list.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List recorded runs, newest first, or show one with its steps and what came through each table."""
    settings = read_command_settings()
    from pipeline.storage.ops import Ops
    from server.cli.output.stdout import print_json, print_text
    from server.orchestration.run_history.recorded_runs import find_run, list_runs

    with Ops(settings.ops) as ops:
        if run_id is None:
            listed = list_runs(ops, tenant, limit)
            print_json({"runs": listed}) if as_json else print_text(_runs_text(listed))
            return
        run = find_run(ops, run_id, tenant)
        if report or html:
            _print_reports(settings, ops, run, tenant, html=html, as_json=as_json)
            return
    print_json(run) if as_json else print_text(_run_text(run))


def _print_reports(
    settings: Settings,
    ops: Ops,
    run: Mapping[str, Any],  # Any: values of rows
    tenant: str | None,
    *,
    html: bool,
    as_json: bool,
) -> None:
    """Print the reports of a run, or name the files."""
    from pipeline.config.slug import slugs_among
    from server.cli.output.stdout import print_json, print_text
    from server.orchestration.reports.report_files import tenants_of_run, write_reports

    known = tenants_of_run(ops, run["run_id"])
    slugs = known if tenant is None else [slug for slug in slugs_among([tenant]) if slug in known]
    files = write_reports(settings, ops, dict(run), slugs, pages=html)
    if as_json:
        print_json({"run_id": run["run_id"], "reports": [str(file) for file in files]})
    elif not files:
        print_text("Nothing came through in this run: it has no report.")
    else:
        print_text("\n".join(str(file) if html else file.read_text(encoding="utf-8") for file in files))


def _runs_text(listed: Sequence[Mapping[str, Any]]) -> str:  # Any: values of rows
    from server.cli.output.tables import add_row, render, table

    if not listed:
        return "No run is recorded. Run `gata build`."
    numbers = ("tenants", "rows in", "rows out", "quarantined", "seconds")
    rows = table("run", "began (UTC)", "status", *numbers, "failed", right=numbers)
    for run in listed:
        counts = (_number(run[name]) for name in ("tenants", "rows_in", "rows_out", "quarantined"))
        began = run["started_at"][:16].replace("T", " ")
        add_row(rows, run["run_id"], began, run["status"], *counts, f"{run['seconds']:.1f}", ", ".join(run["failed"]))
    return render(rows)


def _run_text(run: Mapping[str, Any]) -> str:  # Any: values of rows
    from server.cli.output.tables import add_row, render, table

    numbers = ("attempts", "rows in", "rows out", "quarantined", "bytes", "seconds")
    steps = table("tenant", "step", "status", *numbers, "why", right=numbers)
    for step in run["steps"]:
        counts = (_number(step[name]) for name in ("attempts", "rows_in", "rows_out", "quarantined", "bytes"))
        seconds = f"{step['seconds'] or 0:.1f}"
        add_row(steps, step["tenant"], step["step"], step["status"], *counts, seconds, step["detail"])
    columns = ("in", "out", "quarantine", "lost")
    tables = table("tenant", "table", "partition", *columns, "checks", "loss", right=columns)
    for record in run["audit"]:
        counts = (_number(record[f"{name}_rows"]) for name in ("input", "output", "quarantine", "lost"))
        passed = "passed" if record["quality_checks_passed"] else "FAILED"
        names = (record["tenant"], record["table_name"], record["partition_value"])
        add_row(tables, *names, *counts, passed, record["loss"])
    ended = f", ended {run['finished_at'][:19].replace('T', ' ')}" if run["finished_at"] else ""
    head = f"{run['run_id']}: {run['status']}, began {run['started_at'][:19].replace('T', ' ')}{ended} (UTC)."
    parts: list[RenderableType] = [head, "", steps]
    parts += ["", tables] if run["audit"] else []
    return render(*parts)


def _number(value: int | None) -> str | None:
    return None if value is None else f"{value:,}"
