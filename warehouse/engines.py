"""Which engine fills which canonical table from which connector, and what Python decides for it.

A macro of warehouse/macros/engines is one select; its arguments are literals or SQL, made here from the tenant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.contracts.sql import literal
from pipeline.tenants import Source, Tenant


@dataclass(frozen=True)
class Engine:
    """One engine: the rows of `objects` of one platform, as rows of the canonical table `fills`."""

    platform: str
    fills: str
    macro: str
    objects: tuple[str, ...]
    history: tuple[str, ...] = ()  # objects read with all their versions
    canonical: tuple[str, ...] = ()  # canonical tables read beside them
    arguments: Callable[[Tenant, Source], Mapping[str, object]] | None = None

    def call(self, tenant: Tenant, source: Source) -> Mapping[str, object]:
        """What the macro is called with."""
        said = self.arguments(tenant, source) if self.arguments else {}
        return {"tenant": tenant.slug, "platform": source.platform} | dict(said)


def account_currency(tenant: Tenant, source: Source, account: str = "source_account") -> str:
    """SQL giving the currency of the account that the expression `account` names: its own, else the tenant's."""
    other = {
        account.name: account.currency for account in source.accounts if account.currency not in (None, tenant.currency)
    }
    if not other:
        return literal(tenant.currency)
    cases = " ".join(f"when {literal(name)} then {literal(code)}" for name, code in sorted(other.items()) if code)
    return f"case {account} {cases} else {literal(tenant.currency)} end"


def _currency(tenant: Tenant, source: Source) -> Mapping[str, object]:
    return {"currency": account_currency(tenant, source)}


def _meta_report(tenant: Tenant, source: Source) -> Mapping[str, object]:
    pattern = tenant.conversion_pattern(source.platform)
    return {
        "currency": account_currency(tenant, source, "insights.source_account"),
        "conversion_type": pattern,
        "resembles": "false" if pattern is None else resembling("action.action_type", pattern),
    }


def resembling(expression: str, pattern: str) -> str:
    """SQL: the text contains the pattern, or matches it where it reads as a regular expression of DuckDB's."""
    contains = f"contains({expression}, {literal(pattern)})"
    if not re.search(r"[*+?|^$()\[\]]", pattern) or re.search(r"\(\?|\\\d", pattern):
        return contains
    try:
        re.compile(pattern)
    except re.error:
        return contains
    return f"{contains} or regexp_matches({expression}, {literal(pattern)})"


ENGINES = (
    Engine(
        platform="facebook_ads",
        fills="ad_performance",
        macro="engine_facebook_ads_ad_performance",
        objects=("facebook_insights", "ad_sets", "ads"),
        arguments=_meta_report,
    ),
    Engine(
        platform="facebook_ads",
        fills="campaigns",
        macro="engine_facebook_ads_campaigns",
        objects=(),
        history=("campaigns",),
        canonical=("ad_performance",),
    ),
    Engine(
        platform="shopify",
        fills="orders",
        macro="engine_shopify_orders",
        objects=("orders",),
        arguments=_currency,
    ),
    Engine(platform="shopify", fills="products", macro="engine_shopify_products", objects=("products",)),
    Engine(
        platform="google_analytics",
        fills="events",
        macro="engine_google_analytics_events",
        objects=("events",),
        arguments=_currency,
    ),
)


def engines_of(tenant: Tenant, fills: str) -> tuple[tuple[Engine, Source], ...]:
    """The engines that fill a canonical table of a tenant, by platform; one analytics source feeds events."""
    sources = {source.platform: source for source in tenant.enabled}
    if fills == "events":
        sources = {name: source for name, source in sources.items() if name == tenant.analytics_source}
    return tuple(
        (engine, sources[engine.platform]) for engine in ENGINES if engine.fills == fills and engine.platform in sources
    )
