"""Every verb of `gata`, from the command line itself."""

from __future__ import annotations

import inspect
from typing import Any

from typer.main import get_command

from server.cli.app import VERBS, Verb, commands
from tests.docs.markdown import code, table


def verbs() -> str:
    """A table of the verbs, then a section for each."""
    overview = [
        (f"[`gata {verb.name}`](#gata-{verb.name.replace(' ', '-')})", verb.panel, _first(verb)) for verb in VERBS
    ]
    return "\n\n".join([table(("command", "for", "does"), overview), *map(_section, VERBS)])


def _first(verb: Verb) -> str:
    return inspect.getdoc(verb.function).split("\n")[0]  # type: ignore[union-attr]  # every verb has one


def _section(verb: Verb) -> str:
    command: Any = get_command(commands())  # Any: click's classes, which typer keeps to itself
    for word in verb.name.split():
        command = command.commands[word]
    rows = [(_name(parameter), code(_default(parameter)), parameter.help or "") for parameter in command.params]
    usage = f"```sh\n{verb.example}\n```"
    parts = [
        f"### gata {verb.name}",
        command.help,
        usage,
        table(("option", "default", "meaning"), rows) if rows else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _name(parameter: Any) -> str:  # Any: as above
    if parameter.param_type_name == "argument":
        return code(parameter.metavar)
    names = "/".join(parameter.opts + parameter.secondary_opts)
    takes = "" if parameter.is_flag else f" {parameter.metavar or 'TEXT'}"
    return code(names + takes) + (", repeatable" if parameter.multiple else "")


def _default(parameter: Any) -> object:  # Any: as above
    return None if parameter.default in (None, False) else parameter.default
