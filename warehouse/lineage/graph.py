"""A graph of lineage: what is made from what, by which macros."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

NodeKind = Literal[
    "payload_object",
    "payload_field",
    "landing_column",
    "sink_field",
    "model_column",
    "star_column",
    "reference",
    "constant",
    "trail_end",
    "measure",
    "dimension",
    "metric",
]


@dataclass(frozen=True)
class LineageNode:
    """One place of a value on its way."""

    id: str
    kind: NodeKind
    name: str
    about: Mapping[str, object] = field(default_factory=dict)
    """What else is known of it, as JSON values."""


@dataclass(frozen=True, order=True)
class LineageEdge:
    """A node that is made from another, and by what."""

    source: str
    target: str
    via: tuple[str, ...] = ()


@dataclass
class Graph:
    """Nodes and edges, added as a trail is followed."""

    nodes: dict[str, LineageNode] = field(default_factory=dict)
    sources: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    """By node: the nodes that it is made from, each with the macros between."""

    def add(self, node: LineageNode) -> bool:
        """Add a node; whether it is new."""
        is_new = node.id not in self.nodes
        if is_new:
            self.nodes[node.id] = node
            self.sources[node.id] = {}
        return is_new

    def connect(self, source: str, target: str, via: Iterable[str] = ()) -> None:
        self.sources[target].setdefault(source, set()).update(via)

    def upstream(self, start: str) -> set[str]:
        """A node and all that it is made from."""
        return _reached({start}, self.sources)

    def downstream(self, start: str) -> set[str]:
        """A node and all that is made from it."""
        targets: dict[str, list[str]] = {}
        for target, sources in self.sources.items():
            for source in sources:
                targets.setdefault(source, []).append(target)
        return _reached({start}, targets)

    def part(self, ids: set[str]) -> tuple[tuple[LineageNode, ...], tuple[LineageEdge, ...]]:
        """Some nodes, and the edges between them, in the order of their ids."""
        edges = [
            LineageEdge(source, target, tuple(sorted(via)))
            for target in ids
            for source, via in self.sources[target].items()
            if source in ids
        ]
        return tuple(self.nodes[each] for each in sorted(ids)), tuple(sorted(edges))


def _reached(starts: set[str], following: Mapping[str, Iterable[str]]) -> set[str]:
    found, waiting = set(starts), list(starts)
    while waiting:
        for each in following.get(waiting.pop(), ()):
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found
