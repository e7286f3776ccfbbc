"""Verbs about this installation: show its settings, and check that everything it needs is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from server.cli.options import AsJson, read_command_settings

if TYPE_CHECKING:
    from pipeline.settings import Settings

HIDDEN = "(set, not shown)"


def show(as_json: AsJson = False) -> None:
    """Show every setting, its value, and whether it comes from the environment. Never a secret.

    Below them: which connector catalog and which contract lock are used.
    """
    settings = read_command_settings()
    from server.cli.output.stdout import print_json, print_text

    listed, files = _settings(settings), _files()
    if as_json:
        print_json({"settings": listed, "files": files})
        return
    from server.cli.output.tables import add_row, render, table

    rows = table("setting", "value", "from", "what it is")
    for setting in listed:
        add_row(rows, setting["name"], setting["value"], setting["source"], setting["description"])
    for file in files:
        add_row(rows, file["name"], file["path"], file["source"], file["description"])
    print_text(render(rows))


def doctor(as_json: AsJson = False) -> None:
    """See whether everything is there that gata needs, and say the step that works where it is not.

    Exit 0 unless a line says fail.
    """
    settings = read_command_settings()
    from server.cli.doctor.checks import run_checks
    from server.cli.output.stdout import print_json, print_text, stdout_for_answers

    with stdout_for_answers():
        lines = list(run_checks(settings))
    is_well = all(line.state != "fail" for line in lines)
    if as_json:
        print_json({"ok": is_well, "checks": [vars(line) for line in lines]})
    else:
        from server.cli.output.tables import add_row, render, table

        rows = table("", "check", "what there is")
        for line in lines:
            add_row(rows, line.state, line.check, f"{line.what} {line.fix}".strip())
        print_text(render(rows))
    raise typer.Exit(0 if is_well else 2)


def _settings(settings: Settings) -> list[dict[str, Any]]:  # Any: JSON values
    from pydantic import SecretStr

    listed = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        text = HIDDEN if isinstance(value, SecretStr) else None if value is None else str(value)
        source = f"GATA_{name.upper()}" if name in settings.model_fields_set else "default"
        listed.append({"name": name, "value": text, "source": source, "description": field.description})
    return listed


def _files() -> list[dict[str, str]]:
    """The files that ship with gata, each with the file that is used: itself, or one in its place."""
    from pathlib import Path

    from pipeline.contracts.bundled import CATALOG_FILE, LOCK_FILE, file_or_bundled, shadow

    descriptions = {CATALOG_FILE: "The connectors there are.", LOCK_FILE: "The contracts as they were published."}
    listed = []
    for name, description in descriptions.items():
        used = shadow(Path(name))
        path = file_or_bundled(Path(name)).absolute()
        source = "working directory" if used else "bundled"
        text = f"{description} Used in place of the bundled {used.bundled}." if used else description
        listed.append({"name": name, "path": str(path), "source": source, "description": text})
    return listed
