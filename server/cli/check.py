"""Verb that says what files are before they are brought, and which lines of tenants.yaml bring them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.options import AsJson, read_command_settings

if TYPE_CHECKING:
    from pipeline.ingest.recognition.checked_file import Progress

INPUT = 2
NAMES_SHOWN = 8

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Exports, also .gz and .zip, or folders of them.")]


def check(files: Files, as_json: AsJson = False) -> None:
    """Say what each file is, what of it would land, what would not and why, and which lines of tenants.yaml bring it.

    Nothing is written, and tenants.yaml is not needed.
    Exit 0 where every record would land, 2 where one would not.
    """
    settings = read_command_settings()
    from server.cli.output.stdout import print_json, print_text
    from server.orchestration.uploads.file_check import report_on_files

    with _progress() as progress:
        report = report_on_files(files, Path(), workers=settings.threads, progress=progress)
    if as_json:
        print_json(report)
    else:
        print_text("\n\n".join([*map(_file_text, report["files"]), *_lines_text(report["tenants_yaml"])]))
    if any(file["lands"] != "whole" for file in report["files"]):
        raise SystemExit(INPUT)


def _file_text(file: Mapping[str, Any]) -> str:
    lines = [file["file"], *(f"  {heading:<9} {text}" for heading, text in _facts(file))]
    return "\n".join(lines)


def _facts(file: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Headings and texts of what is said of a file."""
    objects = {one["object"] for one in file["candidates"]}
    if len(objects) == 1:
        platforms = " or ".join(one["platform"] for one in file["candidates"])
        yield "is", f"{min(objects)} of {platforms}"
    if file["reason"]:
        yield "refused", f"{file['reason']}."
    if file["rows"]:
        yield "lands", f"{_counted(file['rows'], 'record')}{_days_text(file['days'])}"
    if file["measures"]:
        yield "sums", ", ".join(map(_sum_text, file["measures"]))
    if file["accounts"]:
        yield "accounts", ", ".join(file["accounts"])
    for kept in file["quarantined"]:
        example = f" (such as {kept['example']})" if kept["example"] else ""
        yield "kept out", f"{_counted(kept['records'], 'record')}: {kept['reason']}{example}"
    if file["unknown_fields"]:
        more = ", ..." if file["unknown_field_count"] > NAMES_SHOWN else ""
        yield "unknown", f"{', '.join(file['unknown_fields'][:NAMES_SHOWN])}{more} (kept, and read by no metric)"
    if file["fix"]:
        yield "do", file["fix"]


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _days_text(days: Mapping[str, Any] | None) -> str:
    if days is None:
        return ""
    span = days["first"] if days["count"] == 1 else f"from {days['first']} to {days['last']}"
    return f", {_counted(days['count'], 'day')}{', ' if days['count'] == 1 else ' '}{span}"


def _sum_text(measure: Mapping[str, Any]) -> str:
    unit = f" {measure['currency']}" if measure["currency"] else ""
    minor = " in minor units" if measure["in_minor_units"] else ""
    return f"{measure['field']} {measure['sum'].normalize():,f}{unit}{minor}"


def _lines_text(lines: str | None) -> list[str]:
    return [f"In tenants.yaml:\n\n{lines.rstrip()}"] if lines else []


@contextmanager
def _progress() -> Iterator[Progress]:
    """A line on a terminal's stderr with the file that is read and its records so far."""
    if not sys.stderr.isatty():
        yield lambda _name, _records: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,} records"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def count(name: str, records: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=None)
            bar.advance(tasks[name], records)

        yield count
