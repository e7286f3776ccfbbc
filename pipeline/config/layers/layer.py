"""One layer of the configuration: what it sets, each value with the place that sets it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SECRET_WORDS = re.compile(r"(?i)(?:^|_)(secret|secrets|token|password|passphrase|key)(?:_|$)")

ValuePath = tuple[str, ...]
"""The name of a setting, and of a part of it where it has parts."""


@dataclass(frozen=True, slots=True)
class LayerValue:
    """A value that a layer sets."""

    value: Any  # Any: YAML and JSON have no schema; the settings check it
    where: str
    """`file:line`, a variable or an option."""
    is_secret: bool = False
    """Whether it is, or was taken from a variable that is named as, a secret."""


Layer = Mapping[ValuePath, LayerValue]
"""What a layer sets. No path is the beginning of another: a value has parts, or is one."""


def names_secret(name: str) -> bool:
    """Whether a setting, a key or a variable is named as a secret."""
    return SECRET_WORDS.search(name) is not None


def layer_of(values: Mapping[str, Any], place: Mapping[str, str]) -> Layer:  # Any: as LayerValue.value
    """A layer of plain values by setting; mappings in them are parts. `place` is where each setting is set."""
    found: dict[ValuePath, LayerValue] = {}
    for name, value in values.items():
        for path, part in _parts((name,), value):
            found[path] = LayerValue(part, place[name], names_secret(path[-1]))
    return found


def _parts(path: ValuePath, value: Any) -> Iterable[tuple[ValuePath, Any]]:  # Any: as LayerValue.value
    if not isinstance(value, dict) or not value:
        yield path, value
        return
    for key, part in value.items():
        yield from _parts((*path, str(key)), part)


def lay_over(under: Layer, over: Layer) -> Layer:
    """The values of both; those of `over` where both set the same one, or one of them a part of it."""
    kept = {path: value for path, value in under.items() if not any(_overlap(path, other) for other in over)}
    return {**kept, **over}


def _overlap(one: ValuePath, other: ValuePath) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def overlapping(layer: Layer, path: ValuePath) -> list[LayerValue]:
    """The values of a layer at a path: the one there, its parts, or the one that it would be a part of."""
    return [value for other, value in layer.items() if _overlap(path, other)]


def nested(layer: Layer) -> dict[str, Any]:  # Any: as LayerValue.value
    """The values of a layer by setting, parts as mappings."""
    root: dict[str, Any] = {}
    for path, value in layer.items():
        inner = root
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = value.value
    return root
