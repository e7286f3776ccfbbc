"""The semantic and attribution blocks: custom metrics, labels and permissions, and ad platforms of traffic sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.config.blocks.custom_metric_forms import FORMS, is_custom_form, read_form
from pipeline.config.entry import Entry
from pipeline.contracts.connector import Connector
from pipeline.errors import suggest

_OVERLAY_KEYS = ("label", "description", "synonyms", "hidden", "rename")


def read_semantic(entry: Entry) -> dict[str, Any]:  # Any: a plain tree of text and flags, as written
    """The `semantic:` block, checked in shape. Metrics and dimensions are checked against the star once it is built."""
    fields = entry.fields(("metrics", "dimensions", "expose"))
    semantic: dict[str, Any] = {}
    if "metrics" in fields:
        semantic["metrics"] = _named(fields["metrics"], (*FORMS, *_OVERLAY_KEYS))
    if "dimensions" in fields:
        semantic["dimensions"] = _named(fields["dimensions"], _OVERLAY_KEYS)
    if "expose" in fields:
        semantic["expose"] = sorted({item.identifier() for item in fields["expose"].items()})
    return semantic


def semantic_locations(entry: Entry) -> dict[str, str]:
    """File and line of each name of a `semantic:` block, such as tenants.yaml:12 of `metrics.profit`."""
    fields = entry.mapping()
    named = [(kind, fields[kind].mapping().items()) for kind in ("metrics", "dimensions") if kind in fields]
    locations = {f"{kind}.{name}": child.location for kind, children in named for name, child in children}
    exposed = fields["expose"].items() if "expose" in fields else []
    return {**locations, **{f"expose.{item.value}": item.location for item in exposed}}


def _named(entry: Entry, known: tuple[str, ...]) -> dict[str, dict[str, object]]:
    """A map of names to the keys set for each; a name without keys is refused."""
    named: dict[str, dict[str, object]] = {}
    for name, child in sorted(entry.mapping().items()):
        child.check_name(name, length=60)
        fields = child.fields(known)
        if not fields:
            raise child.wrong(f"{name} is empty.", f"Say something about it: {', '.join(known)}.")
        form = read_form(child, fields)
        if "rename" in fields and is_custom_form(form):
            raise fields["rename"].wrong(f"{name} is a metric of your own.", "Give it the name you want.")
        overlay = {key: _overlay_value(key, value) for key, value in fields.items() if key in (*_OVERLAY_KEYS, "unit")}
        named[name] = dict(sorted({**form, **overlay}.items()))
    return named


def _overlay_value(key: str, entry: Entry) -> object:
    if key == "hidden":
        return entry.flag()
    if key == "rename":
        return entry.identifier(60)
    if key == "synonyms":
        return [item.text(length=100) for item in entry.one_or_many()]
    return entry.text(length=1000)


def read_attribution(entry: Entry, catalog: Mapping[str, Connector]) -> dict[str, list[dict[str, str]]]:
    """The ad platform of each (source, medium), beside the built-in ones; case and outer space are ignored."""
    ads = sorted(name for name, connector in catalog.items() if connector.domain == "ads")
    rows: dict[tuple[str, str], str] = {}
    entry.fields(["platforms"])
    for item in entry.required("platforms").items():
        item.fields(("source", "medium", "ad_platform"))
        platform = item.required("ad_platform")
        if platform.text() not in ads:
            raise platform.wrong(f"There is no ads connector named {platform.excerpt}.", suggest(platform.text(), ads))
        visit = (_normalized(item.required("source")), _normalized(item.required("medium")))
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


def _normalized(entry: Entry) -> str:
    return entry.text().strip().casefold()
