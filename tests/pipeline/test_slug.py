"""One function makes slugs, and whatever takes one from outside asks it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.config.slug import LENGTH, slug_of, slugs_among
from pipeline.errors import AccessError, ConfigError, PublishError
from pipeline.publish.run_store import stage
from server.serving.access import check_slug, local_caller

NONE = {
    "": "is not a safe name",
    "Acme": "is not a safe name",
    "1acme": "is not a safe name",
    "acme-eu": "is not a safe name",
    "../acme": "is not a safe name",
    "acme\n": "is not a safe name",
    "ácme": "is not a safe name",
    "a" * (LENGTH + 1): "is too long",
    "nul": "is the name of a device on Windows",
    "com1": "is the name of a device on Windows",
    "acme_staging": "ends in _staging, as a schema of the loader does",
}


@pytest.mark.parametrize("text", ["a", "acme", "acme_2", "a" * LENGTH, "console", "staging"])
def test_a_slug_is_a_short_safe_name(text: str) -> None:
    assert slug_of(text) == check_slug(text) == text


@pytest.mark.parametrize("text", NONE)
def test_what_is_none_is_refused_by_every_way_in(text: str) -> None:
    with pytest.raises(ConfigError, match=NONE[text]):
        slug_of(text)
    for way_in in (check_slug, local_caller):
        with pytest.raises(AccessError, match="There is no such tenant here"):
            way_in(text)
    with pytest.raises(PublishError, match="is not a tenant slug"):
        stage(None, None, "20260301T000000000000Z_0a1b2c", text, {})  # type: ignore[arg-type]  # refused before


def test_of_many_texts_the_slugs_are_kept_in_order() -> None:
    assert list(slugs_among([*NONE, "b", ".DS_Store", "a"])) == ["b", "a"]


def test_nothing_but_its_own_module_makes_a_slug() -> None:
    root = Path(__file__).resolve().parents[2]
    modules = [path for name in ("pipeline", "warehouse", "semantic", "server") for path in (root / name).rglob("*.py")]
    makers = {path.stem for path in modules if re.search(r"\bSlug\(|cast\(\"?Slug", path.read_text(encoding="utf-8"))}
    assert makers == {"slug"}
