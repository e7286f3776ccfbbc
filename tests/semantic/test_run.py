"""Answers on the hand-written shop, each number added up on paper."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.semantic.hand_star import HandStar

FEBRUARY = {"start": "2026-02-01", "end": "2026-02-28"}


def test_a_metric_alone_is_the_sum_of_its_rows(shop: HandStar) -> None:
    assert shop.one("spend") == Decimal(360)
    assert shop.one("order_revenue") == Decimal(550)
    assert shop.one("orders") == 5
    assert shop.one("customers") == 2
    assert shop.one("new_customers") == 2


def test_a_ratio_is_a_ratio_of_sums_also_in_the_total(shop: HandStar) -> None:
    rows = shop.table(metrics=["ctr"], dimensions=["ad_platform"], totals=True)
    assert {row["ad_platform"]: row["ctr"] for row in rows} == {
        "facebook_ads": pytest.approx(51 / 3100),
        "google_ads": pytest.approx(5 / 600),
        None: pytest.approx(56 / 3700),
    }


def test_refunds_and_net_revenue_are_of_the_orders_that_revenue_is_of(shop: HandStar) -> None:
    assert shop.table(metrics=["order_revenue", "refunded_amount", "net_order_revenue"]) == [
        {"order_revenue": 550, "refunded_amount": 20, "net_order_revenue": 530}
    ]
    by_day = shop.table(metrics=["refunds", "refunds_by_refund_day"], dimensions=["date"])
    assert by_day == [  # the refund of a cancelled order is none of a valid one
        {"date": "2026-02-01", "refunds": 1, "refunds_by_refund_day": 20},
        {"date": "2026-02-13", "refunds": 0, "refunds_by_refund_day": 0},
    ]


def test_a_channel_that_was_paid_nothing_has_no_cost_per_customer(shop: HandStar) -> None:
    metrics = ["cac", "cost_per_new_customer", "roas", "spend", "converting_sessions"]
    rows = {row["ad_platform"]: row for row in shop.table(metrics=metrics, dimensions=["ad_platform"])}
    assert (rows[None]["spend"], rows[None]["cac"], rows[None]["cost_per_new_customer"]) == (0, None, None)
    assert rows["google_ads"]["cac"] == 50 / rows["google_ads"]["converting_sessions"]
    assert shop.one("cac", time_range={"start": "2026-04-01", "end": "2026-04-30"}) is None
    before = {"start": "2026-01-01", "end": "2026-03-31"}
    [row] = shop.table(metrics=["cac"], time_range=before, compare="previous_period")
    assert (row["cac_previous"], row["cac_change"]) == (None, None)
    [*_, total] = shop.table(metrics=["cac"], dimensions=["ad_platform"], totals=True)
    assert total["cac"] == 360 / 4


def test_a_sum_of_days_that_no_source_covers_and_an_unreported_number_are_empty(shop: HandStar) -> None:
    rows = shop.table(metrics=["spend", "sessions"], dimensions=["date"], time_grain="month")
    assert [(row["date"], row["spend"], row["sessions"]) for row in rows][-1] == ("2026-04-01", None, 1)
    rows = shop.table(metrics=["ad_conversions", "cost_per_conversion"], dimensions=["ad_platform"])
    assert [list(row.values()) for row in rows] == [["facebook_ads", 6.0, 300 / 6], ["google_ads", None, None]]


def test_a_time_range_outside_the_data_gives_nothing_and_says_where_the_data_end(shop: HandStar) -> None:
    answer = shop.ask(metrics=["spend", "ctr"], time_range={"start": "2026-03-10", "end": "2026-03-20"})
    assert answer.rows == ([None, None],)
    assert "ad_performance has data until 2026-03-01." in answer.notes


def test_a_time_range_needs_no_date_among_the_dimensions_and_counts_both_ends(shop: HandStar) -> None:
    assert shop.one("spend", time_range={"start": "2026-01-20", "end": "2026-02-05"}) == 250
    assert shop.one("spend", time_range={"start": "2026-02-06"}) == 10
    assert shop.one("spend", time_range={"end": "2026-01-10"}) == 100


def test_named_ranges_end_yesterday_or_with_their_unit_in_the_tenants_zone(folder: Path) -> None:
    star = HandStar(folder, timezone="Asia/Tokyo")
    star.add("sessions", *({"session_date": date(2026, 4, day), "user_key": "u"} for day in (1, 13, 14, 15)))
    assert star.one("sessions", time_range="last_2_days", today=date(2026, 4, 15)) == 2
    late = datetime(2026, 4, 14, 16, tzinfo=UTC)  # already the 15th in Tokyo
    answer = star.ask(metrics=["sessions"], time_range="yesterday", today=late)
    assert answer.time_range == {"start": "2026-04-14", "end": "2026-04-14"}
    star.close()


def test_dates_are_cut_into_periods_that_begin_where_the_tenant_says(folder: Path) -> None:
    star = HandStar(folder, week_start="sunday")
    star.add("sessions", *({"session_date": date(2026, 4, day), "user_key": "u"} for day in (4, 5, 11, 12)))
    rows = star.table(metrics=["sessions"], dimensions=["date"], time_grain="week")
    assert [tuple(row.values()) for row in rows] == [("2026-03-29", 1), ("2026-04-05", 2), ("2026-04-12", 1)]
    star.close()


def test_rows_come_in_the_order_asked_with_ties_by_dimension_and_empty_last(shop: HandStar) -> None:
    rows = shop.table(metrics=["sessions"], dimensions=["geo_country"], order_by=["sessions"])
    assert [row["geo_country"] for row in rows] == ["FR", None, "DE"]
    rows = shop.table(metrics=["roas"], dimensions=["campaign_name"], order_by=["-roas"])
    assert [row["campaign_name"] for row in rows] == [None, "Alpha", "Beta"]
    rows = shop.table(metrics=["roas"], dimensions=["campaign_name"], order_by=["roas", "-campaign_name"])
    assert [row["campaign_name"] for row in rows] == ["Beta", "Alpha", None]


def test_a_cursor_gives_the_next_rows_until_there_are_none(shop: HandStar) -> None:
    whole = shop.table(metrics=["sessions"], dimensions=["date"])
    seen, cursor = [], None
    for _ in range(3):
        answer = shop.ask(metrics=["sessions"], dimensions=["date"], limit=2, cursor=cursor)
        seen += [row[0] for row in answer.rows]
        cursor = answer.cursor
    assert (seen, cursor, answer.truncated) == ([row["date"] for row in whole], None, False)


def test_totals_are_a_last_row_of_everything_on_every_page(shop: HandStar) -> None:
    rows = shop.table(metrics=["spend"], dimensions=["campaign_name"], totals=True, limit=1)
    assert [(row["campaign_name"], row["spend"], row["is_total"]) for row in rows] == [
        ("Alpha", 300, False),
        (None, 360, True),
    ]


def test_different_people_are_counted_again_for_the_total(shop: HandStar) -> None:
    rows = shop.table(metrics=["session_users"], dimensions=["date"], time_grain="month", totals=True)
    assert [row["session_users"] for row in rows] == [2, 2, 1, 1, 3]


def test_totals_and_comparisons_of_nothing_are_zero(shop: HandStar) -> None:
    rows = shop.table(
        metrics=["spend", "ctr"],
        dimensions=["campaign_name"],
        filters=[{"name": "campaign_name", "op": "contains", "value": "zz"}],
        totals=True,
    )
    assert rows == [{"campaign_name": None, "spend": 0, "ctr": None, "is_total": True}]


def test_a_filter_on_a_metric_works_on_groups_also_when_it_is_not_selected(shop: HandStar) -> None:
    filters = [{"name": "roas", "op": ">", "value": 1.5}]
    rows = shop.table(metrics=["spend"], dimensions=["campaign_name", "date"], time_grain="month", filters=filters)
    assert rows == [
        {"campaign_name": "Alpha", "date": "2026-02-01", "spend": 200},
        {"campaign_name": None, "date": "2026-03-01", "spend": 3},
    ]
    equal = [{"name": "spend", "op": "=", "value": 200}]
    assert len(shop.table(metrics=["spend"], dimensions=["date"], filters=equal)) == 1


def test_a_filter_is_applied_to_every_fact(shop: HandStar) -> None:
    filters = [{"name": "ad_platform", "op": "=", "value": "google_ads"}]
    [row] = shop.table(metrics=["spend", "session_revenue", "order_revenue"], filters=filters)
    assert row == {"spend": 50, "session_revenue": 65, "order_revenue": 0}


def test_the_period_before_a_whole_month_is_the_month_before(covered_shop: HandStar) -> None:
    question = {"metrics": ["spend"], "dimensions": ["campaign_name"], "time_range": FEBRUARY}
    answer = covered_shop.ask(**question, compare="previous_period")
    assert answer.rows == (["Alpha", 200, 100, 100, 1.0], [None, 7, 0, 7, None], ["Beta", 0, 50, -50, -1.0])
    assert "Compared with 2026-01-01 to 2026-01-31." in answer.notes


def test_the_period_before_other_days_is_as_many_days(shop: HandStar) -> None:
    days = {"start": "2026-02-05", "end": "2026-02-20"}
    [row] = shop.table(metrics=["spend"], time_range=days, compare="previous_period")
    assert row["spend_previous"] == 50
    [row] = shop.table(metrics=["spend"], dimensions=["date"], time_range=days, compare="previous_period", limit=1)
    assert (row["date"], row["spend_previous"]) == ("2026-02-05", 50)


def test_days_that_the_month_before_does_not_have_are_compared_with_nothing(folder: Path) -> None:
    star = HandStar(folder)
    days = ("2026-01-31", "2026-02-28", "2026-03-28", "2026-03-31")
    star.cover("2026-01-01", "2026-03-31")
    star.add("sessions", *({"session_date": date.fromisoformat(day), "user_key": "u"} for day in days))
    march = {"start": "2026-03-01", "end": "2026-03-31"}
    question = {"metrics": ["sessions"], "dimensions": ["date"], "time_range": march, "compare": "previous_period"}
    rows = star.table(**question, totals=True)
    assert [list(row.values())[:3] for row in rows] == [
        ["2026-03-28", 1, 1],
        ["2026-03-31", 1, None],
        [None, 2, 1],
    ]
    february = {"start": "2026-02-01", "end": "2026-02-28"}
    rows = star.table(**{**question, "time_range": february}, totals=True)
    assert [list(row.values())[:3] for row in rows] == [["2026-02-28", 1, 0], [None, 1, 1]]
    filled = star.table(**question, fill_gaps=True)
    assert [row["sessions_previous"] for row in filled][26:] == [0, 1, None, None, None]
    star.close()


def test_29_february_is_compared_with_the_28th_of_the_year_before(folder: Path) -> None:
    star = HandStar(folder)
    days = ("2023-02-28", "2024-02-28", "2024-02-29")
    star.cover("2023-01-01", "2024-02-29")
    star.add("sessions", *({"session_date": date.fromisoformat(day), "user_key": "u"} for day in days))
    leap = {"start": "2024-02-01", "end": "2024-02-29"}
    question = {"metrics": ["sessions"], "time_range": leap, "compare": "previous_year"}
    rows = star.table(**question, dimensions=["date"], totals=True)
    assert [row["sessions_previous"] for row in rows] == [1, 1, 1]
    [row] = star.table(**question, dimensions=["date"], time_grain="month")
    assert (row["sessions"], row["sessions_previous"], row["sessions_change_ratio"]) == (2, 1, 1.0)
    star.close()


def test_a_share_is_of_all_groups_before_the_limit(shop: HandStar) -> None:
    rows = shop.table(metrics=["spend"], dimensions=["campaign_name"], share_of_total=["spend"], limit=1)
    assert rows[0]["spend_share"] == pytest.approx(300 / 360)
    rows = shop.table(
        metrics=["net_order_revenue"],
        dimensions=["campaign_name"],
        share_of_total=["net_order_revenue"],
        filters=[{"name": "net_order_revenue", "op": ">", "value": 65}],
    )
    assert [row["net_order_revenue_share"] for row in rows] == [1.0]


def test_a_running_sum_begins_with_the_range(shop: HandStar) -> None:
    question = {"metrics": ["spend"], "dimensions": ["date"], "time_range": FEBRUARY}
    rows = shop.table(**question, cumulative={"metric": "spend"})
    assert [row["spend_cumulative"] for row in rows] == [200, 200, 207]
    rows = shop.table(
        **question,
        cumulative={"metric": "spend", "kind": "year_to_date"},
        filters=[{"name": "spend", "op": ">", "value": 0}],
    )
    assert [(row["spend"], row["spend_cumulative"]) for row in rows if row["spend"]] == [(200, 350), (7, 357)]


def test_rolling_days_count_back_over_gaps_and_before_the_range(shop: HandStar) -> None:
    rows = shop.table(
        metrics=["spend", "clicks", "cpc"],
        dimensions=["date"],
        time_range={"start": "2026-02-05", "end": "2026-02-08"},
        cumulative={"metric": "cpc", "kind": "rolling", "days": 17},
        fill_gaps=True,
    )
    assert [row["spend"] for row in rows] == [200, 0, 7, 0]
    assert [row["cpc_cumulative"] for row in rows] == [
        pytest.approx(250 / 45),
        pytest.approx(200 / 40),
        pytest.approx(207 / 41),
        pytest.approx(207 / 41),
    ]


def test_month_to_date_starts_again_with_each_month_and_group(shop: HandStar) -> None:
    rows = shop.table(
        metrics=["sessions"],
        dimensions=["date", "traffic_source"],
        filters=[{"name": "traffic_source", "op": "=", "value": "google"}],
        cumulative={"metric": "sessions", "kind": "month_to_date"},
        time_range={"start": "2026-02-08", "end": "2026-03-31"},
    )
    assert [(row["date"], row["sessions_cumulative"]) for row in rows] == [("2026-02-10", 2), ("2026-03-01", 1)]


def test_gaps_are_filled_for_every_group_and_period_of_the_range(shop: HandStar) -> None:
    rows = shop.table(
        metrics=["spend", "ctr"],
        dimensions=["date", "ad_platform"],
        time_grain="month",
        time_range={"start": "2026-01-01", "end": "2026-04-30"},
        fill_gaps=True,
        order_by=["ad_platform", "date"],
    )
    assert [(row["ad_platform"], row["spend"]) for row in rows] == [
        *(("facebook_ads", amount) for amount in (100, 207, 3, None)),
        *(("google_ads", amount) for amount in (50, 0, 0, None)),
    ]
    assert [row["ctr"] is None for row in rows] == [False, False, False, True, False, False, True, True]


def test_the_highest_groups_keep_their_dates_and_the_others_become_one(shop: HandStar) -> None:
    rows = shop.table(
        metrics=["spend", "ctr"],
        dimensions=["date", "campaign_name"],
        time_grain="month",
        top={"by": "spend", "n": 1, "other": True},
        totals=True,
    )
    assert [(row["date"], row["campaign_name"], row["spend"], row["is_other"], row["is_total"]) for row in rows] == [
        ("2026-01-01", "Alpha", 100, False, False),
        ("2026-01-01", "other", 50, True, False),
        ("2026-02-01", "Alpha", 200, False, False),
        ("2026-02-01", "other", 7, True, False),
        ("2026-03-01", "other", 3, True, False),
        (None, None, 360, False, True),
    ]
    rows = shop.table(metrics=["customers"], dimensions=["campaign_name"], top={"by": "customers", "n": 1})
    assert [list(row.values()) for row in rows] == [["Alpha", 2]]
    whole = shop.table(metrics=["spend"], dimensions=["campaign_name"], top={"by": "spend", "n": 9, "other": True})
    assert [row["is_other"] for row in whole] == [False] * 3


def test_everything_at_once_still_adds_up(covered_shop: HandStar) -> None:
    rows = covered_shop.table(
        metrics=["spend", "roas"],
        dimensions=["date", "campaign_name"],
        time_grain="month",
        time_range={"start": "2026-02-01", "end": "2026-03-31"},
        compare="previous_period",
        cumulative={"metric": "spend", "kind": "year_to_date"},
        share_of_total=["spend"],
        fill_gaps=True,
        totals=True,
        top={"by": "spend", "n": 2},
        filters=[{"name": "spend", "op": ">=", "value": 0}],
    )
    assert sum(row["spend_share"] for row in rows[:-1]) == pytest.approx(1)
    assert rows[-1]["spend"] == 210
    assert rows[-1]["spend_previous"] == 150
    alpha = [row["spend_cumulative"] for row in rows if row["campaign_name"] == "Alpha"]
    assert alpha == [300, 300]


def test_an_answer_says_its_units_days_filters_and_run(shop: HandStar) -> None:
    answer = shop.ask(
        metrics=["spend", "roas", "clicks"],
        dimensions=["date"],
        time_range=FEBRUARY,
        filters=[
            {"name": "ad_platform", "op": "in", "value": ["facebook_ads"]},
            {"name": "spend", "op": ">", "value": 1.5},
        ],
    )
    assert [(column["name"], column["role"], column["type"], column["unit"]) for column in answer.columns] == [
        ("date", "dimension", "date", None),
        ("spend", "metric", "decimal", "EUR"),
        ("roas", "metric", "number", "ratio"),
        ("clicks", "metric", "integer", "count"),
    ]
    assert answer.time_range == FEBRUARY
    assert answer.time_grain == "day"
    assert answer.filters == (
        {"name": "ad_platform", "op": "in", "value": ["facebook_ads"]},
        {"name": "spend", "op": ">", "value": Decimal("1.5")},
    )
    assert (answer.as_of, answer.run_id) == ("2026-03-01", shop.model.run_id)
    assert list(answer.to_dict()) == [
        *("columns", "rows", "row_count", "truncated", "limit", "cursor", "time_range", "time_grain", "time_zone"),
        *("filters", "as_of", "run_id", "partial", "notes", "sql"),
    ]


def test_the_sql_shown_gives_the_same_rows_by_hand(shop: HandStar) -> None:
    answer = shop.ask(
        metrics=["roas"],
        dimensions=["campaign_name", "date"],
        time_range=FEBRUARY,
        filters=[
            {"name": "campaign_name", "op": "!=", "value": "O'Brien; drop table x"},
            {"name": "spend", "op": ">", "value": 0.5},
        ],
        include_sql=True,
    )
    assert [[row[0], row[1].isoformat(), row[2]] for row in shop.sql(answer.sql[0])] == list(answer.rows)


def test_compiling_only_gives_the_sql_and_no_rows(shop: HandStar) -> None:
    answer = shop.ask(metrics=["spend"], dimensions=["date"], compile_only=True)
    assert (answer.rows, answer.row_count, answer.truncated) == ((), 0, False)
    assert "fct_shop__ad_performance" in answer.sql[0]
    assert shop.ask(metrics=["spend"]).sql == ()


def test_a_period_that_is_not_over_is_said(shop: HandStar) -> None:
    answer = shop.ask(metrics=["sessions"], dimensions=["date"], time_grain="month", time_range="this_year")
    assert "The month of 2026-04-01 is not over: its numbers will change." in answer.notes
    answer = shop.ask(metrics=["sessions"], time_range="last_month")
    assert not any("not over" in note for note in answer.notes)


def test_periods_that_the_range_cuts_are_said(shop: HandStar) -> None:
    def cut(grain: str, start: str | None, end: str | None) -> list[str]:
        question = {"metrics": ["spend"], "dimensions": ["date"], "time_range": {"start": start, "end": end}}
        notes = shop.ask(**question, time_grain=grain).notes
        return [note for note in notes if "is counted" in note]

    assert cut("month", "2026-01-15", "2026-03-10") == [
        "The month of 2026-01-01 is counted from 2026-01-15 on.",
        "The month of 2026-03-01 is counted until 2026-03-10.",
    ]
    assert cut("week", "2026-01-05", "2026-01-20") == ["The week of 2026-01-19 is counted until 2026-01-20."]
    assert cut("quarter", "2026-01-01", None) == cut("day", "2026-01-15", "2026-01-20") == []
    assert cut("year", None, "2026-12-31") == []
    assert shop.ask(metrics=["spend"], time_range={"start": "2026-01-15"}).notes == ()


def test_days_still_to_come_are_said_where_they_are_filled_in(shop: HandStar) -> None:
    question = {"metrics": ["sessions"], "dimensions": ["date"], "time_range": "this_month"}
    told = "Days after 2026-04-15 are still to come: their rows are only filled in."
    assert told in shop.ask(**question, fill_gaps=True).notes
    assert told not in shop.ask(**question).notes
    assert len(shop.ask(**question, fill_gaps=True).rows) == 30


def test_an_empty_answer_says_which_filters_left_nothing(shop: HandStar) -> None:
    filters = [{"name": "spend", "op": ">", "value": 10_000}, {"name": "ad_platform", "value": "google_ads"}]
    answer = shop.ask(metrics=["spend"], dimensions=["campaign_name"], filters=filters)
    assert answer.rows == ()
    assert "No row is left by the filters on spend and ad_platform." in answer.notes


def test_what_is_not_counted_is_said(shop: HandStar) -> None:
    counted = {"metrics": ["customers", "new_customers", "returning_customer_rate"]}
    said = "1 of 4 rows of orders has no customer_key: not in customers, new_customers and returning_customers."
    assert shop.ask(**counted).notes == (said, "orders begin on 2026-01-11: who ordered before counts as new.")
    assert said not in shop.ask(**counted, time_range={"start": "2026-01-01", "end": "2026-01-31"}).notes
    answer = shop.ask(metrics=["spend"], filters=[{"name": "campaign_name", "op": "!=", "value": "Beta"}])
    assert answer.rows == ([300],)
    assert "Rows without campaign_name are left out by !=." in answer.notes


def test_days_of_ad_accounts_in_another_zone_are_said(folder: Path) -> None:
    account = {"name": "main", "timezone": "America/New_York"}
    source = {"platform": "facebook_ads", "domain": "ads", "objects": (), "enabled": True, "accounts": (account,)}
    star = HandStar(folder, sources=(source,))
    star.add("ad_performance", {"report_date": date(2026, 4, 1), "spend": 1})
    answer = star.ask(metrics=["spend"], dimensions=["date"])
    assert "The days of ad_performance are those of America/New_York, not of UTC." in answer.notes
    star.close()
