"""Why a metric changed: effects of members add up to the change, and say what a person finds by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import QueryError
from semantic.answering.exact_json import to_json
from semantic.answering.explain.change_request import ChangeRequest, read_change_request
from semantic.answering.explain.effects import (
    Effect,
    Member,
    Sides,
    concentration,
    effects_of,
    part_effects,
    quotient,
    remainder,
)
from semantic.answering.explain.explain_change import explain_change
from semantic.answering.explain.explanation import Explanation
from semantic.answering.explain.metric_parts import split_formula
from semantic.answering.explain.onset import find_onset
from semantic.catalog.formula import parse, to_text
from semantic.planning.query import read_query
from tests.semantic import reference
from tests.semantic.examples import examples
from tests.semantic.hand_star import TODAY, HandStar, hand_shop
from tests.semantic.random_star import DIMENSIONS, STARS, RandomStar, same, truth

FEBRUARY = {"start": "2026-02-01", "end": "2026-02-28"}
AMOUNTS = st.decimals(-10_000, 10_000, places=6)
SIDES = st.builds(Sides, AMOUNTS, AMOUNTS)
SIZES = st.builds(Sides, *[st.decimals(0, 10_000, places=2)] * 2)


def explained(shop: HandStar, metric: str, **more: Any) -> Explanation:
    request = read_change_request({"metric": metric, "time_range": FEBRUARY, **more})
    return explain_change(request, shop.model, shop.cursor, today=TODAY)


def shown(explanation: Explanation, most: int = 10) -> dict[str, Any]:
    return explanation.to_dict(most, 5)


def whole(members: list[Member], *, is_ratio: bool) -> Member:
    def added(sides: list[Sides]) -> Sides:
        return Sides(sum(each.current for each in sides), sum(each.previous for each in sides))  # type: ignore[arg-type]

    by = added([each.denominator for each in members if each.denominator]) if is_ratio else None
    return Member(None, added([each.numerator for each in members]), by)


def told_or_refused(request: ChangeRequest, asked: HandStar | RandomStar) -> Explanation | QueryError:
    cursor = asked.cursor if isinstance(asked, HandStar) else asked.connection
    try:
        return explain_change(request, asked.model, cursor, today=TODAY)
    except QueryError as refused:
        return refused


def refusal(shop: HandStar, **sent: Any) -> str:
    with pytest.raises(QueryError) as refused:
        explain_change(read_change_request(sent), shop.model, shop.cursor, today=TODAY)
    return str(refused.value)


@examples(100)
@given(st.lists(SIDES, min_size=1, max_size=12), st.integers(0, 12))
def test_effects_on_a_sum_add_up_to_its_change_exactly(sides: list[Sides], read: int) -> None:
    members = [Member(f"m{n}", each) for n, each in enumerate(sides)]
    total = whole(members, is_ratio=False)
    rest = remainder(members[:read], total)
    effects = effects_of([*members[:read], *([rest] if rest else [])], total)
    assert sum(each.effect for each in effects) == total.numerator.change
    assert [abs(each.effect) for each in effects] == sorted((abs(each.effect) for each in effects), reverse=True)


@examples(150)
@given(st.lists(st.tuples(SIDES, SIZES), min_size=1, max_size=12), st.integers(0, 12))
def test_mix_and_rate_effects_add_up_to_the_change_of_a_ratio(parts: list[tuple[Sides, Sides]], read: int) -> None:
    members = [Member(f"m{n}", numerator, by) for n, (numerator, by) in enumerate(parts)]
    total = whole(members, is_ratio=True)
    assert total.denominator is not None
    if not total.denominator.current or not total.denominator.previous:
        return
    rest = remainder(members[:read], total)
    effects = effects_of([*members[:read], *([rest] if rest else [])], total)
    change = quotient(total).change
    assert abs(sum(each.effect for each in effects) - change) < Decimal("1e-9")
    assert abs(sum((each.mix or 0) + (each.rate or 0) for each in effects) - change) < Decimal("1e-9")
    assert abs(sum(part_effects(total)) - change) < Decimal("1e-9")
    assert 0 <= concentration(effects) <= 1


def ratio(*members: tuple[int, int, int, int]) -> dict[str | bool | None, Effect]:
    """Effects of members of (numerator, before, denominator, before)."""
    made = [
        Member(f"m{n}", Sides(Decimal(a), Decimal(b)), Sides(Decimal(c), Decimal(d)))
        for n, (a, b, c, d) in enumerate(members)
    ]
    return {each.member.name: each for each in effects_of(made, whole(made, is_ratio=True))}


def test_where_only_weights_move_all_is_mix_and_where_only_rates_move_all_is_rate() -> None:
    shifted = ratio((60, 20, 30, 10), (70, 90, 70, 90))  # rates 2 and 1 stay; the weight of the first rises
    assert [float(each.mix or 0) for each in shifted.values()] == pytest.approx([0.16, 0.04])
    assert all(each.rate == 0 for each in shifted.values())
    worse = ratio((20, 40, 20, 20), (80, 80, 80, 80))  # weights stay; the first rate halves
    assert {name: float(each.rate or 0) for name, each in worse.items()} == {"m0": -0.2, "m1": 0}
    assert all(each.mix == 0 for each in worse.values())
    grown = ratio((80, 40, 40, 20), (160, 80, 160, 80))  # twice of everything
    assert all(each.effect == 0 for each in grown.values())


def test_a_member_without_a_denominator_is_mix_and_divides_by_nothing() -> None:
    found = ratio((50, 0, 100, 100), (30, 10, 0, 0), (9, 0, 20, 0))
    assert found["m1"].rate == found["m2"].rate == 0
    assert found["m1"].effect == found["m1"].mix == Decimal(30) / 120 - Decimal(10) / 100


def test_a_change_is_concentrated_where_few_moved_and_not_where_all_did() -> None:
    alike = [Member(str(n), Sides(Decimal(n * 2), Decimal(n))) for n in range(1, 5)]
    assert concentration(effects_of(alike, whole(alike, is_ratio=False))) == 0
    one = [Member(str(n), Sides(Decimal(10 + 10 * (n == 0)), Decimal(10))) for n in range(20)]
    assert concentration(effects_of(one, whole(one, is_ratio=False))) > Decimal("0.9")
    nobody = [Member(None, Sides(Decimal(90), Decimal(10))), Member("a", Sides(Decimal(5), Decimal(5)))]
    assert concentration(effects_of(nobody, whole(nobody, is_ratio=False))) == 0  # nothing that has a name did it


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a - b", ("a - b", None)),
        ("a / b", ("a", "b")),
        ("a / b * 1000", ("a * 1000", "b")),
        ("(a - b) / (b + c)", ("a - b", "b + c")),
        ("1 - a / b", ("(b * 1) - a", "b")),
        ("a / b + c / b", ("a + c", "b")),
        ("a / b + c / a", None),
        ("a * b", None),
        ("a / b / c", None),
        ("1 / a", None),
        ("a / b + a * b", None),
        ("a + 1", None),
    ],
)
def test_a_formula_is_split_where_it_is_a_quotient_of_sums(text: str, parts: tuple[str, str | None] | None) -> None:
    split = split_formula(parse(text, "m"))
    written = split and (to_text(split.numerator, str), split.denominator and to_text(split.denominator, str))
    assert written == parts


def test_the_onset_is_the_first_day_outside_the_usual_band_on_the_side_of_the_change() -> None:
    start = date(2026, 3, 2)
    usual = {start - timedelta(days=n): Decimal(100 + n % 5) for n in range(1, 57)}
    after = {start + timedelta(days=n): Decimal(value) for n, value in enumerate((101, 140, 60, 55))}
    fell = find_onset(usual | after, start, Decimal(-1))
    assert fell is not None
    assert (fell.day, fell.value) == (date(2026, 3, 4), 60)
    assert fell.band.low < 100 < fell.band.high < 140
    assert find_onset(dict(list(usual.items())[:13]) | after, start, Decimal(-1)) is None  # too few days to say
    quiet = dict.fromkeys(usual, Decimal(0)) | {start: Decimal(0), start + timedelta(days=1): Decimal(1)}
    assert getattr(find_onset(quiet, start, Decimal(1)), "day", None) == start + timedelta(days=1)


def test_a_sum_is_explained_by_what_each_member_added(covered_shop: HandStar) -> None:
    # February 207 (Alpha 200, none 7), January 150 (Alpha 100, Beta 50)
    told = shown(explained(covered_shop, "spend", dimensions=["campaign_name"]))
    assert (told["value"], told["previous"], told["change"]) == (207, 150, 57)
    assert [[row[0], *row[1:4]] for row in told["rows"]] == [
        ["Alpha", 200, 100, 100],
        ["Beta", 0, 50, -50],
        [None, 7, 0, 7],
    ]
    assert told["columns"] == ["campaign_name", "value", "previous", "effect", "onset"]
    assert told["compared_with"] == {"start": "2026-01-01", "end": "2026-01-31"}
    assert (told["unit"], told["other"], told["parts"]) == ("EUR", None, [])


def test_members_that_are_not_listed_are_one_entry_and_nothing_is_lost(covered_shop: HandStar) -> None:
    told = shown(explained(covered_shop, "spend", dimensions=["campaign_name"]), most=1)
    assert told["other"] == {"members": 2, "effect": -43}
    assert sum(row[3] for row in told["rows"]) + told["other"]["effect"] == told["change"]


def test_a_ratio_across_facts_is_explained_by_mix_and_rate(covered_shop: HandStar) -> None:
    # roas: February (300 + 40) / 207, January 150 / 150
    told = shown(explained(covered_shop, "roas", dimensions=["campaign_name"]))
    by_hand = Decimal(340) / 207 - 1
    assert told["change"] == round(by_hand, 11)
    assert abs(sum(row[3] for row in told["rows"]) - told["change"]) < Decimal("1e-9")
    assert abs(sum(row[4] + row[5] for row in told["rows"]) - told["change"]) < Decimal("1e-9")
    assert [part["name"] for part in told["parts"]] == ["attributed_revenue", "spend"]
    assert abs(sum(part["effect"] for part in told["parts"]) - told["change"]) < Decimal("1e-9")
    assert "share of spend" in told["method"]
    alpha = next(row for row in told["rows"] if row[0] == "Alpha")
    # weights 200 / 207 and 100 / 150, rates 340 / 200 and 150 / 100
    assert float(alpha[5]) == pytest.approx((340 / 200 - 150 / 100) * (200 / 207 + 100 / 150) / 2)
    assert float(alpha[4]) == pytest.approx((200 / 207 - 100 / 150) * ((340 / 200 + 1.5) / 2 - (340 / 207 + 1) / 2))


@examples(25)
@given(
    rows=STARS,
    metric=st.sampled_from(["spend", "clicks", "orders", "order_revenue", "sessions", "ctr", "roas", "blended_roas"]),
    by=st.sampled_from(sorted(set(DIMENSIONS) - {"date", "product_name"})),
    compare=st.sampled_from(["previous_period"]),
)
def test_effects_are_those_of_plain_python_over_random_rows(
    star: RandomStar, rows: Any, metric: str, by: str, compare: str
) -> None:
    meant = truth(star.fill(rows))
    if not meant.go_together([metric], [by]):
        return
    span = {"start": "2026-01-27", "end": "2026-02-12"}
    sent = {"time_range": span, "compare": compare}
    request = read_change_request({"metric": metric, **sent, "dimensions": [by]})
    [expected], _ = reference.answer(read_query({"metrics": [metric], **sent}), meant)
    told = told_or_refused(request, star)
    if isinstance(told, QueryError):
        assert "in one of the two windows" in told.what
        assert expected[metric] is None or expected[f"{metric}_previous"] is None
        return
    assert told.breakdown is not None
    change = sum((each.effect for each in told.breakdown.effects), Decimal(0))
    assert same(change, expected[f"{metric}_change"] or 0)
    if not told.parts:
        groups, _ = reference.answer(read_query({"metrics": [metric], **sent, "dimensions": [by]}), meant)
        theirs = {row[by]: row[f"{metric}_change"] for row in groups if row[f"{metric}_change"]}
        ours = {each.member.name: each.effect for each in told.breakdown.effects if each.effect}
        assert all(same(ours.get(name, 0), value) for name, value in theirs.items())


def test_without_dimensions_the_most_concentrated_one_is_chosen_and_how_is_said(covered_shop: HandStar) -> None:
    told = explained(covered_shop, "spend")
    assert told.breakdown is not None
    assert told.breakdown.dimension == next(iter(told.concentrations))
    assert list(told.concentrations.values()) == sorted(told.concentrations.values(), reverse=True)
    assert len(told.concentrations) > 2
    assert not {"date", "currency", "campaign_id"} & told.concentrations.keys()
    assert "concentration: " in shown(told)["method"]


def test_filters_limit_what_is_explained(covered_shop: HandStar) -> None:
    only = [{"name": "ad_platform", "value": "google_ads"}]
    told = shown(explained(covered_shop, "spend", dimensions=["campaign_name"], filters=only))
    assert (told["value"], told["previous"]) == (0, 50)
    assert told["filters"] == [{"name": "ad_platform", "op": "=", "value": "google_ads"}]


def test_whatever_a_metric_is_its_change_is_explained_or_refused_with_a_repair(shop: HandStar) -> None:
    catalog = shop.model.catalog
    for metric in catalog.askable_metrics:
        by = next(name for name in catalog.dimensions_of(catalog.facts_of(metric)) if name not in ("date", "currency"))
        sent = {"metric": metric, "time_range": FEBRUARY, "dimensions": [by]}
        told = told_or_refused(read_change_request(sent), shop)
        if isinstance(told, QueryError):
            assert told.fix, metric
            continue
        assert told.breakdown is not None
        effects = sum((each.effect for each in told.breakdown.effects), Decimal(0))
        assert abs(effects - told.sides.change) < Decimal("1e-9"), metric
        assert to_json(shown(told))


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"metric": "customers"}, "customers is a count of different values, which members do not add up to. Explain "),
        ({"metric": "median_order_value"}, "median_order_value is a median"),
        ({"metric": "returning_customer_rate"}, "customers is a count of different values"),
        ({"metric": "largest_order"}, "largest_order is the greatest value"),
        ({"metric": "spnd"}, "Did you mean spend?"),
        ({}, 'There is no metric to explain. Write "metric": "roas".'),
        ({"metric": ["spend", "roas"]}, "Explain one metric at a time."),
        ({"metrics": ["spend"]}, "Did you mean metric?"),
        ({"metric": "spend", "time_range": None}, "There are no days to explain."),
        ({"metric": "spend", "time_range": {"start": "2026-02-01"}}, "compare needs both ends"),
        ({"metric": "spend", "time_range": "lst_week"}, "Did you mean last_week"),
        ({"metric": "spend", "dimensions": ["date"]}, "onset says on which day the change began"),
        ({"metric": "roas", "dimensions": ["product_name"]}, "roas cannot be cut or filtered by product_name."),
        ({"metric": "spend", "filters": [{"name": "ad_platform", "value": "Google"}]}, "Did you mean google_ads"),
        ({"metric": "spend", "filters": [{"name": "clicks", "op": ">", "value": 1}]}, "Filter by a dimension"),
        ({"metric": "spend", "compare": "last"}, "compare is 'last'."),
        ({"metric": "spend", "compare": "row_before"}, 'Write "compare": "previous_period" or "previous_year".'),
        ({"metric": "spend", "limit": 3}, "A query has no key 'limit'."),
    ],
)
def test_what_cannot_be_explained_is_refused_with_the_repair(
    shop: HandStar, sent: dict[str, Any], message: str
) -> None:
    assert message in refusal(shop, **{"time_range": FEBRUARY, **sent})


def test_a_window_without_data_is_refused_with_days_that_work(shop: HandStar) -> None:
    text = refusal(shop, metric="spend", time_range=FEBRUARY, compare="previous_year")
    assert "There are no data of spend for 2025-02-01 to 2025-02-28 that can be compared" in text
    assert "Days with data are 2026-01-10 to 2026-03-01" in text
    repaired = {"start": "2026-02-05", "end": "2026-03-01"}
    assert f'"start": "{repaired["start"]}", "end": "{repaired["end"]}"' in text
    assert explained(shop, "spend", time_range=repaired).sides.previous == 50


def test_windows_that_are_covered_in_part_are_cut_alike_and_that_is_said(shop: HandStar) -> None:
    told = shown(explained(shop, "spend", dimensions=["campaign_name"]))  # data begin on 10 January
    assert (told["time_range"]["start"], told["compared_with"]["start"]) == ("2026-02-10", "2026-01-10")
    assert told["coverage"] == {"days": 19, "of": 28, "previous_days": 19, "previous_of": 31}
    assert any(note.startswith("Compared like for like: 2026-02-10 to 2026-02-28") for note in told["notes"])
    assert (told["value"], told["previous"]) == (0, 150)


def test_a_member_that_no_source_covers_is_not_known_rather_than_0(folder: Path) -> None:
    stale = hand_shop(folder).cover("2026-01-01", "2026-03-31", "ad_performance", platform="facebook_ads")
    stale.cover("2026-01-01", "2026-01-31", "ad_performance", platform="google_ads", delivered_on=date(2026, 2, 1))
    span = {"start": "2026-02-10", "end": "2026-03-12"}
    told = shown(explained(stale, "spend", time_range=span, dimensions=["ad_platform"]))
    rows = {row[0]: row[1:4] for row in told["rows"]}
    assert rows == {"facebook_ads": [3, 307, -304], "google_ads": [None, 50, -50]}
    assert any("google_ads ends 2026-01-31" in note for note in told["notes"])
    stale.close()


def test_a_ratio_without_a_denominator_in_a_window_is_refused(covered_shop: HandStar) -> None:
    only = [{"name": "campaign_name", "value": "Beta"}]
    text = refusal(covered_shop, metric="roas", time_range=FEBRUARY, filters=only)
    assert text.startswith("roas has no value in one of the two windows: its spend is 0 there. Explain ")
