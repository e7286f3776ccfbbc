"""The reference says what the code says; its examples parse, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.config.key_meanings import MEANINGS
from pipeline.gate_rules.gate_registry import GATES
from tests.docs import gate_table, tenant_keys
from tests.docs.pages import BLOCKS, REFERENCE, ROOT, blocks_of, regenerated
from tests.docs.typed_commands import commands_of, parse

PAGES = sorted(REFERENCE.glob("*.md"))
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_what_the_code_says(page: Path, request: pytest.FixtureRequest) -> None:
    text = page.read_text(encoding="utf-8")
    if request.config.getoption("--update-golden"):
        page.write_text(regenerated(text), encoding="utf-8")
    assert page.read_text(encoding="utf-8") == regenerated(text)


def test_every_block_has_its_page() -> None:
    assert sorted(name for page in PAGES for name in blocks_of(page.read_text(encoding="utf-8"))) == sorted(BLOCKS)


def test_every_gate_without_a_threshold_is_a_test_of_a_star_and_has_its_meaning_from_there() -> None:
    without = {gate.id for gate in GATES.values() if gate.threshold is None}
    assert without == set(gate_table.found_tests())
    assert [gate.id for gate in GATES.values() if bool(gate.checks) is (gate.id in without)] == []


def test_every_key_that_the_readers_accept_has_a_meaning_and_every_meaning_a_key() -> None:
    accepted = tenant_keys.recorded().keys
    assert sorted(key for key in accepted if not tenant_keys.meaning(key)) == []
    assert sorted(set(MEANINGS) - accepted) == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "docs" / "currency.md"], ids=lambda page: page.stem)
def test_every_command_on_a_page_parses(page: Path) -> None:
    for line in commands_of(page.read_text(encoding="utf-8")):
        parse(line)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.relative_to(ROOT).as_posix())
def test_every_link_of_a_document_leads_to_a_file_and_heading(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", document.read_text(encoding="utf-8")):
        path, _, heading = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), f"{document.name} links to {target}"
        if heading:
            assert heading in headings(file.read_text(encoding="utf-8")), f"{document.name} links to {target}"


def headings(text: str) -> set[str]:
    """The anchors of a page's headings, as renderers of Markdown make them."""
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.replace("`", "")).strip().lower().replace(" ", "-") for line in found}
