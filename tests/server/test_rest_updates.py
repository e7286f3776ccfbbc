"""Edits of tenants.yaml: what is not meant stays as it was, byte by byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.config.entry import Entry
from pipeline.config.yaml_file import read_yaml
from server.orchestration.jobs.tenants_edit import with_changes, with_tenant, without_tenant

BUNDLED = Path("tenants.yaml").read_text(encoding="utf-8")
ODD = """\
# head

defaults:
    timezone: Europe/Berlin

tenants:
- slug: a   # first
  business_name:   A
  sources: {shopify: {enabled: true},   google_analytics: {enabled: true}}
  # of a

# of b
- {slug: b, business_name: 'B'}

# what includes are for
include: []
"""
FORMS = {"bundled": BUNDLED, "odd": ODD, "windows": ODD.replace("\n", "\r\n"), "no end": BUNDLED.rstrip("\n")}
ENTRY = {"slug": "acme", "business_name": "Acme", "sources": {"shopify": {"enabled": True}}}


def plain(entry: Entry) -> Any:
    if isinstance(entry.value, dict):
        return {key: plain(value) for key, value in entry.value.items()}
    return [plain(item) for item in entry.value] if isinstance(entry.value, list) else entry.value


def loaded(text: str, tmp_path: Path) -> Any:
    file = tmp_path / "said.yaml"
    file.write_bytes(text.encode())
    return plain(read_yaml(file))


@pytest.mark.parametrize("form", FORMS)
def test_a_new_tenant_is_lines_added_behind_the_last_one_and_nothing_else(form: str, tmp_path: Path) -> None:
    text = FORMS[form]
    after = with_tenant(text, ENTRY)
    before, now = text.splitlines(), after.splitlines()
    added = len(now) - len(before)
    begin = now.index(next(line for line in now if "acme" in line))
    assert (added, now[:begin] + now[begin + added :]) == (5, before)
    assert after.count("\r") == (after.count("\n") if form == "windows" else 0)
    was, entries = loaded(text, tmp_path), loaded(after, tmp_path)
    assert entries == {**was, "tenants": [*was["tenants"], ENTRY]}
    assert without_tenant(after, "acme").rstrip("\r\n") == text.rstrip("\r\n")


def test_comments_that_follow_the_tenants_still_stand_before_what_they_are_about() -> None:
    assert with_tenant(ODD, ENTRY).endswith("enabled: true\n\n# what includes are for\ninclude: []\n")


@pytest.mark.parametrize(
    "text", ["tenants: []\n", "tenants: [{slug: b, business_name: B}] # one line\n", "include: [x]\n"]
)
def test_a_list_in_one_line_or_none_takes_a_tenant_too(text: str, tmp_path: Path) -> None:
    was, entries = loaded(text, tmp_path), loaded(with_tenant(text, ENTRY), tmp_path)
    assert entries == {**was, "tenants": [*was.get("tenants", []), ENTRY]}
    assert loaded(without_tenant(with_tenant(text, ENTRY), "acme"), tmp_path) == {
        **was,
        "tenants": was.get("tenants", []),
    }


@pytest.mark.parametrize("slug", ["nobody", ""])
def test_taking_away_who_is_not_there_changes_nothing(slug: str) -> None:
    assert without_tenant(ODD, slug) == ODD


def test_a_change_of_logic_touches_the_lines_of_that_logic_alone(tmp_path: Path) -> None:
    logic = {"google_analytics": {"events": {"conversion_events": ["purchase", "sign_up"]}}}
    after = with_changes(BUNDLED, "tyrell_corp", {"logic": logic})
    before, now = BUNDLED.splitlines(), after.splitlines()
    gone = [line for line in before if line not in now]
    new = [line.strip() for line in now if line not in before]
    assert gone == ["              conversion_events: [purchase]"]
    assert new == ["conversion_events:", "- purchase", "- sign_up"] or new == ["conversion_events: [purchase, sign_up]"]
    entry = loaded(after, tmp_path)["tenants"][0]
    assert entry["sources"]["google_analytics"]["tables"][0]["logic"]["conversion_events"] == ["purchase", "sign_up"]
    assert loaded(after, tmp_path)["tenants"][1:] == loaded(BUNDLED, tmp_path)["tenants"][1:]


def test_words_are_merged_and_null_takes_away_to_the_byte(tmp_path: Path) -> None:
    words = {"metrics": {"margin": {"expression": "order_revenue - spend", "description": "Left.", "unit": "currency"}}}
    once = with_changes(BUNDLED, "wayne_enterprises", {"semantic": words})
    twice = with_changes(once, "wayne_enterprises", {"semantic": {"metrics": {"margin": {"description": "More."}}}})
    (metric,) = loaded(twice, tmp_path)["tenants"][1]["semantic"]["metrics"].values()
    assert metric == {**words["metrics"]["margin"], "description": "More."}
    assert with_changes(twice, "wayne_enterprises", {"semantic": {"metrics": {"margin": None}}}) == BUNDLED


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
MARKS = (
    "\u2028",
    "\ufeffx",
    "\x85",
    "é",
    "日本",
    "🦊",
    "a\tb",
    " x ",
    "",
    "1_000",
    "2026-01-01",
    "- a",
    "a: b",
    "a #c",
    "? a",
)
PLAIN = (
    "007 1e5 0x1f 0o7 yes no null ~ #c 12:30 true TRUE .5 5. +1 *a &a !t %d @x ` { [ ' | > --- ... << = ? : - .inf .nan"
)
LOOKALIKES = st.sampled_from([*MARKS, *PLAIN.split(), '"'])
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**15), 10**15),
        TEXTS,
        LOOKALIKES,
        st.floats(allow_nan=False, allow_infinity=False, width=32),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=60)
@example(value="\x85")
@example(value=["a\x85b", "a\u2028b", "a\ufeffb", "a\u2029"])
@given(value=VALUES)
def test_whatever_is_posted_is_read_back_as_it_was_sent(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    entry = {"slug": "acme", "business_name": value}
    read = loaded(with_tenant(ODD, entry), tmp_path_factory.getbasetemp())
    assert read["tenants"][-1] == entry
    assert read["tenants"][:-1] == loaded(ODD, tmp_path_factory.getbasetemp())["tenants"]
