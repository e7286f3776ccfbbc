"""What a tenant adds to the answers: its own metrics, words and permissions, and who its traffic sources are."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from pipeline.config.entry import Entry
from pipeline.connectors import Connector
from pipeline.errors import suggest

_METRIC = ("expression", "label", "description", "unit", "hidden")
_DIMENSION = ("label", "description", "hidden")
_ARITHMETIC = (
    *(ast.Expression, ast.BinOp, ast.UnaryOp, ast.Name, ast.Load, ast.Constant),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.USub),
)


def read_semantic(entry: Entry) -> dict[str, Any]:  # Any: a plain tree of text and flags, as written
    """The `semantic:` block, checked in shape. Whether a metric or dimension exists is known once the star is built."""
    fields = entry.fields(("metrics", "dimensions", "expose"))
    semantic: dict[str, Any] = {}
    if "metrics" in fields:
        semantic["metrics"] = _named(fields["metrics"], _METRIC)
    if "dimensions" in fields:
        semantic["dimensions"] = _named(fields["dimensions"], _DIMENSION)
    if "expose" in fields:
        semantic["expose"] = sorted({item.identifier() for item in fields["expose"].items()})
    return semantic


def _named(entry: Entry, known: tuple[str, ...]) -> dict[str, dict[str, object]]:
    """A map of names to what is said about each; saying nothing is refused."""
    named: dict[str, dict[str, object]] = {}
    for name, child in sorted(entry.mapping().items()):
        child.check_name(name, length=60)
        fields = child.fields(known)
        if not fields:
            raise child.wrong(f"{name} is empty.", f"Say something about it: {', '.join(known)}.")
        if "unit" in fields and "expression" not in fields:
            fix = "Remove it: only a metric of your own takes a unit."
            raise fields["unit"].wrong(f"{name} has a unit and no expression.", fix)
        named[name] = {key: _said(key, value) for key, value in sorted(fields.items())}
    return named


def _said(key: str, entry: Entry) -> object:
    if key == "hidden":
        return entry.flag()
    return _expression(entry) if key == "expression" else entry.text(length=1000)


def _expression(entry: Entry) -> str:
    """Arithmetic over metric names: + - * / and parentheses."""
    text = entry.text()
    fix = "Write arithmetic over metrics, such as spend / converting_sessions."
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise entry.wrong(f"{entry.name} is {entry.shown}, which does not parse.", fix) from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            entry.check_name(node.id, length=60)
        is_text = isinstance(node, ast.Constant) and type(node.value) not in (int, float)
        if is_text or not isinstance(node, _ARITHMETIC):
            raise entry.wrong(f"{entry.name} is {entry.shown}, which is more than arithmetic.", fix)
    return text


def read_attribution(entry: Entry, catalog: Mapping[str, Connector]) -> dict[str, list[dict[str, str]]]:
    """Which ad platform a (source, medium) stands for, beside the built-in ones; case and outer space folded."""
    ads = sorted(name for name, connector in catalog.items() if connector.domain == "ads")
    rows: dict[tuple[str, str], str] = {}
    entry.fields(["platforms"])
    for item in entry.required("platforms").items():
        item.fields(("source", "medium", "ad_platform"))
        platform = item.required("ad_platform")
        if platform.text() not in ads:
            raise platform.wrong(f"There is no ads connector named {platform.shown}.", suggest(platform.text(), ads))
        visit = (_folded(item.required("source")), _folded(item.required("medium")))
        if rows.setdefault(visit, platform.text()) != platform.text():
            raise item.wrong(
                f"{visit[0]} / {visit[1]} stands for {rows[visit]} and {platform.text()}.", "Keep one of the two."
            )
    return {
        "platforms": [
            {"source": source, "medium": medium, "ad_platform": platform}
            for (source, medium), platform in sorted(rows.items())
        ]
    }


def _folded(entry: Entry) -> str:
    return entry.text().strip().casefold()
