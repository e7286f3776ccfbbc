"""Standard metrics of every tenant, as data; planning uses none of these names.

`value` and `where` of a base metric are expressions of Boring Semantic Layer: `_` is the fact's table. A metric is left
out where a star lacks its columns, and so are metrics derived from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from semantic.catalog.expression import MetricKind, measure_of
from semantic.catalog.formula import MetricType


@dataclass(frozen=True, kw_only=True)
class BaseMetric:
    """One aggregation over the rows of one fact."""

    name: str
    fact: str
    kind: MetricKind  # listed in semantic.catalog.expression, with how each adds up
    value: str | None = None  # what is aggregated, such as _.spend; None for a count
    where: str | None = None  # the rows that count, such as _.is_valid
    among: str | None = None  # of a count of different values: where one is looked for; `where` if left out
    percent: int = 50  # of a percentile
    type: MetricType
    unit: str | None  # currency (major units), count, seconds or a word of the tenant's own
    description: str
    label: str | None = None
    hidden: bool = False
    currency: str | None = None  # of money: the one that its own filters select
    rule: str | None = None  # the rows that a filtered metric counts, in words
    note: str | None = None

    @property
    def expression(self) -> str:
        """The measure, as Boring Semantic Layer takes it."""
        return measure_of(self.kind, self.value, where=self.where, percent=self.percent)


@dataclass(frozen=True, kw_only=True)
class DerivedMetric:
    """Arithmetic over metrics, computed after facts are aggregated and joined."""

    name: str
    expression: str
    description: str
    unit: str | None = None  # that of the expression where left out
    label: str | None = None
    rule: str | None = None  # as for a base metric


ADS, ORDERS, ITEMS, SESSIONS, EVENTS = "ad_performance", "orders", "order_items", "sessions", "events"


def count_of_rows(
    name: str, fact: str, *, where: str | None = None, description: str, label: str | None = None, hidden: bool = False
) -> BaseMetric:
    """Create a count of rows."""
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


def _distinct(
    name: str, fact: str, *, column: str, where: str | None = None, among: str | None = None, description: str
) -> BaseMetric:
    """Create a count of the distinct values of a column."""
    return BaseMetric(
        name=name,
        fact=fact,
        kind="count_distinct",
        value=f"_.{column}",
        where=where,
        among=among,
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
    """Create a sum of numbers."""
    return BaseMetric(
        name=name, fact=fact, kind="sum", value=value, type=type_, unit=unit, description=description, hidden=hidden
    )


def _money(name: str, fact: str, *, value: str, description: str, hidden: bool = False) -> BaseMetric:
    """Create a sum of money, in major units of its currency."""
    return _total(name, fact, value=value, type_="decimal", unit="currency", description=description, hidden=hidden)


def _order_value(name: str, *, kind: MetricKind, percent: int = 50, description: str) -> BaseMetric:
    """Create a statistic of the value of valid orders; medians and percentiles are interpolated, in doubles."""
    return BaseMetric(
        name=name,
        fact=ORDERS,
        kind=kind,
        value="_.total_price",
        where="_.is_valid",
        percent=percent,
        type="number" if kind in ("median", "percentile") else "decimal",
        unit="currency",
        description=description,
    )


BASE_METRICS = (
    _money("spend", ADS, value="_.spend", description="What ads cost."),
    _total("impressions", ADS, value="_.impressions", description="How often ads were shown."),
    _total("clicks", ADS, value="_.clicks", description="How often ads were clicked."),
    _total(
        "ad_conversions",
        ADS,
        value="_.conversions",
        type_="decimal",
        description="Conversions as ad platforms report them; empty where none do.",
    ),
    count_of_rows("orders", ORDERS, description="All orders, also cancelled ones and tests."),
    count_of_rows(
        "valid_orders",
        ORDERS,
        where="_.is_valid",
        description="Orders that are not cancelled, voided, failed or tests.",
    ),
    _money(
        "order_revenue",
        ORDERS,
        value="_.is_valid.ifelse(_.total_price, 0)",
        description="What customers were charged in valid orders, refunds not deducted.",
    ),
    _money(
        "refunded_amount",
        ORDERS,
        value="_.refunded_amount",
        description="What was paid back for all orders, by the order's day.",
    ),
    _money(
        "valid_refunded_amount",
        ORDERS,
        value="_.is_valid.ifelse(_.refunded_amount, 0)",
        description="What was paid back for valid orders, by the order's day.",
        hidden=True,
    ),
    _money(
        "net_paid_amount",
        ORDERS,
        value="_.net_paid_amount",
        description="What the payment provider captured for orders, less what it refunded.",
    ),
    _distinct(
        "customers",
        ORDERS,
        column="customer_key",
        where="_.is_valid",
        description="Different customers with a valid order.",
    ),
    _distinct(
        "new_customers",
        ORDERS,
        column="customer_key",
        where="_.is_valid & _.is_first_order",
        among="_.is_valid",
        description="Different customers whose first valid order this is.",
    ),
    count_of_rows(
        "repeat_orders",
        ORDERS,
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
        ITEMS,
        value="_.is_valid.ifelse(_.quantity, 0)",
        type_="decimal",
        description="Units in the lines of valid orders.",
    ),
    _money(
        "item_revenue",
        ITEMS,
        value="_.is_valid.ifelse(_.item_amount, 0)",
        description="Lines of valid orders: quantity x unit price, less the line's discount.",
    ),
    count_of_rows("sessions", SESSIONS, description="Visits: a user's events without a gap of more than {gap}."),
    count_of_rows(
        "converting_sessions",
        SESSIONS,
        where="_.is_conversion_session",
        description="Visits with at least one conversion event.",
    ),
    _money(
        "session_revenue",
        SESSIONS,
        value="_.session_revenue",
        description="Revenue of purchases in visits, each transaction once.",
    ),
    _money(
        "attributed_revenue",
        SESSIONS,
        value="(_.attribution != 'none').ifelse(_.session_revenue, 0)",
        description="session_revenue of visits attributed to ad campaigns, also where several fit.",
    ),
    _distinct("session_users", SESSIONS, column="user_key", description="Different users with a visit."),
    _total("session_events", SESSIONS, value="_.events_in_session", description="Events in visits.", hidden=True),
    _total(
        "session_seconds",
        SESSIONS,
        value="_.session_duration_seconds",
        unit="seconds",
        description="Seconds from the first to the last event of visits.",
        hidden=True,
    ),
    BaseMetric(
        name="median_session_seconds",
        fact=SESSIONS,
        kind="median",
        value="_.session_duration_seconds",
        type="number",
        unit="seconds",
        description="Seconds of the visit in the middle, from its first to its last event.",
    ),
    count_of_rows("events", EVENTS, description="Analytics events."),
    _distinct("event_users", EVENTS, column="user_key", description="Different users with an event."),
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


def base_metrics(gap: str) -> tuple[BaseMetric, ...]:
    """Create the base metrics of a tenant with a session gap such as "30 minutes"."""
    return tuple(replace(metric, description=metric.description.replace("{gap}", gap)) for metric in BASE_METRICS)


def funnel_metrics(steps: Mapping[str, Sequence[str]]) -> tuple[BaseMetric, ...]:
    """Create counts per funnel step, named by position; `steps` maps each step to the events that reach it.

    Visits may skip steps, so visits that reach two steps in a row are counted too: the rate between them is at most 1.
    """
    numbered = list(enumerate(steps.items(), start=1))
    reached = [
        count_of_rows(
            f"funnel_step_{n}",
            SESSIONS,
            where=f"_.funnel_step_{n} > 0",
            description=f"Visits that reach step {n} of the funnel, {step}: at least one {' or '.join(events)} event.",
            label=step,
        )
        for n, (step, events) in numbered
    ]
    both = [
        count_of_rows(
            f"funnel_steps_{n - 1}_and_{n}",
            SESSIONS,
            where=f"(_.funnel_step_{n - 1} > 0) & (_.funnel_step_{n} > 0)",
            description=f"Visits that reach step {n} of the funnel and the one before.",
            hidden=True,
        )
        for n, _ in numbered[1:]
    ]
    return (*reached, *both)


def funnel_rates(steps: Sequence[str]) -> tuple[DerivedMetric, ...]:
    """Create a rate per pair of consecutive funnel steps: the share of visits with the first that reach the second."""
    return tuple(
        DerivedMetric(
            name=f"funnel_step_{n}_rate",
            expression=f"funnel_steps_{n - 1}_and_{n} / funnel_step_{n - 1}",
            description=f"The share of visits with {before} that also have {step}.",
            label=f"{before} to {step}",
        )
        for n, (before, step) in enumerate(pairwise(steps), start=2)
    )
