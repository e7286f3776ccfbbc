"""Renders the Jinja of hooks without dbt: the same macros, with what dbt offers them.

dbt renders hooks while it runs, because they ask the database and write what happened. The macros of warehouse/macros
are that one source: here they get the names of dbt's context that they use, and no others. A text that uses another
one is found before it is rendered (`unknown_names`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache, lru_cache, partial
from types import SimpleNamespace
from typing import Any, Final

from jinja2 import ChainableUndefined, Environment, Template, nodes
from jinja2.sandbox import SandboxedEnvironment

from warehouse.projects.properties.node_descriptions import MACRO_FOLDER
from warehouse.run_dbt import MACROS

_MACRO = re.compile(r"(\{%-?\s*macro\s+)(\w+)(?=\s*\()")
_PREFIX = "macro__"
"""Before the name of a macro where it is defined, so that a call of it reaches `_Macros.call`, which knows `return`."""
Names = Mapping[str, Any]  # Any: what a template may hold

PURE: Final[Names] = {
    "fromjson": json.loads,
    "local_md5": lambda text: hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
    "modules": SimpleNamespace(datetime=SimpleNamespace(datetime=datetime)),
    "execute": True,
}
OFFERED: Final = frozenset(
    {
        *PURE,
        *("adapter", "dbt_version", "env_var", "flags", "graph", "invocation_args_dict", "invocation_id"),
        *("project_name", "results", "return", "run_query", "run_started_at", "source", "target", "this", "tojson"),
        "var",
    }
)
"""The names of dbt's context that hooks may use."""


_OF_JINJA = frozenset({"caller", "kwargs", "loop", "varargs"})
"""Names that a block or a macro has without setting them."""


class Renderer:
    """The macros that hooks call, and a context for them."""

    def __init__(self, texts: Iterable[str], names: Names) -> None:
        """Find the macros.

        Args:
            texts: Of files of macros.
            names: What `PURE` lacks of `OFFERED`.
        """
        self._texts = {name: text for text in texts for _, name in _MACRO.findall(text)}
        self._modules: dict[str, object] = {}
        functions = {"return": _return, "tojson": _to_json}
        calls = {name: partial(self._call, name) for name in self._texts}
        self._names: dict[str, Any] = {**calls, **PURE, **functions, **names}
        self._context = self._names

    def render(self, text: str, **names: object) -> str:
        """A text with its Jinja rendered, with more names beside those of the context."""
        self._modules.clear()  # a macro sees the context as it was when its module was made
        self._context = {**self._names, **names}
        return _template(text).render(self._context).strip()

    def unknown_names(self, text: str) -> set[str]:
        """The names that a text or the macros behind it use, and that are not offered here."""
        unknown, seen, waiting = set[str](), set[str](), [text]
        while waiting:
            used = _names_of(waiting.pop())
            unknown |= used - OFFERED - self._texts.keys() - _environment().globals.keys()
            for name in used & self._texts.keys() - seen:
                seen.add(name)
                waiting.append(_source(self._texts[name]))
        return unknown

    def _call(self, name: str, *args: object, **options: object) -> object:
        macro: Callable[..., object] = getattr(self._module(self._texts[name]), _PREFIX + name)
        try:
            return macro(*args, **options)
        except _ReturnedError as returned:
            return returned.value

    def _module(self, text: str) -> object:
        if text not in self._modules:
            self._modules[text] = _template(_source(text)).make_module(self._context)
        return self._modules[text]


def macro_texts(project: Mapping[str, str]) -> Iterator[str]:
    """The macros that hooks of a generated project may call: those that ship with gata, and its own.

    Args:
        project: Text of every generated file.
    """
    yield from (path.read_text(encoding="utf-8") for path in sorted(MACROS.rglob("*.sql")))
    yield from (text for path, text in project.items() if path.startswith(f"{MACRO_FOLDER}/"))


def _source(text: str) -> str:
    return _MACRO.sub(rf"\1{_PREFIX}\2", text)


@cache
def _environment() -> Environment:
    return SandboxedEnvironment(  # as dbt's
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], undefined=ChainableUndefined
    )


@lru_cache(maxsize=512)
def _template(text: str) -> Template:
    """A text as Jinja compiled it, once in a process: the macros are the same for every tenant."""
    return _environment().from_string(text)


@lru_cache(maxsize=512)
def _names_of(text: str) -> set[str]:
    return free_names(_environment().parse(text))


class _ReturnedError(Exception):
    """Carries what a macro returns out of its text, as dbt's `return` does."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


def _return(value: object = None) -> None:
    raise _ReturnedError(value)


def _to_json(value: object, default: object = None, sort_keys: bool = False) -> object:
    try:
        return json.dumps(value, sort_keys=sort_keys)
    except (TypeError, ValueError):
        return default


def free_names(template: nodes.Template) -> set[str]:
    """The names that a text takes from its context: all but those that it sets itself anywhere."""
    used: dict[bool, set[str]] = {True: set(), False: set()}
    for name in template.find_all(nodes.Name):
        used[name.ctx == "load"].add(name.name)
    return used[True] - used[False] - _OF_JINJA
