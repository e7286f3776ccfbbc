"""What a tenant adds to the answers: its own metrics, words and permissions, and who its traffic sources are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.config.blocks.custom_metric_forms import FORMS, is_custom_form, read_form
from pipeline.config.entry import Entry
from pipeline.contracts.connector import Connector
from pipeline.errors import suggest

_WORDS = ("label", "description", "synonyms", "hidden", "rename")


def read_semantic(entry: Entry) -> dict[str, Any]:  # Any: a plain tree of text and flags, as written
    """The `semantic:` block, checked in shape. Whether a metric or dimension exists is known once the star is built."""
    fields = entry.fields(("metrics", "dimensions", "expose"))
    semantic: dict[str, Any] = {}
    if "metrics" in fields:
        semantic["metrics"] = _named(fields["metrics"], (*FORMS, *_WORDS))
    if "dimensions" in fields:
        semantic["dimensions"] = _named(fields["dimensions"], _WORDS)
    if "expose" in fields:
        semantic["expose"] = sorted({item.identifier() for item in fields["expose"].items()})
    return semantic


def semantic_places(entry: Entry) -> dict[str, str]:
    """Where each name of a `semantic:` block stands, such as `metrics.profit` at tenants.yaml:12."""
    fields = entry.mapping()
    named = [(kind, fields[kind].mapping().items()) for kind in ("metrics", "dimensions") if kind in fields]
    places = {f"{kind}.{name}": child.place for kind, children in named for name, child in children}
    exposed = fields["expose"].items() if "expose" in fields else []
    return {**places, **{f"expose.{item.value}": item.place for item in exposed}}


def _named(entry: Entry, known: tuple[str, ...]) -> dict[str, dict[str, object]]:
    """A map of names to what is said about each; saying nothing is refused."""
    named: dict[str, dict[str, object]] = {}
    for name, child in sorted(entry.mapping().items()):
        child.check_name(name, length=60)
        fields = child.fields(known)
        if not fields:
            raise child.wrong(f"{name} is empty.", f"Say something about it: {', '.join(known)}.")
        form = read_form(child, fields)
        if "rename" in fields and is_custom_form(form):
            raise fields["rename"].wrong(f"{name} is a metric of your own.", "Give it the name you want.")
        words = {key: _said(key, value) for key, value in fields.items() if key in (*_WORDS, "unit")}
        named[name] = dict(sorted({**form, **words}.items()))
    return named


def _said(key: str, entry: Entry) -> object:
    if key == "hidden":
        return entry.flag()
    if key == "rename":
        return entry.identifier(60)
    if key == "synonyms":
        return [item.text(length=100) for item in entry.one_or_many()]
    return entry.text(length=1000)


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
