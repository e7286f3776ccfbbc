"""Metrics and dimensions under the tenant's own names: the last thing done to definitions, and done everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from semantic.catalog.catalog import COMPUTED, CURRENCY, DATE, FLAGS
from semantic.definitions.overlay import Overlay

_NAME = re.compile(r"[a-z][a-z0-9_]*")
Tree = dict[str, Any]  # Any: as `derive` gives


def rename(definitions: Tree, words: Overlay) -> Tree:
    """The definitions with every renamed metric and dimension under its new name; the old one becomes a synonym.

    Raises:
        ConfigError: A new name is taken or reserved, or what is renamed is what planning relies on.
    """
    renames = words.renames
    if not renames:
        return definitions
    _check(definitions, words)

    def new(name: str) -> str:
        return renames.get(name, name)

    metrics = _keyed(definitions["metrics"], new)
    for entry in metrics.values():
        if "expression" in entry:
            entry["expression"] = _NAME.sub(lambda found: new(found[0]), entry["expression"])
    dimensions = _keyed(definitions["dimensions"], new)
    for entry in dimensions.values():
        entry["paths"] = {fact: _path(path, new) for fact, path in entry["paths"].items()}
    models = {
        name: {
            **model,
            **{part: {new(key): text for key, text in model[part].items()} for part in _NAMED if part in model},
        }
        for name, model in definitions["models"].items()
    }
    return {**definitions, "metrics": metrics, "dimensions": dimensions, "models": models}


_NAMED = ("dimensions", "measures")


def _check(definitions: Tree, words: Overlay) -> None:
    taken = definitions["metrics"].keys() | definitions["dimensions"].keys()
    seen: dict[str, str] = {}
    for kind in ("metrics", "dimensions"):
        for name, said in words.of(kind).items():
            if "rename" not in said:
                continue
            to = said["rename"]
            if name in (DATE, CURRENCY) or definitions[kind][name].get("personal"):
                raise words.wrong(kind, name, f"{name} keeps its name.", "Give it a label or synonyms instead.")
            if to.endswith(COMPUTED) or to in FLAGS:
                what = f"{name} is renamed to {to}, which answers use for columns of their own."
                raise words.wrong(kind, name, what, f"Choose a name that does not end with {', '.join(COMPUTED)}.")
            if to in taken or to in seen:
                raise words.wrong(kind, name, f"{name} is renamed to {to}, which is taken.", "Choose another name.")
            seen[to] = name


def _keyed(entries: Mapping[str, Tree], new: Callable[[str], str]) -> dict[str, Tree]:
    found = {}
    for name, entry in entries.items():
        old = {"synonyms": [name, *entry.get("synonyms", ())]} if new(name) != name else {}
        found[new(name)] = {**entry, **old}
    return found


def _path(path: str, new: Callable[[str], str]) -> str:
    *tables, name = path.split(".")
    return ".".join((*tables, new(name)))
