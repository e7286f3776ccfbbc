"""What tenants.yaml says under `semantic:`: words for what there is, the tenant's own metrics, personal data allowed.

Its shape was checked when it was read; here its names meet the catalog.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from pipeline.errors import ConfigError, suggest
from semantic.catalog import COMPUTED, FLAGS
from semantic.formula import expand, names, parse, type_of, unit_of

Entries = dict[str, dict[str, Any]]
"""Name to what the definitions say about it: text, flags, maps and lists of those."""


def add_metrics(metrics: Entries, derived: Mapping[str, Mapping[str, Any]]) -> None:
    """Add metrics made of others, with their type and unit. Any: as in `Entries`.

    Raises:
        ConfigError: One names a metric that there is not, is made of itself, or adds money and clicks.
    """
    formulas = {name: parse(entry["expression"], name) for name, entry in derived.items()}
    base = {name: entry for name, entry in metrics.items() if "fact" in entry}
    types = {name: entry["type"] for name, entry in base.items()}
    units = {name: entry["unit"] for name, entry in base.items()}
    known = base.keys() | derived.keys()
    for name, entry in derived.items():
        for used in names(formulas[name]):
            if used not in known:
                raise ConfigError(
                    f"The expression of {name} names {used!r}, which is no metric here.", suggest(used, known)
                )
        formula = expand(name, formulas)
        added = {"type": type_of(formula, types), "unit": unit_of(formula, units, name)}
        metrics[name] = {**added, **entry}


def own_metrics(words: Mapping[str, Any], metrics: Entries, dimensions: Collection[str]) -> Entries:
    """The metrics that a tenant makes of others. Any: as in `Entries`.

    Raises:
        ConfigError: A name is taken, or reserved for a column that answers add.
    """
    own = {name: said for name, said in words.get("metrics", {}).items() if "expression" in said}
    for name in own:
        if name in metrics or name in dimensions:
            raise ConfigError(f"semantic.metrics.{name} has a name that is taken.", "Choose another name for it.")
        if name.endswith(COMPUTED) or name in FLAGS:
            raise ConfigError(
                f"semantic.metrics.{name} has a name that answers use for columns of their own.",
                f"Choose a name that does not end with {', '.join(COMPUTED)}.",
            )
    return {name: {"description": f"{said['expression']}.", **said} for name, said in own.items()}


def apply_words(words: Mapping[str, Any], metrics: Entries, dimensions: Entries) -> None:
    """Let the tenant's labels, descriptions and `hidden` replace ours. Any: as in `Entries`.

    Raises:
        ConfigError: They are about a metric or dimension that there is not.
    """
    for kind, entries in (("metrics", metrics), ("dimensions", dimensions)):
        for name, said in words.get(kind, {}).items():
            if name not in entries:
                raise ConfigError(f"semantic.{kind}.{name} names nothing that is here.", suggest(name, entries))
            entries[name].update(said)


def exposed(words: Mapping[str, Any], personal: Collection[str]) -> frozenset[str]:
    """The personal dimensions that a tenant allows. Any: as in `Entries`.

    Raises:
        ConfigError: It allows something that is not personal data here.
    """
    allowed = frozenset(words.get("expose", ()))
    for name in sorted(allowed - frozenset(personal)):
        raise ConfigError(f"semantic.expose names {name!r}, which is no personal dimension.", suggest(name, personal))
    return allowed
