"""The facts of a star that a finding touches: those that the canonical tables of an object or of a test feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprints
from pipeline.gates.finding import Finding
from warehouse.projects.canonical_tables import CANONICAL
from warehouse.projects.engines import engines_of


@dataclass(frozen=True)
class Fed:
    """Facts that a canonical table feeds, and the columns of theirs; none where it feeds their rows."""

    facts: tuple[str, ...]
    columns: tuple[str, ...] = ()


FED_BY: Mapping[str, Fed] = {
    "ad_performance": Fed(("ad_performance",)),
    "orders": Fed(("orders", "order_items", "refunds")),
    "charges": Fed(("orders",), ("net_paid_amount",)),
    "events": Fed(("events", "sessions")),
}
"""By canonical table; the others feed dimension tables, which hold no numbers."""
META = ("facebook_ads", "instagram_ads")
"""Sources of which each delivers rows that may count for the other: a report names the platform of each row."""


def with_facts(finding: Finding, tenant: Tenant, blueprints: Blueprints) -> Finding:
    """The finding of a landing gate, with the facts that the records of its object are in.

    An object whose contract has no measures only names things: it touches no number.
    """
    reads_as = {source.platform: source.reads_as for source in tenant.sources}
    blueprint = blueprints.get((reads_as.get(finding.platform or "", ""), finding.object or ""))
    if blueprint is None or not blueprint.contract.measures:
        return finding
    fed = [FED_BY[table.name] for table in CANONICAL if table.name in FED_BY and _feeds(table.name, finding, tenant)]
    if not fed:
        return finding
    update = {
        "facts": tuple(dict.fromkeys(fact for each in fed for fact in each.facts)),
        "columns": fed[0].columns if len(fed) == 1 else (),
        "counts_as": META if finding.platform in META else (),
    }
    return finding.model_copy(update=update)


def _feeds(canonical: str, finding: Finding, tenant: Tenant) -> bool:
    """Whether records of a finding's source and object become rows of a canonical table."""
    return any(
        source.platform == finding.platform and finding.object in (*engine.objects, *engine.history)
        for engine, source in engines_of(tenant, canonical)
    )
