"""Nothing is added, divided or ranked across currencies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from pipeline.errors import QueryError
from semantic.run import list_metrics
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


def test_money_that_does_not_say_its_currency_is_told(two: HandStar) -> None:
    assert (
        "1 rows of ad_performance hold money without saying its currency."
        in two.ask(metrics=["spend"], dimensions=["currency"]).notes
    )
    assert "Money is in the currency of each row." in two.ask(metrics=["spend"], dimensions=["currency"]).notes
