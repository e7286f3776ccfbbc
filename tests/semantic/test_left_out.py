"""Nothing is left out in silence: what a metric could not place is counted inside the days and filters of the query."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import QueryError
from semantic.answering.result_stream import stream_result
from semantic.planning.query import read_query
from tests.semantic.hand_star import TODAY, HandStar

TWIN = {"attribution": "ambiguous", "campaign_name": "Twin"}
OWN = {
    "big_orders": {"metric": "valid_orders", "filters": [{"name": "total_price", "op": ">", "value": 900}]},
    "big_sales": {"metric": "order_revenue", "filters": [{"name": "total_price", "op": ">", "value": 900}]},
    "cac_pct": {"expression": "cac * 100"},
}


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    """Two campaigns named Twin, one named Solo; visits of each, one that several fit, and one of none."""
    star = HandStar(tmp_path_factory.mktemp("twins"), semantic={"metrics": OWN})
    for key, name, spend in (("k1", "Twin", 100), ("k2", "Twin", 50), ("k3", "Solo", 10)):
        star.add("campaigns", {"campaign_key": key, "campaign_id": key, "campaign_name": name})
        ad = {"report_date": date(2026, 3, 1), "campaign_key": key, "campaign_id": key, "spend": spend, "clicks": 1}
        star.add("ad_performance", ad)
    for n, (revenue, campaign) in enumerate(
        [
            (40, {"campaign_key": "k3", "campaign_name": "Solo", "attribution": "matched"}),
            (90, TWIN),
            (30, TWIN),
            (7, {"attribution": "ambiguous"}),
            (5, {"ad_platform": None}),
        ]
    ):
        visit = {"session_date": date(2026, 3, n + 1), "user_key": f"u{n}", "session_revenue": revenue}
        visit |= {"is_conversion_session": True, "ad_platform": "facebook_ads", "currency": "EUR"}
        star.add("sessions", visit | campaign)
    assert star.model
    yield star
    star.close()


def rows(star: HandStar, metrics: list[str], dimension: str, **query: Any) -> dict[Any, Any]:
    return {row[0]: row[1:] for row in star.ask(metrics=metrics, dimensions=[dimension], **query).rows}


def test_a_visit_that_several_campaigns_fit_counts_for_their_name_and_platform(twins: HandStar) -> None:
    by_name = rows(twins, ["attributed_revenue", "roas"], "campaign_name")
    assert by_name == {"Twin": [120, pytest.approx(0.8)], "Solo": [40, 4.0], None: [7, None]}
    assert rows(twins, ["attributed_revenue", "roas"], "ad_platform") == {
        "facebook_ads": [167, pytest.approx(167 / 160)],
        None: [0, None],
    }
    assert twins.one("attributed_revenue") == 167
    assert twins.one("attributed_revenue", filters=[{"name": "campaign_name", "value": "Twin"}]) == 120
    by_id = rows(twins, ["attributed_revenue"], "campaign_id")
    assert by_id == {None: [127], "k3": [40]}


def test_where_its_campaign_is_asked_for_it_is_said_with_its_money(twins: HandStar) -> None:
    said = (
        "3 rows of sessions, with attributed_revenue of 127.00 EUR, fit several values of campaign_id and are in none."
    )
    assert said in twins.ask(metrics=["roas"], dimensions=["campaign_id"]).notes
    one = [{"name": "campaign_id", "op": "=", "value": "k1"}]
    assert said in twins.ask(metrics=["attributed_revenue"], filters=one).notes
    named = (
        "1 row of sessions, with attributed_revenue of 7.00 EUR, fits several values of campaign_name and is in none."
    )
    assert named in twins.ask(metrics=["roas"], dimensions=["campaign_name"]).notes
    assert twins.ask(metrics=["roas"], dimensions=["ad_platform"]).notes == ()


def test_it_is_counted_inside_the_days_and_filters_of_the_query(twins: HandStar) -> None:
    days = {"time_range": {"start": "2026-03-02", "end": "2026-03-02"}}
    answer = twins.ask(metrics=["sessions"], dimensions=["campaign_id"], **days)
    assert "1 row of sessions fits several values of campaign_id and is in none." in answer.notes
    solo = [{"name": "campaign_name", "value": "Solo"}]
    notes = twins.ask(metrics=["sessions"], dimensions=["campaign_id"], filters=solo).notes
    assert [note for note in notes if "fit" in note] == [
        "1 row of sessions fits several values of campaign_name and is in none."
    ]
    unnamed = [{"name": "campaign_id", "op": "is_null"}]
    assert not [note for note in twins.ask(metrics=["sessions"], filters=unnamed).notes if "fit" in note]


def test_a_filter_on_a_name_of_several_campaigns_says_that_they_are_added_up(twins: HandStar) -> None:
    answer = twins.ask(metrics=["spend"], filters=[{"name": "campaign_name", "value": "Twin"}])
    assert answer.rows == ([150],)
    assert "Several rows share one campaign_name: they are added up." in answer.notes


def test_a_ratio_of_a_cost_is_unknown_where_the_cost_has_no_rows(twins: HandStar) -> None:
    by_platform = rows(twins, ["cac", "spend", "cac_pct"], "ad_platform")
    assert by_platform == {"facebook_ads": [40, 160, 4000], None: [None, 0, None]}
    before = {"time_range": {"start": "2026-03-02", "end": "2026-03-05"}}
    assert twins.one("cac", **before) is None
    assert [row[1] for row in twins.ask(metrics=["cac"], dimensions=["date"], order_by=["-cac"]).rows] == [
        160,
        *([None] * 4),
    ]


def test_a_filter_on_a_metric_without_groups_is_refused_with_what_works(twins: HandStar) -> None:
    with pytest.raises(
        QueryError, match=r"nothing is grouped: it would change no number\. Add a dimension to group by"
    ):
        twins.ask(metrics=["spend"], filters=[{"name": "sessions", "op": ">", "value": 0}])


def test_the_filter_that_leaves_no_row_is_named_where_nothing_is_grouped(twins: HandStar) -> None:
    both = [{"name": "campaign_name", "value": name} for name in ("Solo", "Twin")]
    answer = twins.ask(metrics=["spend"], filters=both)
    assert answer.rows == ([0],)
    assert "No row of ad_performance is left by the filter on campaign_name." not in answer.notes
    assert "No row of ad_performance is left by the filters on campaign_name." in answer.notes
    alone = [{"name": "ad_platform", "value": "facebook_ads"}, {"name": "campaign_name", "op": "is_null"}]
    answer = twins.ask(metrics=["spend", "roas"], filters=alone)
    assert "No row of ad_performance is left by the filter on campaign_name." in answer.notes
    assert not [note for note in answer.notes if note.startswith("No row of sessions")]
    before = {"time_range": {"start": "2025-01-01", "end": "2025-01-31"}}
    assert not [note for note in twins.ask(metrics=["spend"], filters=both, **before).notes if "left" in note]


def test_a_metric_whose_own_filters_leave_no_row_says_so(twins: HandStar, folder: Path) -> None:
    star = HandStar(folder, semantic={"metrics": OWN})
    for day, price in ((1, 50), (2, 950)):
        star.add("orders", {"order_date": date(2026, 3, day), "total_price": price})
    first = {"time_range": {"start": "2026-03-01", "end": "2026-03-01"}}
    assert star.ask(metrics=["big_orders"]).notes == ()
    answer = star.ask(metrics=["big_orders", "big_sales"], **first)
    assert answer.rows == ([0, 0],)
    said = [f"No row of orders is left by the filters of {name}." for name in ("big_orders", "big_sales")]
    assert list(answer.notes) == said
    with stream_result(read_query({"metrics": ["big_sales"], **first}), star.model, star.cursor, today=TODAY) as stream:
        assert [batch.num_rows for batch in stream.batches] == [1]
        assert said[1] in stream.answer().notes
    star.close()


def test_purchases_in_a_second_currency_are_said_with_their_money(folder: Path) -> None:
    star = HandStar(folder)
    for day, attribution, purchases, worth in (
        (1, "none", 1, "MAP {'EUR': 30}"),
        (2, "matched", 2, "MAP {'EUR': 5, 'JPY': 700}"),
        (3, "matched", 0, None),
    ):
        visit = {"session_date": date(2026, 3, day), "user_key": "u", "session_revenue": 40, "currency": "USD"}
        visit |= {"left_out_purchases": purchases, "left_out_revenue": worth}
        star.add("sessions", visit | {"attribution": attribution})
    lacks = "in another currency than the first of the visit, and not in"
    answer = star.ask(metrics=["session_revenue", "attributed_revenue"])
    assert answer.rows == ([Decimal(120), 80],)
    assert f"3 purchases are {lacks} session_revenue: 35.00 EUR and 700.00 JPY." in answer.notes
    assert f"2 purchases are {lacks} attributed_revenue: 5.00 EUR and 700.00 JPY." in answer.notes
    first = star.ask(metrics=["session_revenue"], time_range={"start": "2026-03-01", "end": "2026-03-01"})
    assert first.notes == (f"1 purchase is {lacks} session_revenue: 30.00 EUR.",)
    third = star.ask(metrics=["session_revenue"], time_range={"start": "2026-03-03", "end": "2026-03-03"})
    assert third.notes == ()
    star.close()


@pytest.mark.parametrize(("op", "value"), [(">", 10), ("between", ["1", "20"]), ("<=", "9")])
def test_an_id_is_not_compared_with_a_number(twins: HandStar, op: str, value: Any, folder: Path) -> None:
    filter_ = {"name": "campaign_id", "op": op, "value": value}
    with pytest.raises(QueryError, match=r"campaign_id is text, and .* letter by letter: 9 is after 10"):
        twins.ask(metrics=["spend"], filters=[filter_])
    star = HandStar(folder, semantic={"metrics": {"mine": {"metric": "spend", "filters": [filter_]}}})
    with pytest.raises(Exception, match="campaign_id is text"):
        assert star.model
    assert twins.one("spend", filters=[filter_ | {"op": "in", "value": ["k1"]}]) == 100


def test_a_dimension_of_another_name_still_says_which_rows_are_unplaced(folder: Path) -> None:
    names = {"attribution": {"rename": "zuordnung"}, "campaign_id": {"rename": "kampagne"}}
    star = HandStar(folder, semantic={"dimensions": names})
    visit = {"session_date": date(2026, 3, 1), "user_key": "u", "session_revenue": 30, "currency": "EUR"}
    star.add("sessions", visit | TWIN)
    notes = star.ask(metrics=["session_revenue"], dimensions=["kampagne"]).notes
    assert (
        "1 row of sessions, with session_revenue of 30.00 EUR, fits several values of kampagne and is in none." in notes
    )
    star.close()
