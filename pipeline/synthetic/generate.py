"""One seeded shop, and every connector's view of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.synthetic.activity.simulation import Span, simulate
from pipeline.synthetic.arrays.zones import EPOCH, day_number
from pipeline.synthetic.chunks import Chunk, plan_chunks
from pipeline.synthetic.model.shop import Shop, ShopAccount, open_shop
from pipeline.synthetic.model.view import SimulatedExport, View, synthetic_views
from pipeline.synthetic.writers import write_records

Key = tuple[str, str, str]  # platform, account, object


def generate(tenant: Tenant, home: Path, *, until: date, days: int = 90) -> dict[Key, tuple[Path, ...]]:
    """Files of the tenant's synthetic accounts, by platform, account and object, oldest first.

    The first time they cover the `days` before `until`; later the days since then go to new files and no old file
    changes. Whatever the days are cut into, the newest version of every record is the same. Nothing is written when
    nothing is new. When the tenant's sources or levers have changed, everything is made anew.

    Args:
        until: The first day that is not exported any more: today, as a rule.
        days: How far back the first files go. More than they do now makes everything anew, too.

    Raises:
        ConfigError: A source cannot be made up, or levers contradict each other.
    """
    views = synthetic_views(tenant)
    if not views:
        return {}
    shop = open_shop(tenant)
    folder = home / "synthetic" / tenant.slug
    chunks = plan_chunks(folder, tenant, until, days)
    found: dict[Key, tuple[Path, ...]] = {}
    for chunk in chunks:
        files = list(_files(shop, views, folder, chunk))
        _write_missing(shop, Span(day_number(chunk.first), day_number(chunk.last), day_number(chunks[0].first)), files)
        for file in files:
            found[file.key] = (*found.get(file.key, ()), file.path)
    return found


@dataclass(frozen=True)
class _File:
    """A file of one object of one account, as things were at the end of `last`."""

    outlet: ShopAccount
    name: str
    export: SimulatedExport
    last: date
    path: Path

    @property
    def key(self) -> Key:
        return self.outlet.platform, self.outlet.name, self.name


def _files(shop: Shop, views: dict[str, View], folder: Path, chunk: Chunk) -> Iterator[_File]:
    """What every synthetic account exports of a chunk, whether or not it is there yet; oldest first."""
    for platform, outlets in shop.outlets.items():
        for outlet in outlets:
            for name, export in views[platform].exports.items():
                first = chunk.first
                for last in (*_renames(shop, outlet, chunk, export), chunk.last):
                    path = folder / platform / outlet.name / f"{name}_{first}_{last}.{export.suffix}"
                    yield _File(outlet, name, export, last, path)
                    first = last + timedelta(days=1)


def _renames(shop: Shop, outlet: ShopAccount, chunk: Chunk, export: SimulatedExport) -> list[date]:
    """The days in a chunk after which campaigns have to be exported, for they get other names soon."""
    if not export.names_campaigns:
        return []
    days = shop.ads.days_before_renames(shop.ad_accounts.index(outlet), day_number(chunk.first), day_number(chunk.last))
    return [EPOCH + timedelta(days=day) for day in days]


def _write_missing(shop: Shop, span: Span, files: list[_File]) -> None:
    """Write the files of a chunk that are not there yet."""
    missing = [file for file in files if not file.path.exists()]
    if not missing:
        return
    trade = simulate(shop, span)
    with duckdb.connect(config={"threads": 1}) as connection:
        for file in missing:
            as_of = replace(trade, span=span.upto(day_number(file.last)))
            records = file.export.records(shop, as_of, file.outlet)
            write_records(connection, records, file.path, keeps_nulls=file.export.keeps_nulls)
