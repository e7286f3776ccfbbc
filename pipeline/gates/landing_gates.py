"""Landing gates: conditions for publishing a tenant. A failure is a note; in strict mode it is an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.errors import GateFailed
from pipeline.gate_rules.gate_settings import GateRules
from pipeline.gates.gate_result import GateResult, judge, rules_of
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


def waiting_results(tenant: Tenant, settings: Settings) -> list[GateResult]:
    """Quarantine and pass rate of each object, among all landed records that are not pushed yet.

    Only the newest content of a file counts: a mended file no longer blocks the publish.
    """
    rules, schema = rules_of(tenant, settings), dataset(tenant)
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
                    partition by platform, account, object, path
                    order by _dlt_load_id desc, batch_id desc nulls last) = 1
            )
            select platform, account, object, sum(quarantined)::bigint, sum(rows + quarantined)::bigint
            from waiting group by all having sum(rows + quarantined) > 0 order by all""",
            [tenant.slug],
        ).fetchall()
    return [result for row in rows for result in _of_waiting(rules, row[:3], row[3], row[4])]


def _of_waiting(rules: GateRules, key: Sequence[str], bad: int, total: int) -> Iterator[GateResult]:
    platform, account, object_ = key
    about: dict[str, Any] = {"platform": platform, "account": account, "object": object_, "records": bad}
    sentence = f"{bad} of {total} records of {platform}.{object_} (account {account}) are in quarantine."
    shares = {"quarantine_share": Decimal(bad) / total, "pass_rate": 1 - Decimal(bad) / total}
    for gate, share in shares.items():
        if rules.is_on(gate):
            yield judge(rules, gate, object_, share, sentence, **about)


def enforce(slug: Slug, failures: Sequence[str], *, strict: bool, results: Sequence[GateResult] = ()) -> list[str]:
    """Return the failures as notes, or raise in strict mode.

    Args:
        slug: Of the tenant.
        failures: What failed, as sentences.
        strict: Whether a failure stops the publish.
        results: Of gates that the error takes to the caller, who has none of them yet.

    Raises:
        GateFailed: There are failures and `strict` is true.
    """
    if failures and strict:
        more = f" ({len(failures) - 1} more)" if len(failures) > 1 else ""
        raise GateFailed(
            f"{slug} is not published: {failures[0]}{more}",
            "Mend the source, or run `gata --set gate_mode=warn build` once to publish with the finding as a note.",
            results,
        )
    return list(failures)
