"""Which engines fill which canonical tables, and what Python decides for them.

Engines are found by their connector's name: `warehouse/engines/<connector>.py` declares them in `ENGINES`, and their
macros stand in `warehouse/macros/engines/<connector>.sql`. A macro is one select; its arguments are literals or SQL,
made here from the tenant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from pipeline.contracts.sql import literal
from pipeline.tenants import Source, Tenant


@dataclass(frozen=True)
class Engine:
    """One engine: the rows of `objects` of a platform, as rows of the canonical table `fills`."""

    fills: str
    macro: str
    objects: tuple[str, ...]
    history: tuple[str, ...] = ()  # objects read with all their versions
    canonical: tuple[str, ...] = ()  # canonical tables read beside them
    references: tuple[str, ...] = ()  # reference tables of the hub that it joins
    arguments: Callable[[Tenant, Source], Mapping[str, object]] | None = None

    def call(self, tenant: Tenant, source: Source) -> Mapping[str, object]:
        """What the macro is called with."""
        said = self.arguments(tenant, source) if self.arguments else {}
        return {"tenant": tenant.slug, "platform": source.platform} | dict(said)


@cache
def engines_like(connector: str) -> tuple[Engine, ...]:
    """The engines of a connector; none while they are not written."""
    name = f"{__name__}.{connector}"
    found: tuple[Engine, ...] = import_module(name).ENGINES if find_spec(name) else ()
    return found


def engines_of(tenant: Tenant, fills: str) -> tuple[tuple[Engine, Source], ...]:
    """The engines that fill a canonical table of a tenant, by platform; one analytics source feeds events."""
    sources = sorted(tenant.enabled, key=lambda source: source.platform)
    if fills in ANALYTICS:
        sources = [source for source in sources if source.platform == tenant.analytics_source]
    return tuple(
        (engine, source) for source in sources for engine in engines_like(source.reads_as) if engine.fills == fills
    )


def set_apart(tenant: Tenant) -> tuple[str, ...]:
    """What is to say of analytics sources that feed no sessions, because the tenant names another one."""
    named = tenant.analytics_source
    others = [s.platform for s in tenant.enabled if s.domain == "analytics" and s.platform != named]
    told = f"Sessions and events are those of {named}; the records of {' and '.join(others)} stay in their sinks."
    return (told,) if others else ()


def has_payments(tenant: Tenant) -> bool:
    """Whether a payments source says what was really paid for orders."""
    return bool(engines_of(tenant, "charges"))


ANALYTICS = ("events", "profiles")
"""Canonical tables that the one analytics source fills which the tenant names."""
PURCHASES = ("purchase", "Purchase", "order_completed", "Order Completed")
"""What shops and Segment's e-commerce events call a purchase, for tools that have no event of their own for it."""


def account_currency(tenant: Tenant, source: Source, account: str = "source_account") -> str:
    """SQL giving the currency of the account that the expression `account` names: its own, else the tenant's."""
    return _by_account(account, {each.name: each.currency for each in source.accounts}, tenant.currency)


def account_timezone(
    tenant: Tenant, source: Source, account: str = "source_account", otherwise: str | None = None
) -> str:
    """SQL giving the IANA zone of the account that `account` names: its own, else `otherwise`, else the tenant's."""
    own = {each.name: each.timezone for each in source.accounts}
    return _by_account(account, own, otherwise or tenant.timezone)


def _by_account(account: str, own: Mapping[str, str | None], otherwise: str) -> str:
    other = {name: text for name, text in sorted(own.items()) if text and text != otherwise}
    cases = " ".join(f"when {literal(name)} then {literal(text)}" for name, text in other.items())
    return f"case {account} {cases} else {literal(otherwise)} end" if other else literal(otherwise)


def with_currency(tenant: Tenant, source: Source) -> Mapping[str, object]:
    """The arguments of an engine whose records may leave out their currency."""
    return {"currency": account_currency(tenant, source)}


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
