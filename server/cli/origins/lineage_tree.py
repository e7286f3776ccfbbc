"""Lineage as a tree for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text
from rich.tree import Tree

from server.cli.output.tables import render

Payload = Mapping[str, Any]  # Any: JSON values
KINDS = {
    "payload_object": "records",
    "payload_field": "field",
    "landing_column": "column of the loader",
    "sink_field": "sink",
    "model_column": "",
    "star_column": "star",
    "reference": "reference table",
    "constant": "",
    "trail_end": "the trail ends here",
    "measure": "measure",
    "dimension": "dimension",
    "metric": "metric",
}


def lineage_text(result: Payload) -> str:
    """What a name is made from, what is made from it, and where trails end."""
    nodes = {node["id"]: node for node in result["nodes"]}
    root = result["root"]
    above, below = _Branches(nodes), _Branches(nodes)
    for edge in result["edges"]:
        above.add(edge["to"], edge["from"], edge["via"])
        below.add(edge["from"], edge["to"], edge["via"])
    parts: list[Any] = []  # Any: what rich renders
    if above.of(root):
        parts.append(above.tree(root))
    if below.of(root):
        parts += ["", "Made from it:"] if parts else []
        parts.append(below.tree(root))
    if not parts:
        parts = [above.tree(root), "", "Nothing is made from it."]
    fields = len(result["fields"])
    made_of = "" if result["kind"] == "payload_field" else f"Made from {fields} field{'' if fields == 1 else 's'}; "
    return render(
        *parts,
        "",
        *(f"The trail ends at {end}." for end in result["ends"]),
        *(f"Note: {note}" for note in result["notes"]),
        f"{made_of}run {result['run_id']} of {result['tenant']}.",
    )


@dataclass
class _Branches:
    """The nodes one step from each, in one direction."""

    nodes: Mapping[str, Payload]
    steps: dict[str, list[tuple[str, Sequence[str]]]] = field(default_factory=dict)

    def add(self, start: str, end: str, via: Sequence[str]) -> None:
        self.steps.setdefault(start, []).append((end, via))

    def of(self, start: str) -> list[tuple[str, Sequence[str]]]:
        return self.steps.get(start, [])

    def tree(self, start: str) -> Tree:
        """The tree from a node; what stands in it already is not drawn again."""
        tree = Tree(_line(self.nodes[start]))
        self._grow(tree, start, {start})
        return tree

    def _grow(self, tree: Tree, start: str, drawn: set[str]) -> None:
        for end, via in self.of(start):
            is_drawn = end in drawn and bool(self.of(end))
            branch = tree.add(_line(self.nodes[end], via, is_drawn=is_drawn))
            if not is_drawn:
                drawn.add(end)
                self._grow(branch, end, drawn)


def _line(node: Payload, via: Sequence[str] = (), *, is_drawn: bool = False) -> Text:
    text = Text(node["name"])
    about = ", ".join(filter(None, (KINDS[node["kind"]], *_about(node))))
    if about:
        text.append(f"  {about}", style="dim")
    if via:
        text.append(f"  ({', '.join(via)})", style="cyan")
    if is_drawn:
        text.append("  as above", style="dim")
    return text


def _about(node: Payload) -> Sequence[str]:
    if node["kind"] == "payload_field":
        return (node["wire_type"], node["meaning"])
    return (node["expression"],) if node.get("expression") else ()
