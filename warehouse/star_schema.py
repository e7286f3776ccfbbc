"""The schema of a star, as data: every fact and dimension table that a tenant has.

Types are DuckDB types. Money is DECIMAL(18,6) in major units of the row's `currency`; times are UTC and end in `_at`;
dates are days of the tenant's time zone, but `report_date`, which is a day of the ad account's own zone. A key that a
fact carries always has its row in the dimension table (`is_inferred` where the vendor sent none).
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from pipeline.config.slug import Slug
from pipeline.config.tenant import DEFAULT_FUNNEL
from pipeline.contracts.connector import Domain

MONEY = "DECIMAL(18,6)"
CONVERSIONS = "DECIMAL(18,9)"
"""Google shares a conversion out among ads: fractions, kept exactly so that they add up the same in any order."""
AMOUNTS = "MAP(VARCHAR, DECIMAL(18,6))"
"""Money of several currencies, by their ISO 4217 code."""
QUANTITY = "DECIMAL(19,6)"
"""Units of a line: whole as a rule, 1.52 where goods are sold by metre or kilo. Not MONEY, which has a currency."""
SECONDS = "DECIMAL(19,6)"
"""A duration, with the microseconds that times have: whole seconds would make every average too low."""
REFUND_LINES = f"STRUCT(order_item_id VARCHAR, quantity {QUANTITY}, amount {MONEY})[]"
VALUE_DAYS = (30, 60, 90, 365)
"""Days from a customer's first order over which the star adds up what the customer was charged."""


@dataclass(frozen=True)
class Column:
    """One column of a star. `personal` columns are never shown unless tenants.yaml says so."""

    name: str
    type: str
    description: str
    _: KW_ONLY
    required: bool = False
    personal: bool = False
    converts: str | None = None  # the money column that it holds in the reporting currency
    unknown: bool = False  # NULL is a number that the vendor did not say; in other columns it is that there is none
    is_cost: bool = False  # what is paid: a ratio of it is unknown where there are no rows of it, not 0
    placed_by: str | None = None  # the column that is `ambiguous` where several values fit; NULL then is not known
    left_out: tuple[str, str] | None = None  # the columns with how much, and what money (AMOUNTS), is not in it
    is_money: bool = False  # of a found table: an amount in the row's currency, whose type does not say so
    internal: bool = False  # a number that other columns or checks are made of: no metric is derived from it alone

    @property
    def is_amount(self) -> bool:
        """Whether it is money in one currency: that of its row, or the reporting currency."""
        return self.type == MONEY or self.is_money


@dataclass(frozen=True)
class Reference:
    """Every non-NULL value of `column` is a value of `to_column` of the dimension table `to`."""

    column: str
    to: str
    to_column: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A fact or dimension table, `{kind}_{tenant}__{name}`; `grain` is unique and not NULL."""

    kind: str  # fct, dim or mart
    name: str
    sentence: str
    grain: tuple[str, ...]
    columns: tuple[Column, ...]
    references: tuple[Reference, ...] = ()
    order_by: tuple[str, ...] = ()  # how a published copy is laid out; a date first, where there is one
    date: str | None = None  # the column behind the conformed dimension `date`
    rate_date: str | None = None  # the column of the day whose exchange rate counts, where that is not `date`
    may_be_empty: bool = False  # a tenant of the domain may have no row, and nothing is missing
    priced: str | None = None  # which rows have a currency, where others are without money: "with a purchase"
    domain: Domain | None = None  # the sources that fill a fact; a tenant without it has the table, empty
    found_as: str | None = None  # of a table that is not declared here: its full name in the star

    @property
    def money(self) -> tuple[Column, ...]:
        """The amounts in the row's currency."""
        return tuple(column for column in self.columns if column.is_amount and column.converts is None)

    @property
    def converted(self) -> dict[str, str]:
        """Each column of money with the one that holds it in the reporting currency; empty without rates."""
        return {column.converts: column.name for column in self.columns if column.converts}

    @property
    def is_dimension(self) -> bool:
        """Whether facts join it, and it counts nothing itself."""
        return self.kind == "dim"

    def table_name(self, slug: Slug) -> str:
        return self.found_as or f"{self.kind}_{slug}__{self.name}"


def _text(name: str, description: str, *, required: bool = False, personal: bool = False) -> Column:
    return Column(name, "VARCHAR", description, required=required, personal=personal)


_SOURCE = (
    _text("tenant_slug", "The tenant.", required=True),
    _text("source_platform", "The connector the row came from.", required=True),
    _text("source_account", "The account of the connector, as named in tenants.yaml.", required=True),
)
_CURRENCY = _text("currency", "ISO 4217 code of the row's money.")
_COUNTRY = "its English name, else the text as it came."
_CAMPAIGN_KEY = Reference("campaign_key", "campaigns", "campaign_key")
_USER_KEY = Reference("user_key", "users", "user_key")
_ATTRIBUTION = (
    _text(
        "traffic_source",
        "Where the visit came from, such as google, in lower case; first touch unless the tenant says otherwise.",
    ),
    _text("traffic_medium", "How, such as cpc or email, in lower case; taken together with the source."),
    _text("traffic_campaign", "The campaign named by the visit; taken together with the source."),
    _text(
        "channel",
        "The default channel group of source, medium and campaign by the rules of GA4 and the tenant's own: Direct "
        "where the visit names none, Unassigned where no rule fits.",
    ),
    _text("campaign_key", "The ad campaign this was attributed to: MD5(platform, account, campaign_id)."),
    Column(
        "campaign_name",
        "VARCHAR",
        "That campaign's current name; of an ambiguous visit the one that all its campaigns have.",
        placed_by="attribution",
    ),
    _text("ad_platform", "The ad platform that source and medium stand for."),
    _text("attribution", "matched, ambiguous (a name of several campaigns, never guessed) or none.", required=True),
)

AD_PERFORMANCE = Table(
    kind="fct",
    name="ad_performance",
    domain="ads",
    sentence="One row per ad platform, account, day, campaign, ad group, ad and currency.",
    grain=("performance_key",),
    columns=(
        _text("performance_key", "MD5 of the row's grain.", required=True),
        *_SOURCE,
        Column("report_date", "DATE", "The day, in the ad account's own time zone.", required=True),
        _text("campaign_id", "The vendor's campaign id."),
        _text("campaign_key", "MD5(platform, account, campaign_id)."),
        _text("ad_group_id", "The vendor's ad group (ad set) id."),
        _text("ad_group_name", "Its current name."),
        _text("ad_id", "The vendor's ad id."),
        _text("ad_name", "Its current name."),
        Column("spend", MONEY, "What was spent, in major units of currency.", unknown=True, is_cost=True),
        _CURRENCY,
        Column("impressions", "BIGINT", "How often ads were shown.", unknown=True),
        Column("clicks", "BIGINT", "How often ads were clicked.", unknown=True),
        Column(
            "conversions",
            CONVERSIONS,
            "Conversions as the platform reports them; NULL where it reports none.",
            unknown=True,
        ),
        Column(
            "conversion_value",
            MONEY,
            "What the platform says that its conversions are worth; NULL where it reports none.",
            unknown=True,
        ),
    ),
    references=(_CAMPAIGN_KEY,),
    order_by=("report_date", "performance_key"),
    date="report_date",
)

_PAYMENTS = (
    _text(
        "charge_id", "The payment provider's charge that paid the order; NULL where the shop kept none that is known."
    ),
    Column(
        "net_paid_amount",
        MONEY,
        "What the payment provider captured for the order, less refunds and what disputes took; NULL without a charge "
        "in its currency, and where a disputed charge does not say what came of it.",
    ),
)

_PARTS_OF_THE_TOTAL = (
    Column(
        "gross_sales",
        MONEY,
        "The goods before discounts, without tax, and what the total was rounded by.",
        unknown=True,
    ),
    Column("discount_amount", MONEY, "What discounts took off the goods, without tax.", unknown=True),
    Column("shipping_amount", MONEY, "What shipping was charged, its discounts deducted, without tax.", unknown=True),
    Column("tax_amount", MONEY, "The tax on goods and shipping.", unknown=True),
    Column("other_charges", MONEY, "Tips, duties, fees, and gift cards that were bought.", unknown=True),
)
"""gross_sales - discount_amount + shipping_amount + tax_amount + other_charges is total_price; a rest is a finding."""

_HISTORY_OF_THE_CUSTOMER = (
    Column(
        "customer_order_number",
        "INTEGER",
        "The place of a valid order among its customer's valid orders, from 1; NULL for others and for guests.",
    ),
    Column("customer_order_count", "INTEGER", "All valid orders of the customer, on valid orders; NULL for guests."),
    Column(
        "days_to_second_order",
        "INTEGER",
        "On the customer's first valid order: days until the second one; NULL while there is none.",
    ),
    _text(
        "customer_type",
        "new for the customer's first valid order, returning for the later ones; NULL for guests and for "
        "orders that are not valid.",
    ),
    Column(
        "days_since_first_order",
        "INTEGER",
        "Days from first_order_date to the day of the order; NULL where customer_type or the day is.",
    ),
    Column(
        "months_since_first_order",
        "INTEGER",
        "Calendar months from the month of first_order_date to that of the order; NULL where customer_type or "
        "the day is.",
    ),
    *(
        Column(
            f"customer_value_{days}_days",
            MONEY,
            f"On a customer's first valid order: what their valid orders of the first {days} days were charged, in its "
            f"currency; NULL where the shop's last order is not yet {days} days later.",
        )
        for days in VALUE_DAYS
    ),
)


def orders(has_payments: bool) -> Table:
    """The orders star; with a payments source, what was really paid for each."""
    return Table(
        kind="fct",
        name="orders",
        domain="ecommerce",
        sentence="One row per order of a shop.",
        grain=("order_key",),
        columns=(
            _text("order_key", "MD5(platform, account, order_id).", required=True),
            *_SOURCE,
            _text("order_id", "The vendor's order id.", required=True),
            Column("ordered_at", "TIMESTAMP", "When it was placed, UTC; NULL where the vendor sent no time."),
            Column("order_date", "DATE", "The day it was placed, in the tenant's time zone."),
            Column("hour_of_day", "INTEGER", "The hour it was placed in, 0 to 23, in the tenant's time zone."),
            Column("total_price", MONEY, "What the customer was charged, refunds not deducted.", unknown=True),
            *_PARTS_OF_THE_TOTAL,
            Column("refunded_amount", MONEY, "What was paid back, 0 when nothing was.", unknown=True),
            _CURRENCY,
            _text(
                "financial_status",
                "Where the money is: paid, pending, authorized, partially_refunded, refunded, voided, failed or "
                "cancelled.",
            ),
            _text("raw_status", "The vendor's own status."),
            Column("is_cancelled", "BOOLEAN", "The order was cancelled.", required=True),
            Column("is_test", "BOOLEAN", "The order was a test of the shop.", required=True),
            Column("is_valid", "BOOLEAN", "Not cancelled, voided, failed or a test.", required=True),
            Column("is_first_order", "BOOLEAN", "The customer's first valid order.", required=True),
            Column(
                "first_order_date",
                "DATE",
                "The day of the customer's first valid order, in the tenant's time zone; NULL for guests.",
            ),
            *_HISTORY_OF_THE_CUSTOMER,
            _text(
                "customer_key",
                "MD5 of the lower-cased email, else of (platform, account, customer_id); NULL for guests.",
            ),
            _text("customer_email", "The customer's email, lower case.", personal=True),
            _text("customer_id", "The vendor's customer id.", personal=True),
            _text("user_key", "The analytics user whose purchase event carries the order id."),
            _text("session_id", "The session of that purchase event."),
            *_ATTRIBUTION,
            _text("geo_country", "The country of that session; NULL without one, as all that the session says."),
            _text("device_category", "The device of that session."),
            _text("shipping_country", f"The country it is sent to: {_COUNTRY}"),
            _text("discount_codes", "The discount codes used, each once, sorted and joined by commas; NULL without."),
            *(_PAYMENTS if has_payments else ()),
        ),
        references=(_CAMPAIGN_KEY, _USER_KEY, Reference("session_id", "sessions", "session_id")),
        order_by=("order_date", "ordered_at", "order_key"),
        date="order_date",
    )


ORDER_ITEMS = Table(
    kind="fct",
    name="order_items",
    domain="ecommerce",
    sentence="One row per line of an order.",
    grain=("order_item_key",),
    columns=(
        _text("order_item_key", "MD5(platform, account, order_id, line).", required=True),
        *_SOURCE,
        _text("order_key", "The order.", required=True),
        _text("order_id", "The vendor's order id.", required=True),
        _text("order_item_id", "The vendor's line id, else the position in the order.", required=True),
        Column("order_date", "DATE", "The day the order was placed, in the tenant's time zone."),
        _text("product_key", "MD5(platform, account, product id, else sku, else title).", required=True),
        _text("product_id", "The vendor's product id."),
        _text("sku", "The stock keeping unit."),
        _text("item_name", "The product's name as the line carries it."),
        Column("quantity", QUANTITY, "Units sold; with decimals where goods are sold by metre or kilo.", unknown=True),
        Column("unit_price", MONEY, "Price of one unit.", internal=True),
        Column("discount_amount", MONEY, "Discount of the whole line.", internal=True),
        Column(
            "item_amount", MONEY, "The line's own total, else quantity x unit_price - discount_amount.", unknown=True
        ),
        Column(
            "item_cost",
            MONEY,
            "What the line's goods cost the shop: as the line says, else at the product's present cost.",
            unknown=True,
        ),
        _CURRENCY,
        Column("is_valid", "BOOLEAN", "The order is not cancelled, voided, failed or a test.", required=True),
    ),
    references=(
        Reference("product_key", "products", "product_key"),
        Reference("order_key", "orders", "order_key"),
    ),
    order_by=("order_date", "order_item_key"),
    date="order_date",
)

REFUNDS = Table(
    kind="fct",
    name="refunds",
    domain="ecommerce",
    sentence="One row per refund of an order.",
    grain=("refund_key",),
    columns=(
        _text("refund_key", "MD5(order_key, refund_id, its place among refunds of the same id).", required=True),
        *_SOURCE,
        _text("refund_id", "The vendor's refund id; NULL where the shop only says that the order was paid back."),
        _text("order_key", "The order.", required=True),
        _text("order_id", "The vendor's order id.", required=True),
        Column("refunded_at", "TIMESTAMP", "When it was paid back, UTC; NULL where the vendor does not say."),
        Column("refund_date", "DATE", "The day it was paid back, in the tenant's time zone."),
        Column("order_date", "DATE", "The day the order was placed, in the tenant's time zone."),
        Column("rate_date", "DATE", "refund_date, else order_date: the day whose exchange rate counts."),
        Column("amount", MONEY, "What was paid back.", unknown=True),
        _CURRENCY,
        Column("lines", REFUND_LINES, "What of which line came back, where the vendor says so."),
        Column("is_valid", "BOOLEAN", "The order is not cancelled, voided, failed or a test.", required=True),
    ),
    references=(Reference("order_key", "orders", "order_key"),),
    order_by=("refund_date", "refund_key"),
    date="refund_date",
    rate_date="rate_date",
    may_be_empty=True,
)


def sessions(funnel_steps: int, gap: str | None = None) -> Table:
    """The sessions star; a tenant's funnel has `funnel_steps` steps, one count column each.

    Args:
        funnel_steps: The number of steps.
        gap: After how long a session has ended, such as "30 minutes"; None where the tenant is not known.
    """
    ends = f"of more than {gap}" if gap else "that ends it"
    return Table(
        kind="fct",
        name="sessions",
        domain="analytics",
        sentence=f"One row per visit: a user's events without a gap {ends}.",
        grain=("session_id",),
        columns=(
            _text("session_id", "MD5(platform, user, started_at).", required=True),
            *_SOURCE,
            _text("user_key", "MD5(platform, user).", required=True),
            _text("user_pseudo_id", "The analytics tool's own user id.", personal=True),
            _text("user_id", "The shop's user id, once known.", personal=True),
            Column("started_at", "TIMESTAMP", "The first event, UTC.", required=True),
            Column("ended_at", "TIMESTAMP", "The last event, UTC.", required=True),
            Column("session_date", "DATE", "The day of the first event, in the tenant's time zone.", required=True),
            Column(
                "hour_of_day", "INTEGER", "The hour of the first event, 0 to 23, in the tenant's zone.", required=True
            ),
            Column(
                "session_duration_seconds", SECONDS, "Seconds from the first to the last event, with their fraction."
            ),
            Column("events_in_session", "BIGINT", "Events."),
            *_ATTRIBUTION,
            _text("geo_country", f"Country of the first event that has one: {_COUNTRY}"),
            _text("device_category", "Device of the first event that has one."),
            Column(
                "funnel_max_step",
                "BIGINT",
                "The furthest funnel step reached, by position; 0 for none.",
                internal=True,
            ),
            *(
                Column(f"funnel_step_{n}", "BIGINT", f"Events of funnel step {n}.", internal=True)
                for n in range(1, funnel_steps + 1)
            ),
            Column("funnel_conversion_count", "BIGINT", "Conversion events.", internal=True),
            Column("is_conversion_session", "BOOLEAN", "At least one conversion event.", required=True),
            Column(
                "session_revenue",
                MONEY,
                "Revenue of the session's purchases, each transaction once.",
                required=True,
                left_out=("left_out_purchases", "left_out_revenue"),
            ),
            _text("currency", "ISO 4217 code of session_revenue; NULL without a purchase."),
            _text("transaction_id", "The first transaction of the session."),
            Column(
                "left_out_purchases",
                "BIGINT",
                "Purchases in another currency than the first, in no amount: rates convert those that they know.",
                required=True,
                internal=True,
            ),
            Column("left_out_revenue", AMOUNTS, "What those are worth, by currency; NULL without them."),
        ),
        references=(_CAMPAIGN_KEY, _USER_KEY),
        order_by=("session_date", "started_at", "session_id"),
        date="session_date",
        priced="with a purchase",
    )


EVENTS = Table(
    kind="fct",
    name="events",
    domain="analytics",
    sentence="One row per analytics event.",
    grain=("event_key",),
    columns=(
        _text("event_key", "The record's own key.", required=True),
        *_SOURCE,
        _text("event_name", "What happened.", required=True),
        Column("occurred_at", "TIMESTAMP", "When, UTC.", required=True),
        Column("event_date", "DATE", "The day, in the tenant's time zone.", required=True),
        Column("hour_of_day", "INTEGER", "The hour, 0 to 23, in the tenant's time zone.", required=True),
        _text("user_key", "MD5(platform, user); NULL where the event has no user."),
        _text("user_pseudo_id", "The analytics tool's own user id.", personal=True),
        _text("user_id", "The shop's user id, once known.", personal=True),
        _text("session_id", "The session; NULL where the event has no user."),
        _text("order_id", "The transaction id of a purchase."),
        Column("order_total", MONEY, "The purchase's value, each event's own.", internal=True),
        _CURRENCY,
        _text("traffic_source", "The session's source."),
        _text("traffic_medium", "The session's medium."),
        _text("traffic_campaign", "The session's campaign."),
        _text("geo_country", f"Country of the event: {_COUNTRY}"),
        _text("device_category", "Device of the event."),
    ),
    references=(_USER_KEY, Reference("session_id", "sessions", "session_id")),
    order_by=("event_date", "occurred_at", "event_key"),
    date="event_date",
    priced="with a purchase",
)

CAMPAIGNS = Table(
    kind="dim",
    name="campaigns",
    sentence="One row per ad campaign, with its current name.",
    grain=("campaign_key",),
    columns=(
        _text("campaign_key", "MD5(platform, account, campaign_id).", required=True),
        *_SOURCE,
        _text("campaign_id", "The vendor's campaign id.", required=True),
        _text("campaign_name", "Its current name."),
        _text(
            "campaign_status",
            "Its current status in one vocabulary: active, paused, pending, ended, removed or rejected; a word that "
            "the reference table lacks stays as the vendor says it.",
        ),
        _text("campaign_status_raw", "Its current status, as the vendor says it."),
        Column("is_inferred", "BOOLEAN", "The vendor sent no campaign; a fact carries its id.", required=True),
    ),
    order_by=("campaign_key",),
)

USERS = Table(
    kind="dim",
    name="users",
    sentence="One row per analytics user.",
    grain=("user_key",),
    columns=(
        _text("user_key", "MD5(platform, user).", required=True),
        *_SOURCE,
        _text("user_pseudo_id", "The analytics tool's own user id.", personal=True),
        _text("user_id", "The shop's user id, once known.", personal=True),
        _text("customer_key", "The customer of the user's first linked order."),
        _text("customer_email", "That customer's email, else that of the user's profile.", personal=True),
        _text("customer_id", "That customer's id.", personal=True),
        Column("is_customer", "BOOLEAN", "A purchase event of the user carries the id of an order.", required=True),
        Column("first_seen_at", "TIMESTAMP", "First event, UTC."),
        Column("first_seen_date", "DATE", "The day of the first session, in the tenant's time zone."),
        Column("last_seen_at", "TIMESTAMP", "Last event, UTC."),
        Column("total_events", "BIGINT", "Events."),
        Column("total_sessions", "BIGINT", "Sessions."),
        _text("first_geo_country", f"Country of the first session: {_COUNTRY}"),
        _text("first_device_category", "Device of the first session."),
    ),
    order_by=("user_key",),
)

PRODUCTS = Table(
    kind="dim",
    name="products",
    sentence="One row per product, with its current name.",
    grain=("product_key",),
    columns=(
        _text("product_key", "MD5(platform, account, product id, else sku, else title).", required=True),
        *_SOURCE,
        _text("product_id", "The vendor's product id."),
        _text("sku", "The stock keeping unit, where the product was only seen in order lines."),
        _text("product_name", "Its current name."),
        _text("product_category", "Its category or type."),
        Column("is_inferred", "BOOLEAN", "The vendor sent no product; an order line carries it.", required=True),
    ),
    order_by=("product_key",),
)


def star_schema(
    funnel_steps: int = len(DEFAULT_FUNNEL), *, has_payments: bool = False, gap: str | None = None
) -> tuple[Table, ...]:
    """Every table of a tenant with `funnel_steps` steps in its funnel, with or without a payments source.

    `gap` is as for `sessions`.
    """
    return (
        AD_PERFORMANCE,
        orders(has_payments),
        ORDER_ITEMS,
        REFUNDS,
        sessions(funnel_steps, gap),
        EVENTS,
        CAMPAIGNS,
        USERS,
        PRODUCTS,
    )


def table_named(name: str) -> Table:
    """The fact or dimension table of a name, such as campaigns; its kind is part of its name in a star."""
    return next(table for table in star_schema() if table.name == name)
