"""docs/glossary.md: each word has one line, and the file that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (?P<word>[^|]+) \| (?P<meaning>[^|]+) \| `(?P<path>[^`|]+)` \|$", re.MULTILINE)
ROWS = [match.groupdict() for match in ROW.finditer((ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"))]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["word"])
def test_a_word_lives_where_the_glossary_says(row: dict[str, str]) -> None:
    assert (ROOT / row["path"]).is_file()


def test_a_word_is_explained_once_and_in_one_line() -> None:
    words = [row["word"] for row in ROWS]
    assert len(words) > 80
    assert [word for word in words if words.count(word) > 1] == []


def test_words_stand_in_the_order_of_the_alphabet_within_their_table() -> None:
    for section in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").split("\n## ")[1:]:
        words = [match["word"].replace("-", " ").lower() for match in ROW.finditer(section)]
        assert words == sorted(words)
