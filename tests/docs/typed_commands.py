"""Commands of `gata` that a page shows, parsed as the command line parses them."""

from __future__ import annotations

import re
import shlex

from typer.main import get_command

from server.cli.app import commands


def commands_of(text: str) -> list[str]:
    """The `gata` lines of a page's sh blocks, without the path of the program."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return re.findall(r"^(?:\.venv/bin/)?(gata .*)$", "\n".join(blocks).replace("\\\n", " "), re.MULTILINE)


def parse(line: str) -> None:
    """See that a command exists and takes these options."""
    program, *words = shlex.split(line, comments=True)
    command, context = get_command(commands()), None
    while hasattr(command, "resolve_command"):
        with command.make_context(program, words, parent=context) as context:
            program, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
    command.make_context(program, words, parent=context)
