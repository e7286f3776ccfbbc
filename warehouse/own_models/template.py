"""Reads the two Jinja expressions that a model may have, ref() and config(), and nothing else; nothing is rendered.

Every other `{{`, `{%` and `{#` is refused wherever it stands, in texts and comments too: dbt would render it there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import shorten
from warehouse.own_models.file_line import FileLine

MATERIALIZED = ("table", "view")
MOST_TAGS = 20
_OPENING = re.compile(r"\{[{%#]")
_REF = re.compile(r"""\{\{\s*ref\(\s*(['"])(?P<name>[^'"{}\n]*)\1\s*\)\s*\}\}""")
_CONFIG = re.compile(r"\{\{\s*config\((?P<arguments>[^{}]{0,2000}?)\)\s*\}\}")
_TAG = re.compile(r"[a-z][a-z0-9_]{0,39}")
_ALLOWED = "Write plain SQL with {{ ref('name') }} for tables, and one {{ config(materialized='table') }} at the top."


@dataclass(frozen=True)
class Template:
    """A model's file, taken apart."""

    sql: str
    """With a quoted name of `refs` in the place of each ref(), on the lines of the file."""
    refs: Mapping[str, str]
    """By the name that stands in `sql`, the name of the model."""
    lines: Mapping[str, int]
    """By the same, the line of the file."""
    materialized: str = "table"
    tags: tuple[str, ...] = ()

    def rendered(self) -> str:
        """The SQL with the tables of the star in the place of refs; their names were checked."""
        sql = self.sql
        for placeholder, name in self.refs.items():
            sql = sql.replace(f'"{placeholder}"', f'"main"."{name}"')
        return sql


def read_template(text: str, place: FileLine) -> Template:
    """Take a model's file apart.

    Raises:
        ConfigError: It holds Jinja that is none of the two expressions.
    """
    prefix = _unused(text)
    parts: list[str] = []
    refs: dict[str, str] = {}
    lines: dict[str, int] = {}
    config: dict[str, object] | None = None
    end = 0
    while opening := _OPENING.search(text, end):
        parts.append(text[end : opening.start()])
        here = place.at(text.count("\n", 0, opening.start()) + 1)
        if found := _REF.match(text, opening.start()):
            placeholder = f"{prefix}{len(refs)}_"
            refs[placeholder], lines[placeholder] = found["name"], here.line
            parts.append(f'"{placeholder}"' + "\n" * found[0].count("\n"))
        elif found := _CONFIG.match(text, opening.start()):
            if config is not None:
                raise here.wrong("This is a second config().", "Keep one.")
            if not _is_top(text[: opening.start()]):
                raise here.wrong("config() stands inside the SQL.", "Write it above the SELECT, on a line of its own.")
            config = _configuration(found["arguments"], here)
            parts.append("\n" * found[0].count("\n"))
        else:
            raise here.wrong(f"{_excerpt(text, opening.start())!r} is no ref() or config().", _ALLOWED)
        end = found.end()
    parts.append(text[end:])
    tags = (config or {}).get("tags", ())
    return Template(
        sql="".join(parts),
        refs=refs,
        lines=lines,
        materialized=str((config or {}).get("materialized", "table")),
        tags=tuple(tags) if isinstance(tags, tuple) else (),
    )


def _unused(text: str) -> str:
    """The beginning of names that occur nowhere in a text."""
    folded, number = text.casefold(), 0
    while f"__ref{number}_" in folded:
        number += 1
    return f"__ref{number}_"


def _is_top(before: str) -> bool:
    *lines, last = before.split("\n")
    return not last.strip() and all(not line.strip() or line.lstrip().startswith("--") for line in lines)


def _excerpt(text: str, start: int) -> str:
    return shorten(text[start : start + 120].split("\n", 1)[0], 60)


def _configuration(arguments: str, place: FileLine) -> dict[str, object]:
    fix = "Write literals, such as {{ config(materialized='table', tags=['finance']) }}."
    try:
        call = ast.parse(f"config({arguments.strip()})", mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise place.wrong("The arguments of config() cannot be read.", fix) from error
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
        raise place.wrong("The arguments of config() have no names.", fix)
    found: dict[str, object] = {}
    for keyword in call.keywords:
        if keyword.arg == "materialized":
            found["materialized"] = _materialized(keyword.value, place, fix)
        elif keyword.arg == "tags":
            found["tags"] = _tags(keyword.value, place, fix)
        else:
            what = f"config() has {keyword.arg or '**'}, and takes materialized and tags."
            raise place.wrong(what, "Remove it; tests and descriptions go into a .yml file.")
    return found


def _materialized(value: ast.expr, place: FileLine, fix: str) -> str:
    name = value.value if isinstance(value, ast.Constant) else None
    if name not in MATERIALIZED:
        raise place.wrong("materialized is neither 'table' nor 'view'.", fix)
    return str(name)


def _tags(value: ast.expr, place: FileLine, fix: str) -> tuple[str, ...]:
    items = value.elts if isinstance(value, ast.List) else [value]
    tags = tuple(item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str))
    if len(tags) != len(items) or len(tags) > MOST_TAGS or not all(map(_TAG.fullmatch, tags)):
        raise place.wrong(f"tags is no list of at most {MOST_TAGS} plain names.", fix)
    return tags
