"""Standard dimensions of every tenant, as data; planning uses none of these names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from semantic.catalog.run_definitions import DimensionType, Vocabulary
from semantic.definitions.standard_metrics import ADS, EVENTS, ITEMS, ORDERS, REFUNDS, SESSIONS
from warehouse.star_schema import Table


@dataclass(frozen=True, kw_only=True)
class StandardDimension:
    """A column to group and filter by; any fact that refers to one of the tables in `columns` reaches it."""

    name: str
    type: DimensionType
    description: str
    columns: Mapping[str, str]  # by table: the column that holds it
    through_joins: bool = True
    meanings: Mapping[str, str] = field(default_factory=dict)  # by fact, where facts mean different things by it
    personal: bool = False
    placed_by: str | None = None  # the dimension that says which rows may have several of its values, none guessed
    computed: str = ""  # what is computed from the column, such as ".month()"
    values: tuple[str, ...] = ()  # all there can be, in the order of rows
    vocabulary: Vocabulary | None = None  # how other spellings of a value are read
    is_ordinal: bool = False
    label: str | None = None
    synonyms: tuple[str, ...] = ()  # beside those of its name

    def expression(self, table: str) -> str:
        """The dimension of a table's rows, over `_`, the table."""
        return f"_.{self.columns[table]}{self.computed}"


HOUR = "hour_of_day"
"""Stored in facts that have a time: to convert 2 million to the tenant's zone took 570 ms, to read the hour 10."""

_ACCOUNTS = {ADS: "ad", ORDERS: "shop", ITEMS: "shop", REFUNDS: "shop", SESSIONS: "analytics", EVENTS: "analytics"}


def _column(
    name: str,
    *tables: str,
    type_: DimensionType = "text",
    description: str,
    placed_by: str | None = None,
    vocabulary: Vocabulary | None = None,
    is_ordinal: bool = False,
) -> StandardDimension:
    """Create a dimension with one column name in all its tables."""
    return StandardDimension(
        name=name,
        type=type_,
        description=description,
        columns=dict.fromkeys(tables, name),
        placed_by=placed_by,
        vocabulary=vocabulary,
        is_ordinal=is_ordinal,
    )


DIMENSIONS = (
    StandardDimension(
        name="ad_platform",
        type="text",
        description="The ad platform, such as facebook_ads; for visits and orders the one that brought them.",
        columns={ADS: "source_platform", SESSIONS: "ad_platform", ORDERS: "ad_platform"},
    ),
    _column(
        "campaign_id",
        ADS,
        "campaigns",
        description="The ad campaign's id, as its platform gives it.",
        placed_by="attribution",
    ),
    _column(
        "campaign_name",
        *("campaigns", SESSIONS, ORDERS),
        description="The ad campaign's current name.",
        placed_by="attribution",
    ),
    _column(
        "campaign_status",
        "campaigns",
        description="The ad campaign's current status, such as active, paused or removed.",
        vocabulary="campaign_status",
        placed_by="attribution",
    ),
    _column(
        "campaign_status_raw",
        "campaigns",
        description="The same in its platform's word.",
        placed_by="attribution",
    ),
    _column("ad_group_id", ADS, description="The ad group's (ad set's) id."),
    _column("ad_group_name", ADS, description="The ad group's (ad set's) current name."),
    _column("ad_id", ADS, description="The ad's id."),
    _column("ad_name", ADS, description="The ad's current name."),
    StandardDimension(
        name="currency",
        type="text",
        description="ISO 4217 code of the row's money; empty for visits without a purchase.",
        columns=dict.fromkeys((ADS, ORDERS, ITEMS, REFUNDS, SESSIONS, EVENTS), "currency"),
        through_joins=False,
    ),
    StandardDimension(
        name="account",
        type="text",
        description="The account of the connector that the row came from, as named in tenants.yaml.",
        columns=dict.fromkeys(_ACCOUNTS, "source_account"),
        through_joins=False,
        meanings=_ACCOUNTS,
    ),
    StandardDimension(
        name="shop_platform",
        type="text",
        description="The shop system, such as shopify.",
        columns=dict.fromkeys((ORDERS, ITEMS, REFUNDS), "source_platform"),
    ),
    _column(
        "financial_status",
        ORDERS,
        description="Where an order's money is, such as paid or refunded.",
        vocabulary="folded",
    ),
    StandardDimension(
        name="order_status_raw",
        type="text",
        description="An order's status in its shop's word.",
        columns={ORDERS: "raw_status"},
    ),
    _column(
        "customer_type",
        ORDERS,
        description="new for a customer's first valid order, returning for later ones.",
        vocabulary="folded",
    ),
    _column(
        "days_since_first_order",
        ORDERS,
        type_="integer",
        description="Days since the customer's first valid order.",
        is_ordinal=True,
    ),
    _column(
        "months_since_first_order",
        ORDERS,
        type_="integer",
        description="Calendar months since the customer's first valid order.",
        is_ordinal=True,
    ),
    _column("shipping_country", ORDERS, description="The country an order is sent to.", vocabulary="country"),
    _column("discount_codes", ORDERS, description="An order's discount codes, joined by commas."),
    StandardDimension(
        name="analytics_platform",
        type="text",
        description="The analytics tool, such as google_analytics.",
        columns=dict.fromkeys((SESSIONS, EVENTS), "source_platform"),
    ),
    _column(
        "channel",
        SESSIONS,
        ORDERS,
        description="The visit's channel by GA4's rules, such as Paid Search.",
        vocabulary="listed",
    ),
    _column(
        "traffic_source",
        SESSIONS,
        ORDERS,
        EVENTS,
        description="Where the visit came from, such as google.",
        vocabulary="folded",
    ),
    _column(
        "traffic_medium",
        SESSIONS,
        ORDERS,
        EVENTS,
        description="How the visit came, such as cpc or email.",
        vocabulary="folded",
    ),
    _column("traffic_campaign", SESSIONS, ORDERS, EVENTS, description="The campaign named by the visit itself."),
    _column("geo_country", SESSIONS, ORDERS, EVENTS, description="The visitor's country.", vocabulary="country"),
    _column(
        "device_category",
        SESSIONS,
        ORDERS,
        EVENTS,
        description="The visitor's device, such as mobile.",
        vocabulary="folded",
    ),
    _column(
        "attribution",
        SESSIONS,
        ORDERS,
        description="Whether an ad campaign was found: matched, ambiguous (a name of several, never guessed) or none.",
    ),
    _column("event_name", EVENTS, description="What happened, such as purchase."),
    _column(
        "is_customer",
        "users",
        type_="boolean",
        description="Whether a purchase of the user carries the id of an order.",
    ),
    _column(
        "first_order_date",
        ORDERS,
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


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def calendar_dimensions(tables: Sequence[Table], week_start: str) -> tuple[StandardDimension, ...]:
    """Create the date dimension and the parts of a date, which every fact has; weekdays from the tenant's first."""
    first = next(n for n, day in enumerate(WEEKDAYS) if day.lower() == week_start)
    part = partial(
        StandardDimension,
        columns={table.name: table.date for table in tables if table.date is not None},
        through_joins=False,
    )
    hours = [table.name for table in tables if any(column.name == HOUR for column in table.columns)]
    return (
        date_dimension(tables),
        part(
            name="day_of_week",
            type="text",
            description="The weekday.",
            computed=".strftime('%A')",
            values=(*WEEKDAYS[first:], *WEEKDAYS[:first]),
            vocabulary="listed",
            is_ordinal=True,
        ),
        part(
            name="is_weekend",
            type="boolean",
            description="Saturday or Sunday.",
            computed=".strftime('%w').isin(['0', '6'])",
        ),
        part(
            name="week_of_year",
            type="integer",
            description="The ISO week, 1 to 53.",
            computed=".week_of_year()",
            is_ordinal=True,
        ),
        part(
            name="month_of_year",
            type="integer",
            description="The month, 1 to 12.",
            computed=".month()",
            is_ordinal=True,
        ),
        _column(
            HOUR,
            *hours,
            type_="integer",
            description="The hour, 0 to 23, in the tenant's time zone.",
            is_ordinal=True,
        ),
    )


def date_dimension(tables: Sequence[Table]) -> StandardDimension:
    """Create the date dimension; each fact has its own column for it."""
    return StandardDimension(
        name="date",
        type="date",
        description="The day, in the tenant's time zone; for ads in the ad account's own. With time_grain: its first "
        "day.",
        columns={table.name: table.date for table in tables if table.date is not None},
        through_joins=False,
    )


def personal_dimensions(tables: Sequence[Table]) -> tuple[StandardDimension, ...]:
    """Create a dimension per name of a personal column; they are withheld unless tenants.yaml exposes them."""
    columns: dict[str, dict[str, str]] = {}
    descriptions: dict[str, str] = {}
    for table in tables:
        for column in table.columns:
            if column.personal and column.type == "VARCHAR":
                columns.setdefault(column.name, {})[table.name] = column.name
                descriptions.setdefault(column.name, column.description)
    return tuple(
        StandardDimension(name=name, type="text", description=descriptions[name], columns=columns[name], personal=True)
        for name in columns
    )
