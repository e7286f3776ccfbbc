"""Definitions of version 1: without the role of a dimension, and without kind and aggregation of computed metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semantic.catalog.expression import ADDS_UP
from semantic.catalog.formula import Formula, expand, is_ratio, is_sum, metric_names, parse

Tree = Mapping[str, Any]  # Any: what YAML can hold


def from_version_1(tree: Tree) -> Tree:
    """The tree of version 1 as one of version 2, with what version 2 would have derived from the same entries.

    Raises:
        KeyError, TypeError, ValueError: It is no tree of version 1.
    """
    metrics = tree["metrics"]
    formulas = {name: parse(entry["expression"], name) for name, entry in metrics.items() if entry.get("expression")}
    return {
        **tree,
        "version": 2,
        "metrics": {name: {**_derived(name, metrics, formulas), **entry} for name, entry in metrics.items()},
        "dimensions": {name: _dimension(name, entry) for name, entry in tree["dimensions"].items()},
    }


def _derived(name: str, metrics: Tree, formulas: Mapping[str, Formula]) -> dict[str, str]:
    if name not in formulas:
        return {"adds_up": ADDS_UP[metrics[name]["kind"]]}
    formula = expand(name, formulas)
    sums = is_sum(formula) and all(ADDS_UP[metrics[used]["kind"]] == "sum" for used in metric_names(formula))
    return {"kind": "ratio" if is_ratio(formulas[name]) else "derived", "adds_up": "sum" if sums else "none"}


def _dimension(name: str, entry: Tree) -> Tree:
    """A dimension with its role; a list of no values meant that there are too many to list."""
    role = {"date": "time", "boolean": "flag"}.get(entry["type"])
    by_name = "identifier" if name.endswith("_id") else "name" if name.endswith("_name") else "category"
    return {"role": role or by_name, **entry, "values": entry.get("values") or None}
