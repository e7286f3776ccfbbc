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
from warehouse.star_schema import VALUE_DAYS


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
    synonyms: tuple[str, ...] = ()  # beside those of its name

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
    unknown_rows: str | None = None  # the measure that counts the rows it leaves out
    counted_rows: str | None = None  # the measure that counts the rows it is about, with those
    left_out: str | None = None  # what it is about, and why some are left out, after "is of 3 of 4"
    synonyms: tuple[str, ...] = ()  # as for a base metric


def average_of(
    metric: BaseMetric, *, description: str, rule: str | None = None
) -> tuple[list[BaseMetric], DerivedMetric]:
    """Make an average of a sum: the sum by the count of the rows that have a value, which parts can be combined from.

    Args:
        metric: The sum, under the name of the average.
        description: Of the average.
        rule: The rows that it counts, in words.
    """
    total = replace(metric, name=f"{metric.name}__sum", hidden=True)
    has_value = f"{metric.value}.notnull()" + (f" & {metric.where}" if metric.where else "")
    counted = replace(total, name=f"{metric.name}__count", kind="count", type="integer", unit="count", where=has_value)
    derived = DerivedMetric(
        name=metric.name,
        expression=f"{total.name} / {counted.name}",
        description=description,
        unit=metric.unit,
        label=metric.label,
        rule=rule,
        synonyms=metric.synonyms,
    )
    return [total, counted], derived


ADS, ORDERS, ITEMS, REFUNDS = "ad_performance", "orders", "order_items", "refunds"
SESSIONS, EVENTS = "sessions", "events"


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


def _of_valid(name: str, fact: str, column: str, description: str) -> BaseMetric:
    """Create a sum of the money of valid orders."""
    return _money(name, fact, value=f"_.is_valid.ifelse(_.{column}, 0)", description=description)


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


def _of_first_days(days: int) -> tuple[BaseMetric, ...]:
    """Create what new customers were charged in their first days, and how many have these days behind them."""
    value = f"customer_value_{days}_days"
    return (
        _money(
            f"customer_value_{days}",
            ORDERS,
            value=f"_.{value}",
            description=f"What new customers were charged in their first {days} days.",
            hidden=True,
        ),
        count_of_rows(
            f"mature_customers_{days}",
            ORDERS,
            where=f"_.is_first_order & _.{value}.notnull()",
            description=f"New customers whose first {days} days have passed.",
            hidden=True,
        ),
        count_of_rows(
            f"immature_customers_{days}",
            ORDERS,
            where=f"_.is_first_order & _.{value}.isnull()",
            description=f"New customers whose first {days} days have not passed.",
            hidden=True,
        ),
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
    _money(
        "platform_conversion_value",
        ADS,
        value="_.conversion_value",
        description="What ad platforms say that their conversions are worth.",
    ),
    count_of_rows("orders", ORDERS, description="All orders, also cancelled ones and tests."),
    count_of_rows(
        "valid_orders",
        ORDERS,
        where="_.is_valid",
        description="Orders that are not cancelled, voided, failed or tests.",
    ),
    _of_valid(
        "order_revenue",
        ORDERS,
        "total_price",
        "Charged in valid orders, before refunds: gross_sales - discounts + shipping + tax + other_charges.",
    ),
    _of_valid("gross_sales", ORDERS, "gross_sales", "Goods of valid orders before discounts, without tax."),
    _of_valid("discounts", ORDERS, "discount_amount", "What discounts took off the goods of valid orders."),
    _of_valid("shipping", ORDERS, "shipping_amount", "Shipping charged in valid orders, without tax."),
    _of_valid("tax", ORDERS, "tax_amount", "Tax charged in valid orders."),
    _of_valid("other_charges", ORDERS, "other_charges", "Tips, duties, fees and gift cards in valid orders."),
    count_of_rows(
        "discounted_orders",
        ORDERS,
        where="_.is_valid & (_.discount_amount > 0)",
        description="Valid orders with a discount on goods.",
    ),
    _of_valid(
        "refunded_amount", ORDERS, "refunded_amount", "What was paid back of valid orders, on the day of the order."
    ),
    count_of_rows(
        "refunded_orders",
        ORDERS,
        where="_.is_valid & (_.refunded_amount > 0)",
        description="Valid orders with a refund, on the day of the order.",
    ),
    count_of_rows(
        "refunds", REFUNDS, where="_.is_valid", description="Refunds of valid orders, on the day of the refund."
    ),
    _of_valid(
        "refunds_by_refund_day", REFUNDS, "amount", "What was paid back of valid orders, on the day of the refund."
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
        description="Different customers whose first valid order in the data this is.",
    ),
    _distinct(
        "returning_customers",
        ORDERS,
        column="customer_key",
        where="_.is_valid & (_.customer_order_number > 1)",
        among="_.is_valid",
        description="Different customers with a valid order after their first.",
    ),
    replace(
        _distinct(
            "repeat_customers",
            ORDERS,
            column="customer_key",
            where="_.is_valid & (_.customer_order_count > 1)",
            among="_.is_valid",
            description="Different customers of the period with two valid orders or more, whenever.",
        ),
        hidden=True,
    ),
    count_of_rows(
        "orders_of_customers",
        ORDERS,
        where="_.is_valid & _.customer_key.notnull()",
        description="Valid orders whose customer is known.",
        hidden=True,
    ),
    count_of_rows(
        "first_orders",
        ORDERS,
        where="_.is_first_order",
        description="First valid orders of customers.",
        hidden=True,
    ),
    *(each for days in VALUE_DAYS for each in _of_first_days(days)),
    count_of_rows(
        "repeat_orders",
        ORDERS,
        where="_.is_valid & ~_.is_first_order & _.customer_key.notnull()",
        description="Valid orders of customers who had a valid order before.",
    ),
    BaseMetric(
        name="days_to_second_order",
        fact=ORDERS,
        kind="median",
        value="_.days_to_second_order",
        type="number",
        unit="days",
        description="Median days from a customer's first valid order to the second, on the day of the first.",
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
    _money(
        "gross_profit",
        ITEMS,
        value="_.is_valid.ifelse(_.item_amount - _.item_cost, _.item_cost * 0)",
        description="item_revenue less the cost of the goods, of lines whose cost is known.",
    ),
    count_of_rows("sessions", SESSIONS, description="Visits: a user's events without a gap of more than {gap}."),
    count_of_rows(
        "converting_sessions",
        SESSIONS,
        where="_.is_conversion_session",
        description="Visits with a conversion event ({conversion}).",
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
        type_="decimal",
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
        description="Seconds of the visit in the middle.",
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
        expression="order_revenue - refunded_amount",
        description="Revenue of valid orders, less their refunds.",
    ),
    DerivedMetric(
        name="refund_rate",
        expression="refunded_amount / order_revenue",
        description="The share of order_revenue that was paid back.",
    ),
    DerivedMetric(
        name="order_refund_rate",
        expression="refunded_orders / valid_orders",
        description="The share of valid orders that are refunded_orders.",
    ),
    DerivedMetric(
        name="average_order_value",
        expression="order_revenue / valid_orders",
        description="Revenue per valid order.",
    ),
    DerivedMetric(
        name="returning_customer_rate",
        expression="returning_customers / customers",
        description="The share of customers that are returning_customers.",
    ),
    DerivedMetric(
        name="repeat_purchase_rate",
        expression="repeat_customers / customers",
        description="The share of customers with two valid orders or more, whenever.",
    ),
    DerivedMetric(
        name="orders_per_customer",
        expression="orders_of_customers / customers",
        description="Valid orders per known customer.",
    ),
    *(
        DerivedMetric(
            name=f"ltv_{days}",
            expression=f"customer_value_{days} / mature_customers_{days}",
            description=f"Charged in the first {days} days per new customer for whom they have passed.",
            unknown_rows=f"immature_customers_{days}",
            counted_rows="first_orders",
            left_out=f"new customers whose first {days} days have passed",
        )
        for days in VALUE_DAYS
    ),
    DerivedMetric(
        name="conversion_rate",
        expression="converting_sessions / sessions",
        description="The share of visits with a conversion event ({conversion}).",
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
        name="platform_roas",
        expression="platform_conversion_value / spend",
        description="platform_conversion_value per unit of spend.",
    ),
    DerivedMetric(
        name="blended_roas",
        expression="order_revenue / spend",
        description="Revenue of all valid orders per unit of ad spend.",
    ),
    DerivedMetric(
        name="cac",
        expression="spend / converting_sessions",
        description="Ad spend per visit with a conversion event ({conversion}); not cost_per_new_customer.",
    ),
    DerivedMetric(
        name="cost_per_new_customer",
        expression="spend / new_customers",
        description="Ad spend per new customer.",
    ),
)
CONVERSION = "as the tenant names them"
"""What descriptions say where no conversion events are named."""
FIRST_OF_HISTORY = ("new_customers",)
"""Metrics about the first row of each in a fact: their notes say where the fact begins."""


def base_metrics(gap: str, conversion: str = CONVERSION) -> tuple[BaseMetric, ...]:
    """Create the base metrics of a tenant with a session gap such as "30 minutes" and events such as "purchase"."""
    return tuple(
        replace(metric, description=metric.description.replace("{gap}", gap).replace("{conversion}", conversion))
        for metric in BASE_METRICS
    )


def derived_metrics(conversion: str = CONVERSION) -> tuple[DerivedMetric, ...]:
    """Create the derived metrics of a tenant, as for `base_metrics`."""
    return tuple(
        replace(metric, description=metric.description.replace("{conversion}", conversion))
        for metric in DERIVED_METRICS
    )


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
            description=f"Funnel step {n}{'' if [step] == list(events) else f', {step}'}: visits with "
            f"{' or '.join(events)}.",
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
