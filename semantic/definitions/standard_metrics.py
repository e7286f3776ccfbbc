"""The metrics and dimensions that every tenant has, as data. The planner knows none of these names.

`value` and `where` of a base metric are expressions of Boring Semantic Layer: `_` is the fact's table. A metric whose
columns a star does not have is left out, and so is what is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from semantic.catalog.expression import MetricKind, measure_of
from semantic.catalog.formula import MetricType
from semantic.catalog.run_definitions import DimensionType
from warehouse.star_schema import Table


@dataclass(frozen=True, kw_only=True)
class BaseMetric:
    """One aggregation over the rows of one fact."""

    name: str
    fact: str
    kind: MetricKind  # semantic.catalog.expression says what each does and how it adds up
    value: str | None = None  # what is aggregated, such as _.spend; None for a count
    where: str | None = None  # the rows that count, such as _.is_valid
    percent: int = 50  # of a percentile
    type: MetricType
    unit: str | None  # currency (major units), count, seconds or a word of the tenant's own
    description: str
    label: str | None = None
    hidden: bool = False
    rule: str | None = None  # which rows a filtered metric counts, in words
    note: str | None = None

    @property
    def expression(self) -> str:
        """The measure, as Boring Semantic Layer takes it."""
        return measure_of(self.kind, self.value, where=self.where, percent=self.percent)


@dataclass(frozen=True, kw_only=True)
class DerivedMetric:
    """Arithmetic over metrics, done after facts are aggregated and joined."""

    name: str
    expression: str
    description: str
    unit: str | None = None  # that of the expression where left out
    label: str | None = None
    rule: str | None = None  # as of a base metric


@dataclass(frozen=True, kw_only=True)
class StandardDimension:
    """A column to group and filter by; any fact that refers to one of the tables in `homes` reaches it."""

    name: str
    type: DimensionType
    description: str
    homes: Mapping[str, str]  # the tables that hold it, and in which column
    through_joins: bool = True
    meanings: Mapping[str, str] = field(default_factory=dict)  # by fact, where facts mean different things by it
    personal: bool = False


_ADS, _ORDERS, _ITEMS, _SESSIONS, _EVENTS = "ad_performance", "orders", "order_items", "sessions", "events"


def _count(
    name: str, fact: str, *, where: str | None = None, description: str, label: str | None = None, hidden: bool = False
) -> BaseMetric:
    """A count of rows."""
    return BaseMetric(
        name=name,
        fact=fact,
        kind="count",
        where=where,
        type="integer",
        unit="count",
        description=description,
        label=label,
        hidden=hidden,
    )


def _distinct(name: str, fact: str, *, column: str, where: str | None = None, description: str) -> BaseMetric:
    """A count of the different values of a column."""
    return BaseMetric(
        name=name,
        fact=fact,
        kind="count_distinct",
        value=f"_.{column}",
        where=where,
        type="integer",
        unit="count",
        description=description,
    )


def _total(
    name: str,
    fact: str,
    *,
    value: str,
    type_: MetricType = "integer",
    unit: str = "count",
    description: str,
    hidden: bool = False,
) -> BaseMetric:
    """A sum of numbers."""
    return BaseMetric(
        name=name, fact=fact, kind="sum", value=value, type=type_, unit=unit, description=description, hidden=hidden
    )


def _money(name: str, fact: str, *, value: str, description: str, hidden: bool = False) -> BaseMetric:
    """A sum of money, in major units of its currency."""
    return _total(name, fact, value=value, type_="decimal", unit="currency", description=description, hidden=hidden)


def _order_value(name: str, *, kind: MetricKind, percent: int = 50, description: str) -> BaseMetric:
    """A figure of what single valid orders bring; between two orders it is interpolated, in doubles."""
    return BaseMetric(
        name=name,
        fact=_ORDERS,
        kind=kind,
        value="_.total_price",
        where="_.is_valid",
        percent=percent,
        type="number" if kind in ("median", "percentile") else "decimal",
        unit="currency",
        description=description,
    )


BASE_METRICS = (
    _money("spend", _ADS, value="_.spend", description="What ads cost."),
    _total("impressions", _ADS, value="_.impressions", description="How often ads were shown."),
    _total("clicks", _ADS, value="_.clicks", description="How often ads were clicked."),
    _total(
        "ad_conversions",
        _ADS,
        value="_.conversions",
        type_="decimal",
        description="Conversions as ad platforms report them; empty where none do.",
    ),
    _count("orders", _ORDERS, description="All orders, also cancelled ones and tests."),
    _count(
        "valid_orders",
        _ORDERS,
        where="_.is_valid",
        description="Orders that are not cancelled, voided, failed or tests.",
    ),
    _money(
        "order_revenue",
        _ORDERS,
        value="_.is_valid.ifelse(_.total_price, 0)",
        description="What customers were charged in valid orders, refunds not deducted.",
    ),
    _money(
        "refunded_amount",
        _ORDERS,
        value="_.refunded_amount",
        description="What was paid back for all orders, by the order's day.",
    ),
    _money(
        "valid_refunded_amount",
        _ORDERS,
        value="_.is_valid.ifelse(_.refunded_amount, 0)",
        description="What was paid back for valid orders, by the order's day.",
        hidden=True,
    ),
    _money(
        "net_paid_amount",
        _ORDERS,
        value="_.net_paid_amount",
        description="What the payment provider captured for orders, less what it refunded.",
    ),
    _distinct(
        "customers",
        _ORDERS,
        column="customer_key",
        where="_.is_valid",
        description="Different customers with a valid order.",
    ),
    _distinct(
        "new_customers",
        _ORDERS,
        column="customer_key",
        where="_.is_valid & _.is_first_order",
        description="Different customers whose first valid order this is.",
    ),
    _count(
        "repeat_orders",
        _ORDERS,
        where="_.is_valid & ~_.is_first_order & _.customer_key.notnull()",
        description="Valid orders of customers who had a valid order before.",
    ),
    _order_value("smallest_order", kind="minimum", description="What the smallest valid order was charged."),
    _order_value("largest_order", kind="maximum", description="What the largest valid order was charged."),
    _order_value("median_order_value", kind="median", description="What the valid order in the middle was charged."),
    _order_value(
        "p90_order_value", kind="percentile", percent=90, description="What 9 of 10 valid orders do not exceed."
    ),
    _total(
        "units_sold",
        _ITEMS,
        value="_.is_valid.ifelse(_.quantity, 0)",
        description="Units in the lines of valid orders.",
    ),
    _money(
        "item_revenue",
        _ITEMS,
        value="_.is_valid.ifelse(_.item_amount, 0)",
        description="Lines of valid orders: quantity x unit price, less the line's discount.",
    ),
    _count("sessions", _SESSIONS, description="Visits: a user's events without a gap of more than 30 minutes."),
    _count(
        "converting_sessions",
        _SESSIONS,
        where="_.is_conversion_session",
        description="Visits with at least one conversion event.",
    ),
    _money(
        "session_revenue",
        _SESSIONS,
        value="_.session_revenue",
        description="Revenue of purchases in visits, each transaction once.",
    ),
    _money(
        "attributed_revenue",
        _SESSIONS,
        value="(_.attribution == 'matched').ifelse(_.session_revenue, 0)",
        description="session_revenue of the visits that are attributed to an ad campaign.",
    ),
    _distinct("session_users", _SESSIONS, column="user_key", description="Different users with a visit."),
    _total("session_events", _SESSIONS, value="_.events_in_session", description="Events in visits.", hidden=True),
    _total(
        "session_seconds",
        _SESSIONS,
        value="_.session_duration_seconds",
        unit="seconds",
        description="Seconds from the first to the last event of visits.",
        hidden=True,
    ),
    BaseMetric(
        name="median_session_seconds",
        fact=_SESSIONS,
        kind="median",
        value="_.session_duration_seconds",
        type="number",
        unit="seconds",
        description="Seconds of the visit in the middle, from its first to its last event.",
    ),
    _count("events", _EVENTS, description="Analytics events."),
    _distinct("event_users", _EVENTS, column="user_key", description="Different users with an event."),
)

DERIVED_METRICS = (
    DerivedMetric(
        name="ctr", expression="clicks / impressions", description="Click-through rate: clicks per impression."
    ),
    DerivedMetric(name="cpc", expression="spend / clicks", description="Cost per click."),
    DerivedMetric(name="cpm", expression="spend / impressions * 1000", description="Cost per thousand impressions."),
    DerivedMetric(
        name="cost_per_conversion",
        expression="spend / ad_conversions",
        description="Spend per conversion as the ad platforms report them.",
    ),
    DerivedMetric(
        name="net_order_revenue",
        expression="order_revenue - valid_refunded_amount",
        description="Revenue of valid orders, less their refunds.",
    ),
    DerivedMetric(
        name="average_order_value",
        expression="order_revenue / valid_orders",
        description="Revenue per valid order.",
    ),
    DerivedMetric(
        name="returning_customers",
        expression="customers - new_customers",
        description="Different customers with a valid order whose first valid order is another one.",
    ),
    DerivedMetric(
        name="returning_customer_rate",
        expression="returning_customers / customers",
        description="The share of customers that return.",
    ),
    DerivedMetric(
        name="conversion_rate",
        expression="converting_sessions / sessions",
        description="The share of visits that convert.",
    ),
    DerivedMetric(name="events_per_session", expression="session_events / sessions", description="Events per visit."),
    DerivedMetric(
        name="average_session_seconds",
        expression="session_seconds / sessions",
        description="Seconds from the first to the last event, per visit.",
    ),
    DerivedMetric(
        name="roas",
        expression="attributed_revenue / spend",
        description="Return on ad spend: revenue of visits attributed to a campaign, per unit of spend.",
    ),
    DerivedMetric(
        name="blended_roas",
        expression="order_revenue / spend",
        description="Revenue of all valid orders per unit of ad spend.",
    ),
    DerivedMetric(
        name="cac",
        expression="spend / converting_sessions",
        description="Customer acquisition cost: ad spend per converting visit.",
    ),
)


def funnel_metrics(steps: Mapping[str, Sequence[str]]) -> tuple[BaseMetric, ...]:
    """Counts per funnel step, named by position; `steps` holds the events that reach each.

    Visits may skip steps, so the visits of two steps in a row are counted too: the rate between them is never over 1.
    """
    named = list(enumerate(steps.items(), start=1))
    reached = [
        _count(
            f"funnel_step_{n}",
            _SESSIONS,
            where=f"_.funnel_step_{n} > 0",
            description=f"Visits that reach step {n} of the funnel, {step}: at least one {' or '.join(events)} event.",
            label=step,
        )
        for n, (step, events) in named
    ]
    both = [
        _count(
            f"funnel_steps_{n - 1}_and_{n}",
            _SESSIONS,
            where=f"(_.funnel_step_{n - 1} > 0) & (_.funnel_step_{n} > 0)",
            description=f"Visits that reach step {n} of the funnel and the one before.",
            hidden=True,
        )
        for n, _ in named[1:]
    ]
    return (*reached, *both)


def funnel_rates(steps: Sequence[str]) -> tuple[DerivedMetric, ...]:
    """From each step of the funnel to the next: the share of the visits of the one that also reach the other."""
    return tuple(
        DerivedMetric(
            name=f"funnel_step_{n}_rate",
            expression=f"funnel_steps_{n - 1}_and_{n} / funnel_step_{n - 1}",
            description=f"The share of visits with {before} that also have {step}.",
            label=f"{before} to {step}",
        )
        for n, (before, step) in enumerate(pairwise(steps), start=2)
    )


SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "spend": ("cost", "ad_spend", "media_cost", "marketing_spend", "budget"),
    "impressions": ("views", "ad_views"),
    "ad_conversions": ("conversions", "platform_conversions"),
    "orders": ("purchases", "transactions"),
    "order_revenue": ("revenue", "sales", "gmv", "turnover", "gross_revenue"),
    "net_order_revenue": ("net_revenue", "net_sales"),
    "refunded_amount": ("refunds", "refund_amount"),
    "net_paid_amount": ("paid", "captured", "payments"),
    "average_order_value": ("aov", "average_order", "basket_size", "basket_value"),
    "median_order_value": ("median_order",),
    "p90_order_value": ("percentile", "order_value_p90"),
    "largest_order": ("max_order_value", "biggest_order"),
    "smallest_order": ("min_order_value",),
    "customers": ("buyers", "clients"),
    "new_customers": ("first_time_customers", "acquired_customers"),
    "returning_customers": ("repeat_customers", "existing_customers"),
    "returning_customer_rate": ("repeat_rate", "retention_rate"),
    "units_sold": ("quantity", "items_sold", "units"),
    "item_revenue": ("product_revenue", "product_sales"),
    "sessions": ("visits", "traffic"),
    "converting_sessions": ("conversions", "converted_sessions"),
    "conversion_rate": ("cvr", "conversion", "session_conversion_rate"),
    "session_revenue": ("revenue", "web_revenue", "analytics_revenue"),
    "attributed_revenue": ("revenue", "campaign_revenue", "ad_revenue"),
    "session_users": ("users", "visitors", "unique_visitors"),
    "average_session_seconds": ("session_duration", "time_on_site"),
    "ctr": ("click_through_rate", "clickthrough_rate"),
    "cpc": ("cost_per_click",),
    "cpm": ("cost_per_mille", "cost_per_thousand"),
    "cost_per_conversion": ("cpa", "cost_per_acquisition"),
    "roas": ("return_on_ad_spend", "roi"),
    "blended_roas": ("mer", "total_roas"),
    "cac": ("customer_acquisition_cost", "acquisition_cost"),
    "date": ("time", "period", "report_date", "order_date"),
    "ad_platform": ("channel", "platform", "network", "ad_network"),
    "campaign_name": ("campaign", "campaigns"),
    "ad_group_name": ("ad_group", "ad_set", "adset"),
    "ad_name": ("ad", "creative"),
    "shop_platform": ("shop", "store", "shop_system"),
    "financial_status": ("order_status", "payment_status", "status"),
    "traffic_source": ("source", "utm_source", "referrer"),
    "traffic_medium": ("medium", "utm_medium"),
    "traffic_campaign": ("utm_campaign",),
    "geo_country": ("country", "region", "location"),
    "device_category": ("device",),
    "event_name": ("event",),
    "product_name": ("product", "products", "item"),
    "product_category": ("category", "product_type"),
    "first_order_date": ("cohort", "customer_since", "acquisition_date"),
    "first_seen_date": ("user_cohort", "first_visit_date"),
}
"""What else people call metrics and dimensions, written as names are: a search finds them, an error leads to them."""


_ACCOUNTS = {_ADS: "ad", _ORDERS: "shop", _ITEMS: "shop", _SESSIONS: "analytics", _EVENTS: "analytics"}


def _column(name: str, *homes: str, type_: DimensionType = "text", description: str) -> StandardDimension:
    """A dimension whose column has its name in every table that holds it."""
    return StandardDimension(name=name, type=type_, description=description, homes=dict.fromkeys(homes, name))


DIMENSIONS = (
    StandardDimension(
        name="ad_platform",
        type="text",
        description="The ad platform, such as facebook_ads; for visits and orders the one that brought them.",
        homes={_ADS: "source_platform", _SESSIONS: "ad_platform", _ORDERS: "ad_platform"},
    ),
    _column("campaign_id", _ADS, "campaigns", description="The ad campaign's id, as its platform gives it."),
    _column("campaign_name", "campaigns", description="The ad campaign's current name."),
    _column("campaign_status", "campaigns", description="The ad campaign's current status, as its platform says it."),
    _column("ad_group_id", _ADS, description="The ad group's (ad set's) id."),
    _column("ad_group_name", _ADS, description="The ad group's (ad set's) current name."),
    _column("ad_id", _ADS, description="The ad's id."),
    _column("ad_name", _ADS, description="The ad's current name."),
    StandardDimension(
        name="currency",
        type="text",
        description="ISO 4217 code of the row's money; empty for visits without a purchase.",
        homes=dict.fromkeys((_ADS, _ORDERS, _ITEMS, _SESSIONS, _EVENTS), "currency"),
        through_joins=False,
    ),
    StandardDimension(
        name="account",
        type="text",
        description="The account of the connector that the row came from, as named in tenants.yaml.",
        homes=dict.fromkeys(_ACCOUNTS, "source_account"),
        through_joins=False,
        meanings=_ACCOUNTS,
    ),
    StandardDimension(
        name="shop_platform",
        type="text",
        description="The shop system, such as shopify.",
        homes=dict.fromkeys((_ORDERS, _ITEMS), "source_platform"),
    ),
    _column("financial_status", _ORDERS, description="Where an order's money is, such as paid or refunded."),
    StandardDimension(
        name="analytics_platform",
        type="text",
        description="The analytics tool, such as google_analytics.",
        homes=dict.fromkeys((_SESSIONS, _EVENTS), "source_platform"),
    ),
    _column("traffic_source", _SESSIONS, _ORDERS, _EVENTS, description="Where the visit came from, such as google."),
    _column("traffic_medium", _SESSIONS, _ORDERS, _EVENTS, description="How the visit came, such as cpc or email."),
    _column("traffic_campaign", _SESSIONS, _ORDERS, _EVENTS, description="The campaign named by the visit itself."),
    _column("geo_country", _SESSIONS, _EVENTS, description="The visitor's country."),
    _column("device_category", _SESSIONS, _EVENTS, description="The visitor's device, such as mobile."),
    _column(
        "attribution",
        _SESSIONS,
        _ORDERS,
        description="Whether an ad campaign was found: matched, ambiguous (a name of several, never guessed) or none.",
    ),
    _column("event_name", _EVENTS, description="What happened, such as purchase."),
    _column(
        "is_customer",
        "users",
        type_="boolean",
        description="Whether a purchase of the user carries the id of an order.",
    ),
    _column(
        "first_order_date",
        _ORDERS,
        type_="date",
        description="The day of the customer's first valid order, to follow customers by when they came.",
    ),
    _column(
        "first_seen_date",
        "users",
        type_="date",
        description="The day of the user's first visit, to follow users by when they came.",
    ),
    _column("product_name", "products", description="The product's current name."),
    _column("product_category", "products", description="The product's category or type."),
)


def date_dimension(tables: Sequence[Table]) -> StandardDimension:
    """The one dimension of time; each fact has its own column behind it."""
    return StandardDimension(
        name="date",
        type="date",
        description="The day, in the tenant's time zone; for ads in the ad account's own. With time_grain: its first "
        "day.",
        homes={table.name: table.date for table in tables if table.date is not None},
        through_joins=False,
    )


def personal_dimensions(tables: Sequence[Table]) -> tuple[StandardDimension, ...]:
    """Personal columns, by name; withheld unless tenants.yaml exposes them."""
    homes: dict[str, dict[str, str]] = {}
    descriptions: dict[str, str] = {}
    for table in tables:
        for column in table.columns:
            if column.personal:
                homes.setdefault(column.name, {})[table.name] = column.name
                descriptions.setdefault(column.name, column.description)
    return tuple(
        StandardDimension(name=name, type="text", description=descriptions[name], homes=homes[name], personal=True)
        for name in homes
    )
