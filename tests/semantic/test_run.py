"""Answers on the hand-written shop, each number added up on paper."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipeline.errors import NoJoinPath, QueryError, TooMuch, UnknownName
from tests.semantic.hand_star import HandStar


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


def test_roas_by_campaign_and_month_joins_each_fact_on_its_own_days(shop: HandStar) -> None:
    rows = shop.table(metrics=["roas", "spend"], dimensions=["campaign_name", "date"], time_grain="month")
    assert {(row["campaign_name"], row["date"]): (row["roas"], row["spend"]) for row in rows} == {
        ("Alpha", "2026-01-01"): (1.5, 100),
        ("Alpha", "2026-02-01"): (1.7, 200),
        ("Beta", "2026-01-01"): (0, 50),
        (None, "2026-01-01"): (None, 0),
        (None, "2026-02-01"): (0, 7),
        (None, "2026-03-01"): (0, 3),
        (None, "2026-04-01"): (None, 0),
    }
