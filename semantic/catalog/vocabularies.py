"""Other spellings of a value, read as the value that the data hold: `ACTIVE` as active, `USA` as United States.

The reference tables that conform the data when a star is built read filters too, so both know the same spellings.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from functools import cache

from warehouse.projects.reference_tables import SEEDS

CONFORMED_OPERATORS = ("=", "!=", "in", "not_in")
"""The operators that compare with whole values."""


def conform(text: str, vocabulary: str | None, values: Collection[str] | None) -> str:
    """Return the value that a text means; the text itself where it is a value, or no known spelling.

    Args:
        text: As a caller wrote it.
        vocabulary: Of the dimension; None where values have one spelling.
        values: All that the data hold, where they are few.
    """
    if vocabulary is None or text in (values or ()):
        return text
    folded = _folded(text)
    meant = _meant(folded, vocabulary)
    if values is None or meant in values:
        return meant or text
    same = [value for value in values if _folded(value) == folded]
    return same[0] if len(same) == 1 else text


def _folded(text: str) -> str:
    return " ".join(text.lower().split())


def _meant(folded: str, vocabulary: str) -> str | None:
    """The value that a folded text stands for by its vocabulary."""
    if vocabulary == "country":
        return _countries().get(folded)
    if vocabulary == "campaign_status":
        return _campaign_statuses().get(folded)
    return folded if vocabulary == "folded" else None


@cache
def _countries() -> Mapping[str, str]:
    """The English name of each country by spelling."""
    return {row["spelling"]: row["country"] for row in _rows("platform_ref__countries")}


@cache
def _campaign_statuses() -> Mapping[str, str]:
    """The status by the word for it, ours or a platform's; without words by which two platforms mean different ones."""
    meanings: dict[str, set[str]] = {}
    for row in _rows("platform_ref__campaign_statuses"):
        for word in (row["raw_status"], row["campaign_status"]):
            meanings.setdefault(word, set()).add(row["campaign_status"])
    return {word: min(found) for word, found in meanings.items() if len(found) == 1}


def _rows(table: str) -> list[dict[str, str]]:
    with (SEEDS / f"{table}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
