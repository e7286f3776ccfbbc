"""One tenant's simulated shop: accounts on every platform, products and ads. It is fixed before days are simulated."""

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

COHORT_IDS = 10**8  # serial numbers reserved for each day
FIRST_COHORT = 15_000  # a day of 2011 that ids are counted from


@dataclass(frozen=True)
class ShopAccount:
    """One synthetic account of a platform."""

    platform: str
    name: str
    position: int  # among the accounts of its platform
    platform_accounts: int  # number of accounts of its platform, itself included
    currency: str
    zone: Zone
    has_own_zone: bool  # tenants.yaml gives its time zone
    base: int  # first of its ids
    id_range: int  # number of ids reserved for each kind of entity

    @property
    def decimals(self) -> int:
        return decimals_of(self.currency)

    @property
    def smallest(self) -> int:
        """The smallest amount of its currency, in hundredths."""
        return smallest(self.currency)


@dataclass(frozen=True)
class Shop:
    """A shop with its parameters resolved. It always has a store: orders happen even where no source exports them.

    Attributes:
        accounts: The synthetic accounts of each platform, in the order of tenants.yaml.
        ad_accounts: Those of ads platforms, over all of them.
        channels: How each ad account sends visitors.
        stores: Those of shop platforms, each with its catalog and its share of orders.
        takes_payments: A payments platform charges for the orders, and orders have the ids of its charges.
    """

    seed: int
    host: str
    parameters: SimulationParameters
    zone: Zone
    accounts: Mapping[str, tuple[ShopAccount, ...]]
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
        ConfigError: A synthetic source has no view; or parameters contradict each other.
    """
    views = synthetic_views(tenant)
    parameters = read_parameters(tenant, frozenset(views))
    seed = seed_of(tenant.slug)
    accounts = {platform: _shop_accounts(tenant, platform, view) for platform, view in views.items()}
    ad_accounts = tuple(account for platform in parameters.ads for account in accounts[platform])
    stores = tuple(account for platform in parameters.shops for account in accounts.get(platform, ()))
    stores = stores or (_shop_account(tenant, next(iter(parameters.shops)), Account(), View.digits),)
    shop_parameters = [parameters.shops[store.platform] for store in stores]
    shares = parameters.order_shares()
    return Shop(
        seed=seed,
        host=f"{tenant.slug.replace('_', '-')}.example",
        parameters=parameters,
        zone=Zone(tenant.timezone),
        accounts=accounts,
        ad_accounts=ad_accounts,
        channels=tuple(_channel(views[account.platform]) for account in ad_accounts),
        ads=plan_ads(seed, _advertisers(parameters, views, accounts)),
        stores=stores,
        store_shares=tuple(shares[store.platform] / store.platform_accounts for store in stores),
        goods=name_goods(seed, max(each.product_count for each in shop_parameters)),
        catalogs=tuple(
            price_assortment(seed, each.product_count, each.avg_order_value, store.smallest)
            for store, each in zip(stores, shop_parameters, strict=True)
        ),
        takes_payments=any(tenant.source(platform).domain == "payments" for platform in accounts),
    )


def serial_numbers(cohort: Ints, position: Ints) -> Ints:
    """A serial number for each entity, from its day and its position in that day; added to an account's base, an id."""
    return (cohort - FIRST_COHORT) * COHORT_IDS + position


def _shop_accounts(tenant: Tenant, platform: str, view: View) -> tuple[ShopAccount, ...]:
    """The synthetic accounts of a platform."""
    accounts = [account for account in tenant.source(platform).accounts if account.read.kind == "synthetic"]
    return tuple(
        _shop_account(tenant, platform, account, view.digits, position=position, count=len(accounts))
        for position, account in enumerate(accounts)
    )


def _shop_account(
    tenant: Tenant, platform: str, account: Account, id_length: int, *, position: int = 0, count: int = 1
) -> ShopAccount:
    """An account; `position` is its index among the `count` accounts of the platform."""
    lowest = 10 ** (id_length - 1)
    return ShopAccount(
        platform=platform,
        name=account.name,
        position=position,
        platform_accounts=count,
        currency=account.currency or tenant.currency,
        zone=Zone(account.timezone or tenant.timezone),
        has_own_zone=account.timezone is not None,
        base=lowest + seed_of(tenant.slug, platform, account.name) % (7 * lowest),
        id_range=min(10**9, lowest // 100),
    )


def _channel(view: View) -> Channel:
    if view.channel is None:
        raise TypeError("The view of an ads platform says how it sends visitors.")
    return view.channel


def _advertisers(
    parameters: SimulationParameters, views: Mapping[str, View], accounts: Mapping[str, tuple[ShopAccount, ...]]
) -> list[Advertiser]:
    """The shop on each ads platform. Where ads are products, ad groups have enough ads for all advertised products."""
    shares = parameters.click_shares()
    products = max(each.product_count for each in parameters.shops.values())

    def kinds(platform: str, ads: AdParameters) -> tuple[str, ...]:
        groups = max(ads.campaign_count, ads.ad_group_count or 2 * ads.campaign_count)
        count = advertised_count(ads, products)
        return _channel(views[platform]).kinds or tuple(
            f"Product {number}" for number in range(1, -(-count // groups) + 1)
        )

    return [
        Advertiser(len(accounts[platform]), ads, shares[platform], kinds(platform, ads))
        for platform, ads in parameters.ads.items()
    ]


def advertised_count(parameters: AdParameters, products: int) -> int:
    """The number of advertised products, where ads are products."""
    return max(1, round(parameters.sponsored_product_ratio * products))
