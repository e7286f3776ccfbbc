"""The floor of the end-to-end benchmark: floor.sql over the generated files, and the sums that gata must equal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from bench.shop import SLUG
from pipeline.publish.pointer import latest_run_id

THREADS = 2  # of DuckDB, as gata's own default
FILES = {
    "events": "google_analytics/main/events_*.parquet",
    "orders": "shopify/main/orders_*.jsonl",
    "insights": "facebook_ads/main/facebook_insights_*.jsonl",
    "campaigns": "facebook_ads/main/campaigns_*.jsonl",
}
SUMS = """
select
    (select count(*) from {0}events) as events,
    (select count(*) from {0}sessions) as sessions,
    (select sum(session_revenue) from {0}sessions) as session_revenue,
    (select count(*) filter (where attribution = 'matched') from {0}sessions) as matched_sessions,
    (select count(*) from {0}orders) as orders,
    (select sum(total_price) filter (where is_valid) from {0}orders) as order_revenue,
    (select count(session_id) from {0}orders) as linked_orders,
    (select sum(spend) from {0}ad_performance) as spend,
    (select sum(conversions) from {0}ad_performance) as ad_conversions
"""


def build_floor(home: Path) -> dict[str, int]:
    """Build the facts by hand in a DuckDB file of their own; the rows of each."""
    file = home / "floor.duckdb"
    file.unlink(missing_ok=True)
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    with duckdb.connect(str(file), config={"threads": THREADS}) as connection:
        for name, pattern in FILES.items():
            connection.execute(f"set variable {name} = '{home}/synthetic/{SLUG}/{pattern}'")
        connection.execute("set variable timezone = 'America/Los_Angeles'")
        connection.execute(script)
        tables = ("fct_events", "fct_sessions", "fct_orders", "fct_ad_performance")
        return {name: connection.execute(f"select count(*) from {name}").fetchall()[0][0] for name in tables}


def sums_of_floor(home: Path) -> dict[str, str]:
    return _sums(home / "floor.duckdb", "fct_")


def sums_of_gata(published: Path) -> dict[str, str]:
    return _sums(published / str(latest_run_id(published)) / "stars.duckdb", f"fct_{SLUG}__")


def _sums(file: Path, prefix: str) -> dict[str, Any]:
    with duckdb.connect(str(file), read_only=True) as connection:
        result = connection.execute(SUMS.format(prefix))
        names = [column[0] for column in result.description]
        return {name: f"{value:.2f}" for name, value in zip(names, result.fetchall()[0], strict=True)}
