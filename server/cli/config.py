"""Verbs about this installation: show its settings, and check that everything it needs is there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.options import AsJson, read_command_configuration, read_command_settings

if TYPE_CHECKING:
    from pipeline.settings import Settings

HIDDEN = "(set, not shown)"
OfTenant = Annotated[
    str | None, typer.Option("--tenant", metavar="SLUG", help="Show the values of this tenant instead.")
]


def show(tenant: OfTenant = None, as_json: AsJson = False) -> None:
    """Show every setting, its value, and the layer that it comes from. Never a secret.

    The layer is a default, `file:line`, a variable or an option; in brackets those it wins over.
    Below them: which connector catalog and contract lock are used, and which entries of tenants.yaml are refused.
    With --tenant: every value of one tenant: of its entry, of `defaults:`, or built in.
    """
    settings = read_command_settings()
    if tenant is not None:
        _show_tenant(tenant, settings, as_json=as_json)
        return
    from server.cli.output.stdout import print_json, print_text

    listed, files, refused = _settings(), _files(), _refused(settings)
    if as_json:
        print_json({"settings": listed, "files": files, "refused": refused})
        return
    from server.cli.output.tables import add_row, render, table

    rows = table("setting", "value", "from", "what it is")
    for setting in listed:
        lower = f" (over {', '.join(setting['instead_of'])})" if setting["instead_of"] else ""
        add_row(rows, setting["name"], setting["value"], setting["source"] + lower, setting["description"])
    for file in files:
        add_row(rows, file["name"], file["path"], file["source"], file["description"])
    print_text(render(rows, *(["", *refused] if refused else [])))


def _show_tenant(slug: str, settings: Settings, *, as_json: bool) -> None:
    from pipeline.config.layers.tenant_values import tenant_values
    from server.cli.output.stdout import print_json, print_text
    from server.cli.output.tables import add_row, render, table
    from server.orchestration.build_context import open_build_context

    found = tenant_values(open_build_context(settings).manifest.get(slug), settings)
    listed = [
        {"name": each.name, "value": HIDDEN if each.is_secret else each.value, "source": each.where} for each in found
    ]
    if as_json:
        print_json({"tenant": slug, "values": listed})
        return
    rows = table("value of the tenant", "value", "from")
    for value in listed:
        add_row(rows, value["name"], value["value"], value["source"])
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


def _settings() -> list[dict[str, Any]]:  # Any: JSON values
    """Every setting with its value, its layer, and the layers that it wins over."""
    configuration = read_command_configuration()
    settings = configuration.settings
    listed, plain = [], settings.model_dump(mode="json", include={"gates"}, exclude_defaults=True)
    for name, field in type(settings).model_fields.items():
        value, origin = getattr(settings, name), configuration.origin(name)
        text = None if value is None else HIDDEN if origin.is_secret else str(value)
        if isinstance(value, dict):  # written as its variable takes it
            text = json.dumps(plain.get(name, {}))
        listed.append(
            {
                "name": name,
                "value": text,
                "source": origin.where,
                "instead_of": list(origin.instead_of),
                "description": field.description,
            }
        )
    return listed


def _refused(settings: Settings) -> list[str]:
    """Why entries of tenants.yaml are refused, or the file itself; nothing where there is none yet."""
    from pipeline.errors import ConfigError
    from server.orchestration.build_context import open_build_context

    if not settings.tenants.exists():
        return []
    try:
        return [f"{entry.name} is refused: {entry.error}" for entry in open_build_context(settings).manifest.refused]
    except ConfigError as error:
        return [str(error)]


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
