"""Generator of synthetic exports: files of one seeded shop, in the format of every connector."""

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
    """Write the files of the tenant's synthetic accounts; gives them by platform, account and object, oldest first.

    The first call covers the `days` before `until`; a later call writes the days since then to new files and changes no
    old file. However the days are divided into calls, the newest version of every record is the same. Nothing is
    written when nothing is new. When the tenant's sources or parameters have changed, all files are generated again.

    Args:
        until: The first day that is not exported: usually today.
        days: The length of the first files. More days than they have now generates all files again, too.

    Raises:
        ConfigError: A source has no synthetic view, or parameters contradict each other.
    """
    views = synthetic_views(tenant)
    if not views:
        return {}
    shop = open_shop(tenant)
    folder = home / "synthetic" / tenant.slug
    chunks = plan_chunks(folder, tenant, until, days)
    result: dict[Key, tuple[Path, ...]] = {}
    for chunk in chunks:
        files = list(_files(shop, views, folder, chunk))
        _write_missing(shop, Span(day_number(chunk.first), day_number(chunk.last), day_number(chunks[0].first)), files)
        for file in files:
            result[file.key] = (*result.get(file.key, ()), file.path)
    return result


@dataclass(frozen=True)
class _File:
    """A file of one object of one account, in its state at the end of `last`."""

    account: ShopAccount
    name: str
    export: SimulatedExport
    last: date
    path: Path

    @property
    def key(self) -> Key:
        return self.account.platform, self.account.name, self.name


def _files(shop: Shop, views: dict[str, View], folder: Path, chunk: Chunk) -> Iterator[_File]:
    """The files that every synthetic account exports of a chunk, whether or not they exist; oldest first."""
    for platform, accounts in shop.accounts.items():
        for account in accounts:
            for name, export in views[platform].exports.items():
                first = chunk.first
                for last in (*_renames(shop, account, chunk, export), chunk.last):
                    path = folder / platform / account.name / f"{name}_{first}_{last}.{export.suffix}"
                    yield _File(account, name, export, last, path)
                    first = last + timedelta(days=1)


def _renames(shop: Shop, account: ShopAccount, chunk: Chunk, export: SimulatedExport) -> list[date]:
    """The days in a chunk after which campaigns have to be exported, because a rename follows."""
    if not export.names_campaigns:
        return []
    index = shop.ad_accounts.index(account)
    days = shop.ads.days_before_renames(index, day_number(chunk.first), day_number(chunk.last))
    return [EPOCH + timedelta(days=day) for day in days]


def _write_missing(shop: Shop, span: Span, files: list[_File]) -> None:
    """Write the files of a chunk that do not exist yet."""
    missing = [file for file in files if not file.path.exists()]
    if not missing:
        return
    activity = simulate(shop, span)
    with duckdb.connect(config={"threads": 1}) as connection:
        for file in missing:
            as_of = replace(activity, span=span.upto(day_number(file.last)))
            records = file.export.records(shop, as_of, file.account)
            write_records(connection, records, file.path, keeps_nulls=file.export.keeps_nulls)
