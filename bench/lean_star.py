"""The star of `bench.big_star` as an analyst would keep it: integer keys, only the columns in use, narrow money.

The tables and columns have the names of the published star, so that the same SQL runs on both.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from bench.questions import ADS, CAMPAIGNS, ORDERS, SESSIONS
from pipeline.contracts.sql import literal
from pipeline.publish.run_store import STAR_STORAGE_VERSION

_NARROW = {"session_revenue": "DECIMAL(9,2)", "spend": "DECIMAL(9,2)", "total_price": "DECIMAL(9,2)"}
_KEYS = {"campaign_key": CAMPAIGNS, "user_key": SESSIONS}
"""By key: the table whose keys are numbered."""
_COLUMNS = {
    CAMPAIGNS: "campaign_key campaign_name campaign_status source_platform",
    ADS: "report_date campaign_key source_platform spend impressions clicks",
    SESSIONS: """session_date campaign_key campaign_name user_key traffic_source ad_platform attribution geo_country
        device_category is_conversion_session session_revenue""",
    ORDERS: "order_date campaign_key campaign_name traffic_medium ad_platform total_price is_valid first_order_date",
}


def lean_star(stars: Path, file: Path) -> Path:
    """Make the lean tables of a published star file, in its order of rows, where they are not made yet."""
    if file.exists():
        return file
    made = file.with_suffix(".part")
    made.unlink(missing_ok=True)
    with duckdb.connect(made, config={"storage_compatibility_version": STAR_STORAGE_VERSION}) as connection:
        connection.execute(f"ATTACH {literal(str(stars))} AS run (READ_ONLY)")
        for key, table in _KEYS.items():
            connection.execute(
                f"CREATE TEMP TABLE {key}s AS SELECT {key}, (row_number() OVER ())::INTEGER AS number "
                f"FROM (SELECT DISTINCT {key} FROM run.{table} WHERE {key} IS NOT NULL)"
            )
        for table, names in _COLUMNS.items():
            columns = names.split()
            keys = [key for key in columns if key in _KEYS]
            joins = " ".join(f"LEFT JOIN {key}s ON {key}s.{key} = f.{key}" for key in keys)
            read = ", ".join(f"{_read(name)} AS {name}" for name in columns)
            connection.execute(f"CREATE TABLE {table} AS SELECT {read} FROM run.{table} AS f {joins} ORDER BY f.rowid")
        connection.execute("DETACH run")
    return made.rename(file)


def _read(column: str) -> str:
    if column in _KEYS:
        return f"{column}s.number"
    return f"f.{column}::{_NARROW[column]}" if column in _NARROW else f"f.{column}"
