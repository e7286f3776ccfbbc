"""Nothing is added, divided or ranked across currencies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError, QueryError
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
    for metric in ("spend", "cpc", "blended_roas"):
        with pytest.raises(QueryError) as refused:
            two.ask(metrics=[metric])
        assert "is in EUR and USD here, and currencies are never added up." in refused.value.what
        assert refused.value.fix == (
            'Add "currency" to dimensions, or add a filter such as {"name": "currency", "op": "=", "value": "EUR"}.'
        )


def test_both_repairs_work(two: HandStar) -> None:
    rows = two.table(metrics=["spend", "blended_roas"], dimensions=["currency"])
    assert [list(row.values()) for row in rows] == [["EUR", 10, 3], ["USD", 20, 0], [None, 5, 0]]
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


@pytest.mark.parametrize("metric", ["conversion_rate", "median_session_seconds", "events_per_session", "cac"])
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
    by_currency = "; by currency ask for spend" if metric == "cac" else ""
    assert refused.value.fix == f"Ask for {metric} without that filter, in a query of its own{by_currency}."
    with pytest.raises(QueryError, match="is not known by currency"):
        visits.ask(metrics=["clicks"], filters=[filter_, {"name": metric, "op": ">", "value": 0}])


def test_counts_that_a_filter_on_currency_makes_smaller_say_so(visits: HandStar) -> None:
    for metric, count in (("sessions", 2), ("converting_sessions", 2), ("session_users", 2)):
        answer = visits.ask(metrics=[metric], filters=[{"name": "currency", "value": "EUR"}])
        assert answer.rows == ([count],)
        assert f"{VISITS}, and the filter on currency leaves out the others." in answer.notes


def test_by_currency_the_visits_without_a_purchase_are_seen_and_explained(visits: HandStar) -> None:
    answer = visits.ask(metrics=["sessions"], dimensions=["currency"], order_by=["-sessions", "currency"])
    assert [list(row) for row in answer.rows] == [["EUR", 2], [None, 2], ["USD", 1]]
    assert f"{VISITS}." in answer.notes


@pytest.mark.parametrize("metric", ["conversion_rate", "cac"])
def test_a_ratio_over_visits_is_not_cut_by_a_currency_that_most_of_them_lack(visits: HandStar, metric: str) -> None:
    with pytest.raises(QueryError, match=f"{metric} is not known by currency: .* rows by currency would leave out"):
        visits.ask(metrics=[metric], dimensions=["currency"])
    [listed] = [each for each in list_metrics(visits.model)["metrics"] if each["name"] == metric]
    assert "date" in listed["dimensions"]
    assert "currency" not in listed["dimensions"]


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"order_by": ["-spend"]}, "Ordered by spend, rows in EUR and USD would be ranked as if they were one."),
        ({"order_by": ["cpc"]}, "Ordered by cpc, rows"),
        ({"order_by": ["clicks", "-spend_change"], "compare": "previous_year"}, "Ordered by spend_change, rows"),
        ({"filters": [{"name": "spend", "op": ">", "value": 1}]}, "A filter on spend would compare EUR and USD with"),
    ],
)
def test_money_of_several_currencies_is_neither_ranked_nor_compared_with_a_number(
    two: HandStar, part: dict[str, Any], said: str
) -> None:
    days = {"time_range": {"start": "2026-01-01", "end": "2026-01-31"}}
    question = {"metrics": ["spend", "cpc", "clicks"], "dimensions": ["currency"], **days, **part}
    with pytest.raises(QueryError) as refused:
        two.ask(**question)
    assert refused.value.what.startswith(said)
    assert '{"name": "currency", "op": "=", "value": "EUR"}' in refused.value.fix
    filters = [{"name": "currency", "op": "=", "value": "EUR"}, *part.get("filters", ())]
    assert two.ask(**question | {"filters": filters}).row_count == 1


def test_within_a_currency_money_is_ranked_and_so_are_fractions_of_it(two: HandStar) -> None:
    question: dict[str, Any] = {"metrics": ["spend", "blended_roas", "clicks"], "dimensions": ["currency", "date"]}
    for order in (["currency", "-spend"], ["-blended_roas"], ["-clicks"]):
        assert two.ask(**question, order_by=order).row_count == 3
    assert [row[0] for row in two.ask(**question).rows] == ["EUR", "USD", None]
    assert two.ask(**question, filters=[{"name": "spend", "op": "is_not_null"}]).row_count == 3


OWN = {
    "euros": {"metric": "spend", "filters": [{"name": "currency", "op": "=", "value": "EUR"}]},
    "dollars": {"metric": "spend", "filters": [{"name": "currency", "op": "in", "value": ["USD"]}]},
    "euro_clicks": {"metric": "clicks", "filters": [{"name": "currency", "op": "=", "value": "EUR"}]},
    "euro_cpc": {"expression": "euros / euro_clicks"},
    "mean_dollars": {
        "fact": "ad_performance",
        "aggregate": "average",
        "column": "spend",
        "filters": [{"name": "currency", "op": "=", "value": "USD"}],
    },
    "both": {"expression": "euros + dollars"},
    "roas_pct": {"expression": "blended_roas * 100"},
}


def test_an_own_metric_of_one_currency_is_in_that_currency(folder: Path) -> None:
    star = HandStar(folder, semantic={"metrics": OWN})
    for day, spend, code in ((1, 10, "EUR"), (2, 20, "USD"), (3, 5, "EUR")):
        star.add("ad_performance", {"report_date": date(2026, 1, day), "spend": spend, "clicks": 5, "currency": code})
    answer = star.ask(metrics=["euros", "dollars", "euro_cpc", "mean_dollars"], order_by=["-euros"])
    assert [(column["name"], column["unit"]) for column in answer.columns] == [
        ("euros", "EUR"),
        ("dollars", "USD"),
        ("euro_cpc", "EUR"),
        ("mean_dollars", "USD"),
    ]
    assert answer.rows == ([15, 20, 1.5, 20],)
    assert not [note for note in answer.notes if "currency" in note]
    units = {metric["name"]: metric["unit"] for metric in list_metrics(star.model)["metrics"]}
    assert (units["euros"], units["dollars"], units["both"]) == ("EUR", "USD", "currency")
    with pytest.raises(QueryError, match="is in EUR and USD here"):
        star.ask(metrics=["both"])
    star.close()


@pytest.mark.parametrize(
    "own",
    [
        {"metric": "conversion_rate", "filters": [{"name": "currency", "value": "USD", "op": "="}]},
        {"metric": "cac", "filters": [{"name": "currency", "value": ["USD"], "op": "in"}]},
        {"metric": "median_session_seconds", "filters": [{"name": "currency", "op": "is_not_null"}]},
        {
            "fact": "sessions",
            "aggregate": "average",
            "column": "events_in_session",
            "filters": [{"name": "currency", "value": "USD", "op": "="}],
        },
    ],
)
def test_what_a_question_refuses_of_the_currency_tenants_yaml_refuses_too(folder: Path, own: dict[str, Any]) -> None:
    star = HandStar(folder, semantic={"metrics": {"mine": own}})
    with pytest.raises(ConfigError, match="mine is filtered by currency, and sessions have one only with a purchase"):
        assert star.model
    counted = {"metric": "converting_sessions", "filters": [{"name": "currency", "value": "USD", "op": "="}]}
    star = HandStar(folder / "counted", semantic={"metrics": {"mine": counted}})
    assert star.one("mine") is None
    star.close()


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
