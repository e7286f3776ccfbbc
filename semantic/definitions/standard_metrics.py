"""The metrics and dimensions that every tenant has, as data. The planner knows none of these names.

An expression of a base metric is Boring Semantic Layer's: `_` is the fact's table. A metric whose columns a star does
not have is left out, and so is what is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from semantic.catalog.expression import measure_of
from warehouse.star_schema import Table


@dataclass(frozen=True)
class BaseMetric:
    """One aggregation over the rows of one fact."""

    name: str
    fact: str
    kind: str  # of semantic.catalog.expression, which says what each does and how it adds up
    value: str | None  # what is aggregated, such as _.spend; None for a count
    type: str  # integer, decimal or number
    unit: str | None  # currency (major units), count, seconds or a word of the tenant's own
    description: str
    where: str | None = None  # the rows that count, such as _.is_valid
    percent: int = 50  # of a percentile
    label: str | None = None
    hidden: bool = False
    rule: str | None = None  # which rows a filtered metric counts, in words
    note: str | None = None

    @property
    def expression(self) -> str:
        """The measure, as Boring Semantic Layer takes it."""
        return measure_of(self.kind, self.value, where=self.where, percent=self.percent)


@dataclass(frozen=True)
class DerivedMetric:
    """Arithmetic over metrics, done after facts are aggregated and joined."""

    name: str
    expression: str
    description: str
    label: str | None = None


@dataclass(frozen=True)
class StandardDimension:
    """A column to group and filter by; `homes` are the tables that hold it, any fact that refers to one reaches it."""

    name: str
    type: str  # text, date or boolean
    description: str
    homes: Mapping[str, str]
    through_joins: bool = True
    meanings: Mapping[str, str] = field(default_factory=dict)  # by fact, where facts mean different things by it
    personal: bool = False


_ADS, _ORDERS, _ITEMS, _SESSIONS, _EVENTS = "ad_performance", "orders", "order_items", "sessions", "events"


def _count(
    name: str, fact: str, description: str, where: str | None = None, *, label: str | None = None, hidden: bool = False
) -> BaseMetric:
    return BaseMetric(name, fact, "count", None, "integer", "count", description, where, label=label, hidden=hidden)


def _total(name: str, fact: str, value: str, description: str, unit: str = "count") -> BaseMetric:
    return BaseMetric(name, fact, "sum", value, "integer", unit, description)


def _money(name: str, fact: str, value: str, description: str) -> BaseMetric:
    return BaseMetric(name, fact, "sum", value, "decimal", "currency", description)


def _distinct(name: str, fact: str, column: str, description: str, where: str | None = None) -> BaseMetric:
    return BaseMetric(name, fact, "count_distinct", f"_.{column}", "integer", "count", description, where)


def _order_value(name: str, kind: str, description: str, percent: int = 50) -> BaseMetric:
    """One figure of what single valid orders bring; between orders it is interpolated, in doubles."""
    type_ = "number" if kind in ("median", "percentile") else "decimal"
    return BaseMetric(name, _ORDERS, kind, "_.total_price", type_, "currency", description, "_.is_valid", percent)


BASE_METRICS = (
    _money("spend", _ADS, "_.spend", "What ads cost."),
    _total("impressions", _ADS, "_.impressions", "How often ads were shown."),
    _total("clicks", _ADS, "_.clicks", "How often ads were clicked."),
    replace(
        _total(
            "ad_conversions", _ADS, "_.conversions", "Conversions as ad platforms report them; empty where none do."
        ),
        type="decimal",
    ),
    _count("orders", _ORDERS, "All orders, also cancelled ones and tests."),
    _count("valid_orders", _ORDERS, "Orders that are not cancelled, voided, failed or tests.", "_.is_valid"),
    _money(
        "order_revenue",
        _ORDERS,
        "_.is_valid.ifelse(_.total_price, 0)",
        "What customers were charged in valid orders, refunds not deducted.",
    ),
    _money("refunded_amount", _ORDERS, "_.refunded_amount", "What was paid back for all orders, by the order's day."),
    replace(
        _money(
            "valid_refunded_amount",
            _ORDERS,
            "_.is_valid.ifelse(_.refunded_amount, 0)",
            "What was paid back for valid orders, by the order's day.",
        ),
        hidden=True,
    ),
    _money(
        "net_paid_amount",
        _ORDERS,
        "_.net_paid_amount",
        "What the payment provider captured for orders, less what it refunded.",
    ),
    _distinct("customers", _ORDERS, "customer_key", "Different customers with a valid order.", "_.is_valid"),
    _distinct(
        "new_customers",
        _ORDERS,
        "customer_key",
        "Different customers whose first valid order this is.",
        "_.is_valid & _.is_first_order",
    ),
    _count(
        "repeat_orders",
        _ORDERS,
        "Valid orders of customers who had a valid order before.",
        "_.is_valid & ~_.is_first_order & _.customer_key.notnull()",
    ),
    _order_value("smallest_order", "minimum", "What the smallest valid order was charged."),
    _order_value("largest_order", "maximum", "What the largest valid order was charged."),
    _order_value("median_order_value", "median", "What the valid order in the middle was charged."),
    _order_value("p90_order_value", "percentile", "What 9 of 10 valid orders do not exceed.", 90),
    _total("units_sold", _ITEMS, "_.is_valid.ifelse(_.quantity, 0)", "Units in the lines of valid orders."),
    _money(
        "item_revenue",
        _ITEMS,
        "_.is_valid.ifelse(_.item_amount, 0)",
        "Lines of valid orders: quantity x unit price, less the line's discount.",
    ),
    _count("sessions", _SESSIONS, "Visits: a user's events without a gap of more than 30 minutes."),
    _count("converting_sessions", _SESSIONS, "Visits with at least one conversion event.", "_.is_conversion_session"),
    _money("session_revenue", _SESSIONS, "_.session_revenue", "Revenue of purchases in visits, each transaction once."),
    _money(
        "attributed_revenue",
        _SESSIONS,
        "(_.attribution == 'matched').ifelse(_.session_revenue, 0)",
        "session_revenue of the visits that are attributed to an ad campaign.",
    ),
    _distinct("session_users", _SESSIONS, "user_key", "Different users with a visit."),
    replace(_total("session_events", _SESSIONS, "_.events_in_session", "Events in visits."), hidden=True),
    replace(
        _total(
            "session_seconds",
            _SESSIONS,
            "_.session_duration_seconds",
            "Seconds from the first to the last event of visits.",
            "seconds",
        ),
        hidden=True,
    ),
    BaseMetric(
        "median_session_seconds",
        _SESSIONS,
        "median",
        "_.session_duration_seconds",
        "number",
        "seconds",
        "Seconds of the visit in the middle, from its first to its last event.",
    ),
    _count("events", _EVENTS, "Analytics events."),
    _distinct("event_users", _EVENTS, "user_key", "Different users with an event."),
)

DERIVED_METRICS = (
    DerivedMetric("ctr", "clicks / impressions", "Click-through rate: clicks per impression."),
    DerivedMetric("cpc", "spend / clicks", "Cost per click."),
    DerivedMetric("cpm", "spend / impressions * 1000", "Cost per thousand impressions."),
    DerivedMetric(
        "cost_per_conversion", "spend / ad_conversions", "Spend per conversion as the ad platforms report them."
    ),
    DerivedMetric(
        "net_order_revenue", "order_revenue - valid_refunded_amount", "Revenue of valid orders, less their refunds."
    ),
    DerivedMetric("average_order_value", "order_revenue / valid_orders", "Revenue per valid order."),
    DerivedMetric(
        "returning_customers",
        "customers - new_customers",
        "Different customers with a valid order whose first valid order is another one.",
    ),
    DerivedMetric("returning_customer_rate", "returning_customers / customers", "The share of customers that return."),
    DerivedMetric("conversion_rate", "converting_sessions / sessions", "The share of visits that convert."),
    DerivedMetric("events_per_session", "session_events / sessions", "Events per visit."),
    DerivedMetric(
        "average_session_seconds", "session_seconds / sessions", "Seconds from the first to the last event, per visit."
    ),
    DerivedMetric(
        "roas",
        "attributed_revenue / spend",
        "Return on ad spend: revenue of visits attributed to a campaign, per unit of spend.",
    ),
    DerivedMetric("blended_roas", "order_revenue / spend", "Revenue of all valid orders per unit of ad spend."),
    DerivedMetric("cac", "spend / converting_sessions", "Customer acquisition cost: ad spend per converting visit."),
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
            f"Visits that reach step {n} of the funnel, {step}: at least one {' or '.join(events)} event.",
            f"_.funnel_step_{n} > 0",
            label=step,
        )
        for n, (step, events) in named
    ]
    both = [
        _count(
            f"funnel_steps_{n - 1}_and_{n}",
            _SESSIONS,
            f"Visits that reach step {n} of the funnel and the one before.",
            f"(_.funnel_step_{n - 1} > 0) & (_.funnel_step_{n} > 0)",
            hidden=True,
        )
        for n, _ in named[1:]
    ]
    return (*reached, *both)


def funnel_rates(steps: Sequence[str]) -> tuple[DerivedMetric, ...]:
    """From each step of the funnel to the next: the share of the visits of the one that also reach the other."""
    return tuple(
        DerivedMetric(
            f"funnel_step_{n}_rate",
            f"funnel_steps_{n - 1}_and_{n} / funnel_step_{n - 1}",
            f"The share of visits with {before} that also have {step}.",
            f"{before} to {step}",
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


_SHOP = {_ORDERS: "source_platform", _ITEMS: "source_platform"}
_ANALYTICS = {_SESSIONS: "source_platform", _EVENTS: "source_platform"}
_ACCOUNTS = {_ADS: "ad", _ORDERS: "shop", _ITEMS: "shop", _SESSIONS: "analytics", _EVENTS: "analytics"}


def _column(name: str, description: str, *homes: str, type_: str = "text") -> StandardDimension:
    return StandardDimension(name, type_, description, dict.fromkeys(homes, name))


DIMENSIONS = (
    StandardDimension(
        "ad_platform",
        "text",
        "The ad platform, such as facebook_ads; for visits and orders the one that brought them.",
        {_ADS: "source_platform", _SESSIONS: "ad_platform", _ORDERS: "ad_platform"},
    ),
    _column("campaign_id", "The ad campaign's id, as its platform gives it.", _ADS, "campaigns"),
    _column("campaign_name", "The ad campaign's current name.", "campaigns"),
    _column("campaign_status", "The ad campaign's current status, as its platform says it.", "campaigns"),
    _column("ad_group_id", "The ad group's (ad set's) id.", _ADS),
    _column("ad_group_name", "The ad group's (ad set's) current name.", _ADS),
    _column("ad_id", "The ad's id.", _ADS),
    _column("ad_name", "The ad's current name.", _ADS),
    StandardDimension(
        "currency",
        "text",
        "ISO 4217 code of the row's money; empty for visits without a purchase.",
        dict.fromkeys((_ADS, _ORDERS, _ITEMS, _SESSIONS, _EVENTS), "currency"),
        through_joins=False,
    ),
    StandardDimension(
        "account",
        "text",
        "The account of the connector that the row came from, as named in tenants.yaml.",
        dict.fromkeys(_ACCOUNTS, "source_account"),
        through_joins=False,
        meanings=_ACCOUNTS,
    ),
    StandardDimension("shop_platform", "text", "The shop system, such as shopify.", _SHOP),
    _column("financial_status", "Where an order's money is, such as paid or refunded.", _ORDERS),
    StandardDimension("analytics_platform", "text", "The analytics tool, such as google_analytics.", _ANALYTICS),
    _column("traffic_source", "Where the visit came from, such as google.", _SESSIONS, _ORDERS, _EVENTS),
    _column("traffic_medium", "How the visit came, such as cpc or email.", _SESSIONS, _ORDERS, _EVENTS),
    _column("traffic_campaign", "The campaign named by the visit itself.", _SESSIONS, _ORDERS, _EVENTS),
    _column("geo_country", "The visitor's country.", _SESSIONS, _EVENTS),
    _column("device_category", "The visitor's device, such as mobile.", _SESSIONS, _EVENTS),
    _column(
        "attribution",
        "Whether an ad campaign was found: matched, ambiguous (a name of several, never guessed) or none.",
        _SESSIONS,
        _ORDERS,
    ),
    _column("event_name", "What happened, such as purchase.", _EVENTS),
    _column("is_customer", "Whether a purchase of the user carries the id of an order.", "users", type_="boolean"),
    StandardDimension(
        "first_order_date",
        "date",
        "The day of the customer's first valid order, to follow customers by when they came.",
        {_ORDERS: "first_order_date"},
    ),
    StandardDimension(
        "first_seen_date",
        "date",
        "The day of the user's first visit, to follow users by when they came.",
        {"users": "first_seen_date"},
    ),
    _column("product_name", "The product's current name.", "products"),
    _column("product_category", "The product's category or type.", "products"),
)


def date_dimension(tables: Sequence[Table]) -> StandardDimension:
    """The one dimension of time; each fact has its own column behind it."""
    homes = {table.name: table.date for table in tables if table.date is not None}
    text = "The day, in the tenant's time zone; for ads in the ad account's own. With time_grain: its first day."
    return StandardDimension("date", "date", text, homes, through_joins=False)


def personal_dimensions(tables: Sequence[Table]) -> tuple[StandardDimension, ...]:
    """Personal columns, by name; withheld unless tenants.yaml exposes them."""
    homes: dict[str, dict[str, str]] = {}
    descriptions: dict[str, str] = {}
    for table in tables:
        for column in table.columns:
            if column.personal:
                homes.setdefault(column.name, {})[table.name] = column.name
                descriptions.setdefault(column.name, column.description)
    return tuple(StandardDimension(name, "text", descriptions[name], homes[name], personal=True) for name in homes)
