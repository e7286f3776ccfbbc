"""One tenant's shop: its accounts on every platform, what it sells and what it advertises. No chance after this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.config.accounts import Account
from pipeline.config.tenant import Tenant
from pipeline.synthetic.arrays.money import decimals_of, smallest
from pipeline.synthetic.arrays.rng import Ints, seed_of
from pipeline.synthetic.arrays.zones import Zone
from pipeline.synthetic.model.assortment import Assortment, Goods, name_goods, price_assortment
from pipeline.synthetic.model.campaigns import Ads, Advertiser, plan_ads
from pipeline.synthetic.model.parameters import AdParameters, SimulationParameters, read_parameters
from pipeline.synthetic.model.view import Channel, View, synthetic_views

COHORT_ROOM = 10**8  # numbers set aside for what begins on one day
FIRST_COHORT = 15_000  # a day of 2011, from which ids count


@dataclass(frozen=True)
class ShopAccount:
    """One account of a platform whose records are made here."""

    platform: str
    name: str
    place: int  # among the accounts of its platform
    of: int  # how many those are
    currency: str
    zone: Zone
    says_zone: bool  # in tenants.yaml, so its clock may be the account's own
    base: int  # its ids begin here
    room: int  # ids set aside for each kind of thing

    @property
    def decimals(self) -> int:
        return decimals_of(self.currency)

    @property
    def smallest(self) -> int:
        """The smallest amount of its currency, in hundredths."""
        return smallest(self.currency)


@dataclass(frozen=True)
class Shop:
    """A shop, its levers resolved. There is always a store: orders happen even where nobody exports them.

    Attributes:
        outlets: The synthetic accounts of each platform, in the order of tenants.yaml.
        ad_accounts: Those of ads platforms, over all of them.
        channels: How visitors come from each ad account.
        stores: Those of shop platforms, each with its catalog and its share of orders.
        takes_payments: A payments platform takes the money of orders, and they keep the ids of its charges.
    """

    seed: int
    host: str
    levers: SimulationParameters
    zone: Zone
    outlets: Mapping[str, tuple[ShopAccount, ...]]
    ad_accounts: tuple[ShopAccount, ...]
    channels: tuple[Channel, ...]
    ads: Ads
    stores: tuple[ShopAccount, ...]
    store_shares: tuple[float, ...]
    goods: Goods
    catalogs: tuple[Assortment, ...]
    takes_payments: bool


def open_shop(tenant: Tenant) -> Shop:
    """The shop of a tenant, the same each time.

    Raises:
        ConfigError: A synthetic source has no view; or levers contradict each other.
    """
    views = synthetic_views(tenant)
    levers = read_parameters(tenant, frozenset(views))
    seed = seed_of(tenant.slug)
    outlets = {platform: _outlets(tenant, platform, view) for platform, view in views.items()}
    ad_accounts = tuple(outlet for platform in levers.ads for outlet in outlets[platform])
    stores = tuple(outlet for platform in levers.shops for outlet in outlets.get(platform, ()))
    stores = stores or (_outlet(tenant, next(iter(levers.shops)), Account(), View.digits, place=(0, 1)),)
    shop_levers = [levers.shops[store.platform] for store in stores]
    shares = levers.order_shares()
    return Shop(
        seed=seed,
        host=f"{tenant.slug.replace('_', '-')}.example",
        levers=levers,
        zone=Zone(tenant.timezone),
        outlets=outlets,
        ad_accounts=ad_accounts,
        channels=tuple(_channel(views[outlet.platform]) for outlet in ad_accounts),
        ads=plan_ads(seed, _advertisers(levers, views, outlets)),
        stores=stores,
        store_shares=tuple(shares[store.platform] / store.of for store in stores),
        goods=name_goods(seed, max(each.product_count for each in shop_levers)),
        catalogs=tuple(
            price_assortment(seed, each.product_count, each.avg_order_value, store.smallest)
            for store, each in zip(stores, shop_levers, strict=True)
        ),
        takes_payments=any(tenant.source(platform).domain == "payments" for platform in outlets),
    )


def numbers(cohort: Ints, place: Ints) -> Ints:
    """A number for each thing, by the day it belongs to and its place in that day; an outlet's base makes it an id."""
    return (cohort - FIRST_COHORT) * COHORT_ROOM + place


def _outlets(tenant: Tenant, platform: str, view: View) -> tuple[ShopAccount, ...]:
    """The synthetic accounts of a platform."""
    accounts = [account for account in tenant.source(platform).accounts if account.read.kind == "synthetic"]
    return tuple(
        _outlet(tenant, platform, account, view.digits, place=(place, len(accounts)))
        for place, account in enumerate(accounts)
    )


def _outlet(tenant: Tenant, platform: str, account: Account, length: int, *, place: tuple[int, int]) -> ShopAccount:
    """An account; `place` is its own among the platform's, and how many those are; `length` is that of its ids."""
    lowest = 10 ** (length - 1)
    return ShopAccount(
        platform=platform,
        name=account.name,
        place=place[0],
        of=place[1],
        currency=account.currency or tenant.currency,
        zone=Zone(account.timezone or tenant.timezone),
        says_zone=account.timezone is not None,
        base=lowest + seed_of(tenant.slug, platform, account.name) % (7 * lowest),
        room=min(10**9, lowest // 100),
    )


def _channel(view: View) -> Channel:
    if view.channel is None:
        raise TypeError("The view of an ads platform says how it sends visitors.")
    return view.channel


def _advertisers(
    levers: SimulationParameters, views: Mapping[str, View], outlets: Mapping[str, tuple[ShopAccount, ...]]
) -> list[Advertiser]:
    """What the shop does on each ads platform. Where ads are products, each ad group has as many as it takes."""
    shares = levers.click_shares()
    products = max(each.product_count for each in levers.shops.values())

    def kinds(platform: str, asked: AdParameters) -> tuple[str, ...]:
        groups = max(asked.campaign_count, asked.ad_group_count or 2 * asked.campaign_count)
        wanted = advertised(asked, products)
        return _channel(views[platform]).kinds or tuple(f"Product {place + 1}" for place in range(-(-wanted // groups)))

    return [
        Advertiser(len(outlets[platform]), asked, shares[platform], kinds(platform, asked))
        for platform, asked in levers.ads.items()
    ]


def advertised(levers: AdParameters, products: int) -> int:
    """How many products are advertised, where ads are products."""
    return max(1, round(levers.sponsored_product_ratio * products))
