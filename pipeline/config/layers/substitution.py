"""Variables in values of configuration files: `${NAME}` and `${NAME:-default}`, as a shell writes them; `$${` is `${`.

Only in values, never in keys. Text that comes in this way is a value: it is not read as YAML, and not looked through
again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.config.entry import Entry
from pipeline.errors import shorten

_VARIABLE = re.compile(r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^{}]*))?\})?")


@dataclass(frozen=True)
class Substituted:
    """A text, and the variables whose values are in it."""

    text: str
    names: tuple[str, ...]


def substitute(entry: Entry, text: str, variables: Mapping[str, str]) -> Substituted:
    """A text of an entry with its variables replaced. A default holds where the variable is unset or empty.

    Raises:
        ConfigError: A variable without a default is not set, or `${` begins no variable; names file and line.
    """
    names: list[str] = []

    def value(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if match[0] == "$${":
            return "${"
        if name is None:
            raise entry.wrong(
                f"{entry.name} is {entry.excerpt}: its ${{ begins no variable.",
                "Write ${NAME} or ${NAME:-default}, or $${ for the two characters.",
            )
        if variables.get(name) or (default is None and name in variables):
            names.append(name)
            return variables[name]
        if default is None:
            raise entry.wrong(
                f"{entry.name} takes the variable {name}, which is not set.",
                f"Set {name}, or write a default: ${{{name}:-value}}.",
            )
        return default

    return Substituted(_VARIABLE.sub(value, text), tuple(names))


def refuse_in_key(key: str, entry: Entry) -> None:
    """Refuse a variable in a key.

    Raises:
        ConfigError: There is one; names file and line.
    """
    if "${" in key:
        raise entry.wrong(f"The key {shorten(key, 80)!r} has a variable.", "Write keys out; variables are for values.")
