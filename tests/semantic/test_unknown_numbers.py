"""Absence is never zero: rows that do not say a number are counted, and a ratio is over the rows that say its parts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.semantic.hand_star import HandStar


def ad(day: int, platform: str, spend: float | None, conversions: float | None, **more: Any) -> dict[str, Any]:
    row = {"report_date": date(2026, 1, day), "source_platform": platform, "spend": spend, "clicks": 2}
    return {**row, "impressions": 10, "conversions": conversions, "campaign_key": platform, **more}


@pytest.fixture(scope="module")
def star(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    """Facebook says all, TikTok lacks one day's spend, LinkedIn reports no conversions."""
    metrics = {
        "tiktok_spend": {"metric": "spend", "filters": [{"name": "ad_platform", "op": "=", "value": "tiktok_ads"}]},
        "tiktok_cpc": {"metric": "cpc", "filters": [{"name": "ad_platform", "op": "=", "value": "tiktok_ads"}]},
        "twice": {"expression": "cost_per_conversion * 2"},
        "usual": {"fact": "ad_performance", "column": "spend", "aggregate": "average"},
    }
    star = HandStar(tmp_path_factory.mktemp("unknown"), semantic={"metrics": metrics})
    star.add(
        "ad_performance",
        ad(1, "facebook_ads", 10, 2),
        ad(2, "facebook_ads", 20, 0),
        ad(1, "tiktok_ads", 5, 1),
        ad(2, "tiktok_ads", None, 4),
        ad(1, "linkedin_ads", 100, None),
        ad(2, "linkedin_ads", 100, None),
    )
    star.add("campaigns", {"campaign_key": "tiktok_ads", "campaign_name": "T"})
    star.add(
        "orders",
        *(
            {"order_date": date(2026, 1, 1), "order_key": f"o{n}", "order_id": f"o{n}", "total_price": price}
            for n, price in enumerate([50, 30, None])
        ),
    )
    yield star.cover("2025-12-01", "2026-01-31")
    star.close()


def about(star: HandStar, metric: str, **query: Any) -> list[str]:
    return [note for note in star.ask(metrics=[metric], **query).notes if note.startswith(metric)]


def test_a_sum_says_how_many_rows_are_in_it_and_of_which_source_the_others_are(star: HandStar) -> None:
    assert star.one("spend") == 235
    assert about(star, "spend") == [
        "spend is of 5 of 6 rows of ad_performance: 1 row of tiktok_ads does not say it.",
    ]
    assert about(star, "ad_conversions") == [
        "ad_conversions is of 4 of 6 rows of ad_performance: 2 rows of linkedin_ads do not say it."
    ]
    assert about(star, "clicks") == []


def test_it_counts_the_rows_that_the_filters_and_days_leave(star: HandStar) -> None:
    first = {"time_range": {"start": "2026-01-01", "end": "2026-01-01"}}
    assert about(star, "spend", **first) == []
    assert about(star, "spend", filters=[{"name": "ad_platform", "op": "=", "value": "facebook_ads"}]) == []
    named = {"filters": [{"name": "campaign_name", "op": "=", "value": "T"}]}
    assert about(star, "spend", **named) == [
        "spend is of 1 of 2 rows of ad_performance: 1 row of tiktok_ads does not say it."
    ]


def test_the_days_before_are_counted_on_their_own(star: HandStar) -> None:
    third = {"start": "2026-01-03", "end": "2026-01-03"}
    assert about(star, "spend", time_range=third, compare="previous_period") == [
        "spend before is of 2 of 3 rows of ad_performance: 1 row of tiktok_ads does not say it."
    ]


def test_a_number_that_no_row_says_is_empty_and_said_to_be(star: HandStar) -> None:
    linkedin = {"filters": [{"name": "ad_platform", "op": "=", "value": "linkedin_ads"}]}
    assert star.one("ad_conversions", **linkedin) is None
    assert about(star, "ad_conversions", **linkedin) == [
        "ad_conversions is empty: 2 rows of linkedin_ads do not say it."
    ]


def test_a_ratio_within_a_fact_is_over_the_rows_that_say_all_its_parts_and_says_so(star: HandStar) -> None:
    assert star.one("cost_per_conversion") == 35 / 3
    assert about(star, "cost_per_conversion") == [
        (
            "cost_per_conversion is of the rows of ad_performance that say both spend and ad_conversions:"
            " 2 rows of linkedin_ads and 1 row of tiktok_ads do not."
        )
    ]
    assert star.one("twice") == 70 / 3
    assert star.one("cpc") == 235 / 10
    assert star.one("cpm") == pytest.approx(235 / 50 * 1000)
    assert star.one("ctr") == 12 / 60
    assert about(star, "ctr") == []


def test_it_stays_a_ratio_of_sums_by_group_and_in_the_total(star: HandStar) -> None:
    rows = star.table(metrics=["cost_per_conversion"], dimensions=["ad_platform"], totals=True)
    assert {row["ad_platform"]: row["cost_per_conversion"] for row in rows} == {
        "facebook_ads": 15,
        "tiktok_ads": 5,
        "linkedin_ads": None,
        None: 35 / 3,
    }


def test_a_sum_by_a_count_counts_the_rows_that_say_the_sum(star: HandStar) -> None:
    assert star.one("average_order_value") == 40
    assert star.one("valid_orders") == 3
    assert star.one("order_revenue") == 80
    assert about(star, "average_order_value") == [
        "average_order_value is of the rows of orders that say order_revenue: 1 row of shopify does not."
    ]
    assert star.one("usual") == 47


def test_a_filtered_metric_counts_its_own_rows(star: HandStar) -> None:
    assert star.one("tiktok_spend") == 5
    assert about(star, "tiktok_spend") == [
        "tiktok_spend is of 1 of 2 rows of ad_performance: 1 row of tiktok_ads does not say it."
    ]
    assert star.one("tiktok_cpc") == 5 / 2


def test_a_ratio_of_two_facts_says_which_rows_its_parts_lack(star: HandStar) -> None:
    notes = star.ask(metrics=["blended_roas"]).notes
    assert "spend is of 5 of 6 rows of ad_performance: 1 row of tiktok_ads does not say it." in notes
    assert "order_revenue is of 2 of 3 rows of orders: 1 row of shopify does not say it." in notes


def test_the_definition_of_a_ratio_says_which_rows_count(star: HandStar) -> None:
    metric = star.model.catalog.metrics["cost_per_conversion"]
    assert metric.description.endswith("Only rows that say spend and ad_conversions.")
    assert not any("__" in name for name in star.model.catalog.askable_metrics)


def test_a_star_whose_rows_say_everything_is_defined_as_before(tmp_path: Path) -> None:
    star = HandStar(tmp_path)
    star.add("ad_performance", ad(1, "facebook_ads", 10, 2) | {"conversion_value": 4})
    assert not any("__" in name for name in star.model.catalog.metrics)
    assert star.ask(metrics=["cost_per_conversion"]).rows == ([5.0],)
    star.close()


def test_renamed_parts_are_said_by_their_new_names(tmp_path: Path) -> None:
    star = HandStar(tmp_path, semantic={"metrics": {"spend": {"rename": "ad_cost"}}})
    star.add("ad_performance", ad(1, "facebook_ads", 10, 2), ad(1, "linkedin_ads", 100, None))
    assert star.one("cost_per_conversion") == 5
    assert about(star, "cost_per_conversion") == [
        (
            "cost_per_conversion is of the rows of ad_performance that say both ad_cost and ad_conversions:"
            " 1 row of linkedin_ads does not."
        )
    ]
    star.close()
