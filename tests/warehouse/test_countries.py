"""The reference table of countries: what CLDR says, and one country per spelling."""

from __future__ import annotations

import csv

from tests.warehouse.country_spellings import TABLE, rows, written

ISO_3166 = 249
"""Countries and territories that the standard lists."""


def test_the_table_holds_what_cldr_says() -> None:
    assert TABLE.read_text(encoding="utf-8") == written(), "run python -P -m tests.warehouse.country_spellings"


def test_every_country_of_the_standard_has_one_name_and_every_spelling_one_country() -> None:
    spellings = [spelling for spelling, _, _ in rows()]
    assert len(set(spellings)) == len(spellings)
    names = {code: name for _, code, name in rows()}
    assert len(names) == len(set(names.values())) == ISO_3166 + 1  # and Kosovo


def test_a_name_and_a_code_lead_back_to_their_country() -> None:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        known = {row["spelling"]: row for row in csv.DictReader(lines)}
    for row in known.values():
        assert known[row["country"].lower()]["country_code"] == row["country_code"]
        assert known[row["country_code"].lower()]["country"] == row["country"]
