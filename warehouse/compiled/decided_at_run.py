"""Tells which nodes dbt decides only while it runs: their SQL may be another one the next time, so none is kept.

What a node is made of is known by name: its own text, and every macro behind it. All names that they take from dbt's
context must be ones that mean the same at every run of one project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jinja2 import Environment, nodes

from warehouse.compiled.jinja_renderer import free_names

STEADY = frozenset(
    {"config", "exceptions", "ref", "return", "source", "target", "this", "var", "_dbt_generic_test_kwargs"}
)
"""Names of dbt's context that mean the same at every run of one project."""
DISPATCHES = frozenset({"dispatch", "quote"})
"""What may be asked of the adapter: which macro a name means, and how a name is quoted."""


class RunTimeNames:
    """Looks for names that a node's text may not use, to be kept."""

    def __init__(self, manifest: Any, jinja: Environment, files: Iterable[str]) -> None:  # Any: dbt's, untyped
        """Prepare to look through a project.

        Args:
            manifest: The project's, parsed by dbt.
            jinja: dbt's environment.
            files: The variables with paths that a build sets.
        """
        self._macros: Mapping[str, Any] = manifest.macros
        self._jinja, self._files = jinja, frozenset(files)
        self._parsed: dict[str, nodes.Template] = {}
        self._found: dict[str, list[str]] = {}
        self._known = {macro.rpartition(".")[2] for macro in self._macros} | set(jinja.globals)

    def of(self, node: Any) -> Iterator[str]:  # Any: a node of dbt
        """The names that decide at run time what the SQL of a node is, as a person finds them in its text."""
        for text in self._texts(node):
            if text not in self._found:
                self._found[text] = list(self._in(self._parse(text)))
            yield from self._found[text]

    def _in(self, template: nodes.Template) -> Iterator[str]:
        yield from sorted(free_names(template) - STEADY - self._known - {"adapter", "env_var"})
        asked = [attribute for attribute in template.find_all(nodes.Getattr) if _is(attribute.node, "adapter")]
        yield from (f"adapter.{each.attr}" for each in asked if each.attr not in DISPATCHES)
        read = [call for call in template.find_all(nodes.Call) if _is(call.node, "env_var")]
        yield from ("env_var" for call in read if _variable(call) not in self._files)
        for name, counted in (("adapter", asked), ("env_var", read)):
            if sum(_is(each, name) for each in template.find_all(nodes.Name)) != len(counted):
                yield name  # as a value, of which anything may be asked

    def variables(self, node: Any) -> Iterator[str]:  # Any: a node of dbt
        """The environment variables that a node reads, where `of` finds nothing."""
        for text in self._texts(node):
            if "env_var" in text:
                calls = (call for call in self._parse(text).find_all(nodes.Call) if _is(call.node, "env_var"))
                yield from (str(_variable(call)) for call in calls)

    def _texts(self, node: Any) -> Iterator[str]:
        """A node's own text, and the macros that it calls, those of its hooks left out."""
        own = getattr(node, "raw_code", "")
        used = free_names(self._parse(own))
        begun = [macro for macro in node.depends_on.macros if macro.rpartition(".")[2] in used]
        yield own
        yield from (self._macros[macro].macro_sql for macro in self._behind(begun))

    def _behind(self, begun: Iterable[str]) -> list[str]:
        seen, waiting = dict[str, None](), list(begun)
        while waiting:
            if (macro := waiting.pop()) not in seen and macro in self._macros:
                seen[macro] = None
                waiting += self._macros[macro].depends_on.macros
        return list(seen)

    def _parse(self, text: str) -> nodes.Template:
        if text not in self._parsed:
            self._parsed[text] = self._jinja.parse(text)
        return self._parsed[text]


def _is(node: nodes.Node, name: str) -> bool:
    return isinstance(node, nodes.Name) and node.name == name


def _variable(call: nodes.Call) -> object:
    return call.args[0].value if call.args and isinstance(call.args[0], nodes.Const) else None
