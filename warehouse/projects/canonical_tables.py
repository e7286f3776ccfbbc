"""Canonical tables, as data: the columns that engines fill, between a vendor's records and the stars.

One table per domain and tenant (`int_<tenant>__<name>`) holds the union of its engines. It is built, never published.
Missing granularity is a typed NULL; a tenant without a source of the domain has the table, empty.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.slug import Slug
from warehouse.star_schema import MONEY, QUANTITY, REFUND_LINES, Column

ORDER_LINE = (
    f"STRUCT(line_id VARCHAR, product_id VARCHAR, sku VARCHAR, item_name VARCHAR, quantity {QUANTITY}, "
    f"unit_price {MONEY}, discount_amount {MONEY}, amount {MONEY}, variant_id VARCHAR, cost_amount {MONEY})[]"
)
ORDER_REFUND = f"STRUCT(refund_id VARCHAR, refunded_at TIMESTAMP, amount {MONEY}, lines {REFUND_LINES})[]"
UNIT_COST = f"STRUCT(variant_id VARCHAR, unit_cost {MONEY}, currency VARCHAR)[]"
CAST = frozenset({ORDER_LINE, ORDER_REFUND, UNIT_COST})
"""Types that engines need not write out: their values are cast where the engines are put together."""


@dataclass(frozen=True)
class Canonical:
    """A canonical table: one domain's rows, in the columns that every engine of the domain fills."""

    name: str
    sentence: str
    columns: tuple[Column, ...]
    grain: tuple[str, ...] = ()
    """What no two rows share; empty where rows of a report may be equal."""

    def table_name(self, slug: Slug) -> str:
        return f"int_{slug}__{self.name}"


def _text(name: str, description: str, *, required: bool = False) -> Column:
    return Column(name, "VARCHAR", description, required=required)


_SOURCE = (
    _text("source_platform", "The platform the row counts for.", required=True),
    _text("source_account", "The account of the connector.", required=True),
)

_ACCOUNT = ("source_platform", "source_account")

AD_PERFORMANCE = Canonical(
    name="ad_performance",
    sentence="One row per report row, breakdowns included.",
    columns=(
        *_SOURCE,
        Column("report_date", "DATE", "The first day the row covers, in the ad account's zone.", required=True),
        Column("last_date", "DATE", "The last day the row covers; the same day in a daily report."),
        _text("campaign_id", "The vendor's campaign id."),
        _text("campaign_name", "The campaign's name in this report row."),
        _text("ad_group_id", "The vendor's ad group id."),
        _text("ad_group_name", "The ad group's current name, else the name in this report row."),
        _text("ad_id", "The vendor's ad id."),
        _text("ad_name", "The ad's current name, else the name in this report row."),
        Column("spend", MONEY, "Spend in major units of currency; 0 where the vendor sent none."),
        _text("currency", "ISO 4217 code."),
        Column("impressions", "BIGINT", "Impressions; 0 where the vendor sent none."),
        Column("clicks", "BIGINT", "Clicks; 0 where the vendor sent none."),
        Column("conversions", "DOUBLE", "Conversions; NULL where the platform or the tenant names none."),
        Column("conversion_value", MONEY, "What the platform says conversions are worth; NULL where it reports none."),
        Column("conversion_types", "VARCHAR[]", "Kinds of conversion that equal or resemble the tenant's pattern."),
        Column(
            "is_counted", "BOOLEAN", "False for a second breakdown of what another row already counts.", required=True
        ),
    ),
)

CAMPAIGNS = Canonical(
    name="campaigns",
    sentence="One row per version of an ad campaign.",
    grain=(*_ACCOUNT, "campaign_id", "in_force_from"),
    columns=(
        *_SOURCE,
        _text("campaign_id", "The vendor's campaign id.", required=True),
        _text("campaign_name", "The name of this version."),
        _text("campaign_status", "The status of this version, as the vendor says it."),
        Column("in_force_from", "TIMESTAMP", "Since when, UTC; NULL where nothing says when it began."),
        Column("in_force_to", "TIMESTAMP", "Until when, UTC; NULL for the current version."),
    ),
)

ORDERS = Canonical(
    name="orders",
    sentence="One row per order, as it is now.",
    grain=(*_ACCOUNT, "order_id"),
    columns=(
        *_SOURCE,
        _text("order_id", "The vendor's order id.", required=True),
        Column("other_ids", "VARCHAR[]", "What else a shop may send to analytics as the order's id, likeliest first."),
        Column("ordered_at", "TIMESTAMP", "When it was placed, UTC."),
        Column("total_price", MONEY, "What the customer was charged."),
        Column("gross_sales", MONEY, "The goods before discounts, without tax."),
        Column("discount_amount", MONEY, "What discounts took off the goods, without tax."),
        Column("shipping_amount", MONEY, "What shipping was charged, its discounts deducted, without tax."),
        Column("tax_amount", MONEY, "The tax on goods and shipping."),
        Column("other_charges", MONEY, "Tips, duties, fees, and gift cards that were bought."),
        Column("refunded_amount", MONEY, "What was paid back in the order's currency; NULL with an unknown refund."),
        Column("foreign_refunds", "BIGINT", "Refunds that do not say their amount in the order's currency."),
        _text("currency", "ISO 4217 code."),
        _text("financial_status", "Where the money is, in our words."),
        _text("raw_status", "The vendor's own status."),
        Column("is_cancelled", "BOOLEAN", "The order was cancelled.", required=True),
        Column("is_test", "BOOLEAN", "The order was a test of the shop.", required=True),
        _text("customer_email", "The customer's email, lower case."),
        _text("customer_id", "The vendor's customer id; NULL for guests."),
        _text("shipping_country", "Code or name of the country it is sent to, as the vendor says it."),
        _text("discount_codes", "The discount codes used, each once, sorted and joined by commas."),
        Column("charge_ids", "VARCHAR[]", "Payments that the shop kept with the order, likeliest first."),
        Column("lines", ORDER_LINE, "The order's lines, in the vendor's order."),
        Column("refunds", ORDER_REFUND, "What was paid back, refund by refund: refunded_amount in parts."),
        Column(
            "doubts",
            "VARCHAR[]",
            "What the record does not prove: unproven_parent (a parent order that it may be a part of), unproven_edit "
            "(an edit after which lines do not say what is left of them).",
        ),
    ),
)

PRODUCTS = Canonical(
    name="products",
    sentence="One row per product, as it is now.",
    grain=(*_ACCOUNT, "product_id"),
    columns=(
        *_SOURCE,
        _text("product_id", "The vendor's product id.", required=True),
        _text("product_name", "Its name."),
        _text("product_category", "Its category or type."),
        Column("unit_costs", UNIT_COST, "What one unit of each variant costs the shop now, where it says so."),
    ),
)

CHARGES = Canonical(
    name="charges",
    sentence="One row per charge of a payment provider, as it is now.",
    grain=(*_ACCOUNT, "charge_id"),
    columns=(
        *_SOURCE,
        _text("charge_id", "The provider's charge id.", required=True),
        Column("other_ids", "VARCHAR[]", "What else a shop may keep as the payment's id, likeliest first."),
        Column("charged_at", "TIMESTAMP", "When it was made, UTC."),
        Column("captured_amount", MONEY, "What was really taken."),
        Column("refunded_amount", MONEY, "What of it was paid back."),
        Column(
            "disputed_amount", MONEY, "What of it the customer's bank took back, 0 without a dispute; NULL if unknown."
        ),
        Column("refunds", ORDER_REFUND, "What of it was paid back, refund by refund, where the provider lists them."),
        _text("currency", "ISO 4217 code."),
        _text("status", "succeeded, pending or failed."),
        Column("is_test", "BOOLEAN", "The charge was a test.", required=True),
    ),
)

PROFILES = Canonical(
    name="profiles",
    sentence="One row per user profile of the analytics tool, as it is now.",
    grain=(*_ACCOUNT, "user_id"),
    columns=(
        *_SOURCE,
        _text("user_id", "What events carry as user_pseudo_id or user_id.", required=True),
        _text("email", "The email, lower case."),
        _text("geo_country", "Country."),
        _text("device_category", "Device."),
    ),
)

EVENTS = Canonical(
    name="events",
    sentence="One row per analytics event, with its place in its user's sessions.",
    grain=(*_ACCOUNT, "event_key"),
    columns=(
        *_SOURCE,
        _text("event_key", "The record's own key.", required=True),
        _text("event_name", "What happened.", required=True),
        Column("occurred_at", "TIMESTAMP", "When, UTC.", required=True),
        Column("tie_break", "INTEGER", "Which of a user's events of one moment comes first.", required=True),
        Column("exported_at", "TIMESTAMP", "When the vendor exported it."),
        Column("source_position", "BIGINT", "Its position in that export."),
        _text("user_pseudo_id", "The analytics tool's own user id."),
        _text("user_id", "The shop's user id."),
        Column("is_purchase", "BOOLEAN", "The event is a purchase.", required=True),
        _text("transaction_id", "The purchase's real transaction id."),
        Column("order_total", MONEY, "The purchase's value."),
        _text("currency", "ISO 4217 code of order_total."),
        _text("traffic_source", "The source the event itself carries."),
        _text("traffic_medium", "The medium beside that source."),
        _text("traffic_campaign", "The campaign beside that source."),
        _text("traffic_campaign_id", "The campaign id beside that source."),
        _text("user_source", "What the tool says brought the session, else the user's own first source."),
        _text("user_medium", "The medium beside that source."),
        _text("user_campaign", "The campaign beside that source."),
        _text("user_campaign_id", "The campaign id beside that source."),
        _text("geo_country", "Country."),
        _text("device_category", "Device."),
    ),
)

CANONICAL = (AD_PERFORMANCE, CAMPAIGNS, ORDERS, PRODUCTS, CHARGES, EVENTS, PROFILES)

NUMBERED = (
    Column("event_number", "BIGINT", "The event's place among its user's events."),
    _text("user_key", "MD5(platform, user); NULL where the event has no user."),
    _text("session_id", "MD5(platform, user, started_at); NULL where the event has no user."),
)
"""The columns that `number_sessions` adds to the rows of the analytics engine."""
