"""Nothing is added, divided or ranked across currencies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from pipeline.errors import QueryError
from semantic.answering.listing import list_metrics
from tests.semantic.hand_star import HandStar


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    """Ads in euros and dollars, a shop in euros."""
    star = HandStar(tmp_path_factory.mktemp("two"))
    star.add(
        "ad_performance",
        {"report_date": date(2026, 1, 1), "spend": 10, "clicks": 1, "currency": "EUR"},
        {"report_date": date(2026, 1, 2), "spend": 20, "clicks": 2, "currency": "USD"},
        {"report_date": date(2026, 1, 2), "spend": 5, "clicks": 2, "currency": None},
    )
    star.add("orders", {"order_date": date(2026, 1, 1), "total_price": 30, "currency": "EUR"})
    star.add("sessions", {"session_date": date(2026, 1, 1), "user_key": "u", "session_revenue": 0, "currency": None})
    assert star.model
    yield star
    star.close()


def test_money_in_two_currencies_is_refused_with_both_repairs(two: HandStar) -> None:
    for metric in ("spend", "cpc", "blended_roas", "cac"):
        with pytest.raises(QueryError) as refused:
            two.ask(metrics=[metric])
        assert "is in EUR and USD here, and currencies are never added up." in refused.value.what
        assert refused.value.fix == (
            'Add "currency" to dimensions, or add a filter such as {"name": "currency", "op": "=", "value": "EUR"}.'
        )


def test_both_repairs_work(two: HandStar) -> None:
    rows = two.table(metrics=["spend", "blended_roas"], dimensions=["currency"])
    assert [list(row.values()) for row in rows] == [["USD", 20, 0], ["EUR", 10, 3], [None, 5, 0]]
    answer = two.ask(metrics=["blended_roas", "spend"], filters=[{"name": "currency", "value": "EUR"}])
    assert answer.rows == ([3.0, 10],)
    assert answer.columns[1]["unit"] == "EUR"


def test_a_filter_that_leaves_two_currencies_repairs_nothing(two: HandStar) -> None:
    with pytest.raises(QueryError, match="never added up"):
        two.ask(metrics=["spend"], filters=[{"name": "currency", "op": "in", "value": ["EUR", "USD"]}])
    with pytest.raises(QueryError, match="never added up"):
        two.ask(metrics=["clicks"], filters=[{"name": "spend", "op": ">", "value": 1}])


def test_metrics_without_money_and_money_of_one_currency_need_no_currency(two: HandStar) -> None:
    assert two.one("clicks") == 5
    answer = two.ask(metrics=["order_revenue"])
    assert (answer.rows, answer.columns[0]["unit"]) == (([30],), "EUR")
    units = {metric["name"]: metric["unit"] for metric in list_metrics(two.model)["metrics"]}
    assert (units["spend"], units["order_revenue"]) == ("currency", "EUR")


@pytest.mark.parametrize(
    "part",
    [
        {"totals": True},
        {"share_of_total": ["spend"]},
        {"top": {"by": "spend"}},
        {"top": {"by": "clicks", "other": True}},
    ],
)
def test_what_would_mix_currencies_is_refused_also_when_currency_is_selected(
    two: HandStar, part: dict[str, Any]
) -> None:
    with pytest.raises(QueryError, match="would mix EUR and USD"):
        two.ask(metrics=["spend", "clicks"], dimensions=["currency"], **part)


VISITS = "2 of 5 sessions have no currency: only those with a purchase have one"


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    """Five visits, of which two bought in euros and one in dollars."""
    star = HandStar(tmp_path_factory.mktemp("visits"))
    for n, code in enumerate(["EUR", None, "USD", None, "EUR"]):
        visit = {"session_date": date(2026, 1, 1), "user_key": f"u{n}", "is_conversion_session": code is not None}
        bought = {"session_revenue": 10 if code else 0, "currency": code, "session_duration_seconds": n}
        star.add("sessions", visit | bought | {"events_in_session": 2})
        star.add("ad_performance", {"report_date": date(2026, 1, 1), "spend": 5, "clicks": 1, "currency": "EUR"})
    assert star.model
    yield star
    star.close()


@pytest.mark.parametrize("metric", ["conversion_rate", "median_session_seconds", "events_per_session"])
@pytest.mark.parametrize(("op", "value"), [("=", "EUR"), ("!=", "EUR"), ("in", ["EUR"]), ("is_not_null", None)])
def test_what_a_filter_on_currency_would_make_another_thing_of_is_refused(
    visits: HandStar, metric: str, op: str, value: Any
) -> None:
    filter_ = {"name": "currency", "op": op, **({"value": value} if value else {})}
    with pytest.raises(QueryError) as refused:
        visits.ask(metrics=["clicks", metric], filters=[filter_])
    assert refused.value.what == (
        f"{metric} is not known by currency: sessions have one only with a purchase, and a filter on currency would "
        "leave out the others."
    )
    assert refused.value.fix == f"Ask for {metric} without that filter, in a query of its own."
    with pytest.raises(QueryError, match="is not known by currency"):
        visits.ask(metrics=["clicks"], filters=[filter_, {"name": metric, "op": ">", "value": 0}])


def test_counts_that_a_filter_on_currency_makes_smaller_say_so(visits: HandStar) -> None:
    for metric, count in (("sessions", 2), ("converting_sessions", 2), ("session_users", 2)):
        answer = visits.ask(metrics=[metric], filters=[{"name": "currency", "value": "EUR"}])
        assert answer.rows == ([count],)
        assert f"{VISITS}, and the filter on currency leaves out the others." in answer.notes
    cac = visits.ask(metrics=["cac"], filters=[{"name": "currency", "value": "EUR"}])
    assert cac.rows == ([12.5],)
    assert f"{VISITS}, and the filter on currency leaves out the others." in cac.notes


def test_by_currency_the_visits_without_a_purchase_are_seen_and_explained(visits: HandStar) -> None:
    answer = visits.ask(metrics=["conversion_rate", "sessions"], dimensions=["currency"])
    assert [list(row) for row in answer.rows] == [["EUR", 1.0, 2], ["USD", 1.0, 1], [None, 0.0, 2]]
    assert f"{VISITS}." in answer.notes


def test_where_no_row_is_left_out_a_filter_on_currency_needs_no_word(visits: HandStar) -> None:
    for question in (
        {"metrics": ["session_revenue", "spend"], "filters": [{"name": "currency", "value": "EUR"}]},
        {"metrics": ["ctr"], "filters": [{"name": "currency", "value": "EUR"}]},
        {"metrics": ["conversion_rate"], "filters": [{"name": "currency", "op": "is_null"}]},
        {"metrics": ["conversion_rate"]},
    ):
        assert not [note for note in visits.ask(**question).notes if "have no currency" in note]


def test_money_that_does_not_say_its_currency_is_told(two: HandStar) -> None:
    assert (
        "1 rows of ad_performance hold money without saying its currency."
        in two.ask(metrics=["spend"], dimensions=["currency"]).notes
    )
    assert "Money is in the currency of each row." in two.ask(metrics=["spend"], dimensions=["currency"]).notes
