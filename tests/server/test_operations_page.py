"""docs/operations.md says what is so: settings that exist, commands that parse, paths and metrics of the server."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pipeline.settings import Settings
from server.asgi.bearer_auth import DOCS_PATHS, OPEN_PATHS
from server.asgi.metrics import Meters
from server.serving.audit.call_record import CallRecord
from tests.docs.typed_commands import commands_of, parse

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")


def test_every_setting_on_the_page_exists() -> None:
    named = set(re.findall(r"`?GATA_([A-Z_]+)\b", PAGE))
    assert named <= {name.upper() for name in Settings.model_fields}


def test_every_command_on_the_page_parses() -> None:
    found = commands_of(PAGE)
    assert len(found) > 8
    for line in found:
        parse(line)


def test_the_page_names_what_is_open_what_is_written_down_and_what_is_counted(home) -> None:
    from server.serving.runs.published_runs import PublishedRuns

    assert all(f"`{path}`" in PAGE for path in OPEN_PATHS | DOCS_PATHS)
    example = json.loads(re.findall(r'^\{"at":.*\}$', PAGE, re.MULTILINE)[0])
    written = CallRecord(
        "mcp", "query", outcome="ok", tenant="a", status=1, error="x", event_id="x", run_id="x"
    ).as_json()
    assert written.keys() <= {*example, "status", "error", "event_id"}
    names = {family.name for family in Meters(PublishedRuns(home.settings)).registry.collect()}
    assert all(f"`{name}" in PAGE for name in names)
