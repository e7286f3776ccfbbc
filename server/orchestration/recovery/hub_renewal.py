"""A new hub in place of a damaged or lost one (`gata build --from bronze`): bronze holds everything that landed.

The old file is kept beside the new one until every tenant is whole again; a table with fewer rows than before is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.privacy.holdings import REPLACED_HUB
from pipeline.settings import Settings
from server.orchestration.build_report import TenantReport
from server.orchestration.publishing import read_published_star

Rows = Mapping[str, int]


@dataclass(frozen=True)
class HubRenewal:
    """A renewal under way: the rows that each tenant's published tables had."""

    settings: Settings
    rows_before: Mapping[Slug, Rows]

    @classmethod
    def begin(cls, settings: Settings, tenants: Sequence[Tenant]) -> HubRenewal:
        """Put the hub aside, unless an earlier, stopped renewal has. The caller holds the build lock."""
        replaced = settings.home / REPLACED_HUB
        if settings.hub.exists() and not replaced.exists():
            settings.hub.rename(replaced)
        settings.hub.unlink(missing_ok=True)
        settings.hub.with_name(f"{settings.hub.name}.wal").unlink(missing_ok=True)
        built = {tenant.slug: read_published_star(settings, tenant.slug) for tenant in tenants}
        return cls(settings, {slug: star.rows for slug, star in built.items() if star})

    def end(self, reports: Mapping[Slug, TenantReport]) -> None:
        """Name the tables that have fewer rows than before; remove the old hub where there is none."""
        is_whole = True
        for slug, report in reports.items():
            star = read_published_star(self.settings, slug)
            fewer = list(_fewer(self.rows_before.get(slug, {}), star.rows if star else {}))
            if fewer:
                kept = self.settings.home / REPLACED_HUB
                report.findings.append(
                    f"Made anew from bronze, {', '.join(fewer)}: what is not in bronze was in no export either. The old"
                    f" hub is kept as {kept}; `gata rollback --tenant {slug}` answers from the run before."
                )
            is_whole = is_whole and not fewer and report.error is None
        if is_whole:
            (self.settings.home / REPLACED_HUB).unlink(missing_ok=True)


def _fewer(before: Rows, after: Rows) -> Iterator[str]:
    for table, rows in before.items():
        if after.get(table, 0) < rows:
            yield f"{table} has {after.get(table, 0):,} rows and had {rows:,}"
