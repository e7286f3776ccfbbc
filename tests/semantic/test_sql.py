"""The SQL of a few questions as reviewed text; it is run as well as compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.semantic.hand_star import HandStar

QUESTIONS: dict[str, dict[str, Any]] = {
    "spend": {"metrics": ["spend"]},
    "roas_by_campaign_and_month": {
        "metrics": ["roas"],
        "dimensions": ["campaign_name", "date"],
        "time_grain": "month",
        "time_range": {"start": "2026-01-01", "end": "2026-03-31"},
        "filters": [{"name": "ad_platform", "op": "in", "value": ["facebook_ads", "google_ads"]}],
        "order_by": ["-roas"],
    },
    "units_by_campaign_through_orders": {
        "metrics": ["units_sold"],
        "dimensions": ["campaign_name"],
        "filters": [{"name": "financial_status", "op": "=", "value": "paid"}],
    },
    "spend_compared_filled_cumulated_shared_and_totalled": {
        "metrics": ["spend"],
        "dimensions": ["date", "campaign_name"],
        "time_grain": "month",
        "time_range": {"start": "2026-02-01", "end": "2026-03-31"},
        "compare": "previous_period",
        "fill_gaps": True,
        "cumulative": {"metric": "spend", "kind": "year_to_date"},
        "share_of_total": ["spend"],
        "totals": True,
        "top": {"by": "spend", "n": 2},
        "filters": [{"name": "spend", "op": ">=", "value": 0}],
    },
    "roas_by_day_where_sources_lack_days": {
        "metrics": ["roas", "blended_roas"],
        "dimensions": ["date"],
        "time_range": {"start": "2025-12-30", "end": "2026-01-20"},
        "compare": "row_before",
        "fill_gaps": True,
    },
    "customers_with_total": {"metrics": ["customers"], "dimensions": ["ad_platform"], "totals": True},
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_sql_is_the_reviewed_one_and_runs(
    shop: HandStar, covered_shop: HandStar, golden: Callable[[str, str], None], name: str
) -> None:
    star = shop if name.endswith("lack_days") else covered_shop
    answer = star.ask(**QUESTIONS[name], include_sql=True)
    golden(f"semantic/{name}.sql", answer.sql[0] + "\n")
    assert len(star.sql(answer.sql[0])) == answer.row_count
