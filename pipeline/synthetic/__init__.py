"""One seeded shop, and every connector's view of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any  # pyarrow is untyped: its tables are Any

import duckdb

from pipeline.synthetic.ga4 import ga4_records
from pipeline.synthetic.ledger import Chunk, plan_chunks
from pipeline.synthetic.meta import meta_records
from pipeline.synthetic.shop import Shop, open_shop, outlets
from pipeline.synthetic.shopify import shopify_records
from pipeline.synthetic.trade import Span, Trade, simulate
from pipeline.synthetic.write import write_json_lines, write_parquet
from pipeline.synthetic.zones import day_number
from pipeline.tenants import Tenant

Key = tuple[str, str, str]  # platform, account, object

VIEWS: dict[str, Callable[[Shop, Trade, int], dict[str, Any]]] = {
    "facebook_ads": meta_records,
    "google_analytics": ga4_records,
    "shopify": shopify_records,
}
OBJECTS: dict[str, dict[str, str]] = {
    "facebook_ads": dict.fromkeys(("campaigns", "ad_sets", "ads", "facebook_insights"), "jsonl"),
    "google_analytics": {"events": "parquet"},
    "shopify": dict.fromkeys(("orders", "products"), "jsonl"),
}


def generate(tenant: Tenant, home: Path, *, until: date, days: int = 90) -> dict[Key, tuple[Path, ...]]:
    """Files of the tenant's synthetic accounts, by platform, account and object, oldest first.

    The first time they cover the `days` before `until`; later the days since then go to new files and no old file
    changes. Whatever the days are cut into, the same days hold the same records. Nothing is written when nothing is
    new. When the tenant's sources or levers have changed, everything is made anew.

    Args:
        until: The first day that is not exported any more: today, as a rule.
        days: How far back the first files go. More than they do now makes everything anew, too.

    Raises:
        ConfigError: Levers contradict each other.
    """
    if not any(outlets(tenant, platform) for platform in OBJECTS):
        return {}
    shop = open_shop(tenant)
    folder = home / "synthetic" / tenant.slug
    chunks = plan_chunks(folder, tenant, until, days)
    exports = [_exports(tenant, folder, chunk) for chunk in chunks]
    for chunk, each in zip(chunks, exports, strict=True):
        _write_missing(shop, chunks[0].first, chunk, each)
    return {
        (export.platform, export.account, name): tuple(other[place].files[name] for other in exports)
        for place, export in enumerate(exports[0])
        for name in export.files
    }


@dataclass(frozen=True)
class _Export:
    """The files of one account for one chunk."""

    platform: str
    account: str
    position: int  # of the account in its platform
    files: dict[str, Path]  # by object


def _exports(tenant: Tenant, folder: Path, chunk: Chunk) -> list[_Export]:
    """What every synthetic account exports, whether or not it is there yet."""
    return [
        _Export(
            platform,
            outlet.name,
            position,
            {
                name: folder / platform / outlet.name / f"{name}_{chunk.first}_{chunk.last}.{suffix}"
                for name, suffix in objects.items()
            },
        )
        for platform, objects in OBJECTS.items()
        for position, outlet in enumerate(outlets(tenant, platform))
    ]


def _write_missing(shop: Shop, opening: date, chunk: Chunk, exports: list[_Export]) -> None:
    """Write the files of a chunk that are not there yet."""
    missing = [export for export in exports if not all(path.exists() for path in export.files.values())]
    if not missing:
        return
    trade = simulate(shop, Span(day_number(chunk.first), day_number(chunk.last), day_number(opening)))
    with duckdb.connect(config={"threads": 1}) as connection:
        for export in missing:
            records = VIEWS[export.platform](shop, trade, export.position)
            for name, path in export.files.items():
                if path.exists():
                    continue
                if path.suffix == ".parquet":
                    write_parquet(records[name], path)
                else:
                    keep_nulls = export.platform != "facebook_ads"
                    write_json_lines(connection, records[name], path, keep_nulls=keep_nulls)
