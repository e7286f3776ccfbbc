"""Amplitude: events as the Export API writes them, one JSON object a line, and users as User Activity returns them.

Sources: amplitude.com/docs/apis/analytics/export (events), .../apis/analytics/dashboard-rest#user-activity (users),
.../data/sources/instrument-track-revenue (`$revenue`, `$price`, `$quantity`, `$currency`) and
.../data/destination-catalog/amazon-s3: `uuid` is a row's own id; of one `device_id`, an `$insert_id` that came before
is the same event sent twice; `amplitude_id` is the user's original one, merges are not applied. An event without a
`uuid`, as some pipelines keep them, is known by all that it says. Times are UTC without an offset.
`user_id` is null before login; ids under five characters are dropped by the vendor. `session_id` is -1 outside
sessions, and not used: they are computed here. Properties are the shop's own; those declared here are the vendor's, and
the common names of Segment's e-commerce events (order_id, revenue, currency).
"""

from __future__ import annotations

from pydantic import Field

from pipeline.contracts.fields import Contract, DateText, Integer, Layout, Nested, Number, Quantity, Text, UtcTime
from pipeline.contracts.measures import by_shop


class EventProperties(Nested):
    dollar_revenue: Number = Field(None, alias="$revenue")
    dollar_price: Number = Field(None, alias="$price")
    dollar_quantity: Quantity = Field(None, alias="$quantity")  # of goods sold by metre or kilo it has decimals
    dollar_currency: Text = Field(None, alias="$currency")
    order_id: Text = None
    transaction_id: Text = None
    revenue: Number = None  # major units of currency
    currency: Text = None
    utm_source: Text = None  # on page views, when the page's address has it
    utm_medium: Text = None
    utm_campaign: Text = None
    utm_id: Text = None  # the campaign's id


class UserProperties(Nested):
    """The user's properties at the time of the event."""

    utm_source: Text = None  # of the latest campaign that brought the user
    utm_medium: Text = None
    utm_campaign: Text = None
    utm_id: Text = None
    initial_utm_source: Text = None  # of the first one; EMPTY where there was none
    initial_utm_medium: Text = None
    initial_utm_campaign: Text = None
    gclid: Text = None  # click ids of the latest campaign, which ad platforms add to the links of their ads
    gbraid: Text = None
    wbraid: Text = None
    dclid: Text = None
    msclkid: Text = None
    ttclid: Text = None


class Event(Contract):
    """One event."""

    key = ("uuid",)
    optional_key = ("uuid",)
    required = ("event_type", "event_time")
    date_field = "event_time"
    money = "major units of the event's own currency, else of the account's"
    zone = "utc"
    identity = ("user_id", "amplitude_id", "device_id")
    personal = ("city", "region")
    lenient = ("event_id", "client_event_time", "session_id", "platform", "language")
    restated_days = 0
    measures = (by_shop("event_properties.$revenue", "event_properties.revenue", "event_properties.$price"),)
    layouts = (
        Layout(
            name="fivetran",
            known_by=("_fivetran_synced", "_insert_id"),
            columns={"$insert_id": "_insert_id", "event_id": "id"},
            utc=("event_time", "client_event_time", "server_upload_time"),
        ),
    )

    uuid: Text = None
    insert_id: Text = Field(None, alias="$insert_id")
    event_id: Integer = None  # counts a device's events
    event_type: Text = None
    event_time: UtcTime = None
    client_event_time: UtcTime = None  # the same by the device's clock
    server_upload_time: UtcTime = None  # exports are divided by it, so late events come in a later export
    user_id: Text = None
    device_id: Text = None
    amplitude_id: Integer = None
    session_id: Integer = None
    platform: Text = None  # Web, iOS, Android
    os_name: Text = None  # on the web the browser
    device_type: Text = None  # Apple iPhone, Windows, ...
    device_family: Text = None
    country: Text = None
    region: Text = None
    city: Text = None
    language: Text = None
    event_properties: EventProperties | None = None
    user_properties: UserProperties | None = None


class Traits(Nested):
    """User properties that the shop sent to Amplitude."""

    email: Text = None


class User(Contract):
    """One user in the present state, with the `amplitude_id`s that were merged into the user's own."""

    key = ("canonical_amplitude_id",)
    required = ("canonical_amplitude_id",)
    date_field = "last_used"
    wrappers = ("userData",)
    zone = "account"
    identity = ("user_id", "canonical_amplitude_id", "properties.email")
    personal = ("city", "region", "merged_amplitude_ids", "device_ids")
    lenient = ("num_events", "num_sessions", "first_used", "platform", "language")
    restated_days = 0

    canonical_amplitude_id: Integer = None
    merged_amplitude_ids: list[Integer] | None = None
    user_id: Text = None
    device_ids: list[Text] | None = None
    num_events: Integer = None
    num_sessions: Integer = None
    first_used: DateText = None
    last_used: DateText = None
    platform: Text = None
    os: Text = None
    device: Text = None
    device_type: Text = None
    country: Text = None
    region: Text = None
    city: Text = None
    language: Text = None
    properties: Traits | None = None


OBJECTS: dict[str, type[Contract]] = {"events": Event, "users": User}
