"""Whatever a caller sends, it gets an answer or a sentence that names the repair, and never an unfiltered number.

`python -P -m bench.fuzz` asks 10,000 questions; here are fewer of the same.
"""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import QueryError
from semantic.answering.dimension_values import dimension_values
from semantic.planning.query import read_query
from tests.semantic.fuzz_cases import wild
from tests.semantic.fuzzing import ask, shop_truth
from tests.semantic.hand_star import HandStar

DEADLINE = 10  # seconds of CPU: those of the clock are the machine's
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def test_every_question_is_answered_right_or_refused_with_a_repair(covered_shop: HandStar) -> None:
    shop = covered_shop
    meant = shop_truth(shop)
    found = {seed: ask(shop, wild(seed), meant) for seed in range(300)}
    assert {seed: outcome.wrong for seed, outcome in found.items() if outcome.wrong} == {}
    assert max(outcome.cpu_seconds for outcome in found.values()) < DEADLINE
    answered = [outcome for outcome in found.values() if outcome.kind == "answered"]
    assert len(answered) > 60
    assert sum(outcome.compared for outcome in answered) > 50
    assert shop.sql("SELECT count(*) FROM fct_shop__orders") == [(5,)]


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=8) | st.sampled_from(["metrics", "filters", "limit", "top"]), ANYTHING))
def test_nonsense_is_repaired(question: dict[str, Any]) -> None:
    with contextlib.suppress(QueryError):
        assert read_query(question).metrics


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30) | st.sampled_from(["\ud800", "'", "%", "\x00"]), st.integers(-2, 20_000))
def test_values_are_searched_for_whatever_is_sent(shop: HandStar, search: str, limit: int) -> None:
    with contextlib.suppress(QueryError):
        found = dimension_values("campaign_name", shop.model, shop.cursor, search=search, limit=limit)
        assert {each["value"] for each in found["values"]} <= {"Alpha", "Beta"}
