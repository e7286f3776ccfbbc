"""Engines of a tenant: which ones fill which canonical tables."""

from __future__ import annotations

from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import Engine, engines_like


def engines_of(tenant: Tenant, fills: str) -> tuple[tuple[Engine, Source], ...]:
    """The engines that fill a canonical table of a tenant, by platform; one analytics source feeds events."""
    sources = sorted(tenant.enabled, key=lambda source: source.platform)
    if fills in ANALYTICS:
        sources = [source for source in sources if source.platform == tenant.analytics_source]
    return tuple(
        (engine, source) for source in sources for engine in engines_like(source.reads_as) if engine.fills == fills
    )


def has_payments(tenant: Tenant) -> bool:
    """Whether the tenant has a payments source, which says what was really paid for orders."""
    return bool(engines_of(tenant, "charges"))


ANALYTICS = ("events", "profiles")
"""Canonical tables that only the tenant's named analytics source fills."""
