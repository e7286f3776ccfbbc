"""Landing gates: conditions for publishing a tenant. A failure is a note; in strict mode it is an error."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.errors import GateFailed
from pipeline.ingest.deliveries.load_counts import MAX_QUARANTINE_SHARE
from pipeline.ingest.land import LandedTable, Landing
from pipeline.ingest.landing_tables import dataset
from pipeline.settings import Settings
from pipeline.storage.hub import read_hub


def landing_notes(landing: Landing) -> list[str]:
    """The notes on a landing: drift, findings about files, and numbers of quarantined records."""
    notes = drift_failures(landing)
    for table in landing.tables:
        name = _name(table)
        notes += [f"{name}: {finding}." for finding in table.findings]
        if table.quarantined:
            notes.append(f"{name}: {table.quarantined} records or files went into quarantine.")
    return notes


def drift_failures(landing: Landing) -> list[str]:
    """Drift from contracts, also where an earlier landing found it."""
    return [f"{_name(table)} has drifted: {drift}." for table in landing.tables for drift in table.drift]


def _name(table: LandedTable) -> str:
    return f"{table.platform}.{table.object} of account {table.account}"


def landing_failures(tenant: Tenant, settings: Settings) -> list[str]:
    """Objects with too many records in quarantine, among all landed records that are not pushed yet.

    Only the newest content of a file counts: a mended file no longer blocks the publish.
    """
    schema = dataset(tenant)
    with read_hub(settings) as hub:
        rows = hub.execute(
            f"""with waiting as (
                select * from {schema}.landed_files as files
                where _dlt_load_id in (select load_id from {schema}._dlt_loads where status = 0)
                    and not exists (
                        select 1 from platform_ops__push_ledger as pushed
                        where pushed.tenant_slug = ? and pushed.source_platform = files.platform
                            and pushed.source_object = files.object and pushed.load_id = files._dlt_load_id)
                qualify row_number() over (
                    partition by platform, account, object, path order by _dlt_load_id desc) = 1
            )
            select platform, account, object, sum(quarantined)::bigint, sum(rows + quarantined)::bigint
            from waiting group by all having sum(quarantined) > ? * sum(rows + quarantined) order by all""",
            [tenant.slug, MAX_QUARANTINE_SHARE],
        ).fetchall()
    return [
        f"{bad} of {total} records of {platform}.{object_} (account {account}) are in quarantine."
        for platform, account, object_, bad, total in rows
    ]


def enforce(slug: Slug, failures: Sequence[str], *, strict: bool) -> list[str]:
    """Return the failures as notes, or raise in strict mode.

    Raises:
        GateFailed: There are failures and `strict` is true.
    """
    if failures and strict:
        more = f" ({len(failures) - 1} more)" if len(failures) > 1 else ""
        raise GateFailed(
            f"{slug} is not published: {failures[0]}{more}",
            "Mend the source, or run `gata --set gate_mode=warn build` once to publish with the finding as a note.",
        )
    return list(failures)
