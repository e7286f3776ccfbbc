"""docs/operations.md says what is so: every setting with its default, and commands that parse."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from typer.main import get_command

from pipeline.settings import Settings
from server.asgi.bearer_auth import OPEN_PATHS
from server.asgi.metrics import Meters
from server.cli.app import commands
from server.serving.audit.call_record import CallRecord

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")


def row(name: str) -> str:
    field = Settings.model_fields[name]
    default = (
        ""
        if field.default is None
        else str(field.default).lower()
        if isinstance(field.default, bool)
        else field.default
    )
    return f"| `GATA_{name.upper()}` | {f'`{default}`' if default != '' else ''} | {field.description} |"


def test_the_table_of_settings_is_that_of_the_program() -> None:
    told = re.findall(r"^\| `GATA_\w+` \|.*\|$", PAGE, re.MULTILINE)
    assert told == [row(name) for name in Settings.model_fields]


def test_every_command_on_the_page_parses() -> None:
    found = re.findall(r"^gata .*$", "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)), re.MULTILINE)
    assert len(found) > 8
    for line in found:
        program, *words = shlex.split(line, comments=True)
        command, context = get_command(commands()), None
        while hasattr(command, "resolve_command"):
            with command.make_context(program, words, parent=context) as context:
                program, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
        command.make_context(program, words, parent=context)


def test_the_page_names_what_is_open_what_is_written_down_and_what_is_counted(world) -> None:
    from server.serving.runs.published_runs import PublishedRuns

    assert all(f"`{path}`" in PAGE for path in OPEN_PATHS)
    example = json.loads(re.findall(r'^\{"at":.*\}$', PAGE, re.MULTILINE)[0])
    written = CallRecord(
        "mcp", "query", outcome="ok", tenant="a", status=1, error="x", event_id="x", run_id="x"
    ).as_json()
    assert written.keys() <= {*example, "status", "error", "event_id"}
    names = {family.name for family in Meters(PublishedRuns(world.settings)).registry.collect()}
    assert all(f"`{name}" in PAGE for name in names)
