"""One tenant's shop: its accounts on every platform, what it sells and what it advertises. No chance after this."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.synthetic.campaigns import Ads, plan_ads
from pipeline.synthetic.catalog import Catalog, stock_catalog
from pipeline.synthetic.dice import Ints, seed_of
from pipeline.synthetic.levers import Levers, read_levers
from pipeline.synthetic.zones import Zone
from pipeline.tenants import Account, Tenant

SMALLEST_BASE = 10**15
BASES = 7 * 10**15  # ids stay below 2^53, so that JavaScript could read them
COHORT_ROOM = 10**8  # numbers set aside for what begins on one day
FIRST_COHORT = 15_000  # a day of 2011, from which ids count


@dataclass(frozen=True)
class Outlet:
    """One account of a platform whose records are made here."""

    name: str
    currency: str
    zone: Zone
    base: int  # its ids begin here


@dataclass(frozen=True)
class Shop:
    """A shop, its levers resolved. There is always a store: orders happen even where nobody exports them."""

    seed: int
    host: str
    levers: Levers
    zone: Zone
    ad_accounts: tuple[Outlet, ...]
    stores: tuple[Outlet, ...]
    properties: tuple[Outlet, ...]
    catalog: Catalog
    ads: Ads


def open_shop(tenant: Tenant) -> Shop:
    """The shop of a tenant, the same each time.

    Raises:
        ConfigError: Its levers contradict each other.
    """
    levers = read_levers(tenant)
    seed = seed_of(tenant.slug)
    ad_accounts = outlets(tenant, "facebook_ads")
    return Shop(
        seed=seed,
        host=f"{tenant.slug.replace('_', '-')}.example",
        levers=levers,
        zone=Zone(tenant.timezone),
        ad_accounts=ad_accounts,
        stores=outlets(tenant, "shopify") or (_outlet(tenant, "shopify", Account()),),
        properties=outlets(tenant, "google_analytics"),
        catalog=stock_catalog(seed, levers.product_count, levers.avg_order_value),
        ads=plan_ads(seed, len(ad_accounts), levers.campaign_count, levers.ad_group_count),
    )


def outlets(tenant: Tenant, platform: str) -> tuple[Outlet, ...]:
    """The synthetic accounts of a platform, in the order of tenants.yaml; none when it is not enabled."""
    return tuple(
        _outlet(tenant, platform, account)
        for source in tenant.enabled
        if source.platform == platform
        for account in source.accounts
        if account.read.kind == "synthetic"
    )


def numbers(cohort: Ints, place: Ints) -> Ints:
    """A number for each thing, by the day it belongs to and its place in that day; an outlet's base makes it an id."""
    return (cohort - FIRST_COHORT) * COHORT_ROOM + place


def _outlet(tenant: Tenant, platform: str, account: Account) -> Outlet:
    return Outlet(
        name=account.name,
        currency=account.currency or tenant.currency,
        zone=Zone(account.timezone or tenant.timezone),
        base=SMALLEST_BASE + seed_of(tenant.slug, platform, account.name) % BASES,
    )
