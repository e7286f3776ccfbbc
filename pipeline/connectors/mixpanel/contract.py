"""Mixpanel: events as the Raw Event Export API writes them, one JSON object a line, and people from Query Profiles.

Sources: developer.mixpanel.com/reference/raw-event-export and .../event-deduplication (events),
docs.mixpanel.com/reference/engage-query (people), docs.mixpanel.com/docs/data-structure/property-reference and
.../tracking-methods/id-management. `time` is seconds since 1970 (milliseconds only on request: `time_in_ms=true` is not
read), UTC in projects created from 2023 on and in the project's own zone before: such an account has its `timezone` in
tenants.yaml. Mixpanel tells events apart by event, time, `distinct_id` and `$insert_id`. A merge of identities rewrites
`distinct_id`, so the key leaves it out: the same event exported again after a merge is a newer version of itself.
Events imported by a server, and old ones, may have no `$insert_id` (airbytehq/airbyte#31955): such an event is known by
all that it says, so that one exported again after a merge of its user counts twice.
singer-io/tap-mixpanel and Airbyte's source write properties beside `event`, and `time` as a UTC date-time; the first
writes `mp_reserved_` for a leading `$`, the second nothing (facts of their schemas `export`).
Properties beside the vendor's are the shop's own; those declared here have the common names of Segment's e-commerce
events (order_id, revenue, currency).
"""

from __future__ import annotations

from pydantic import Field

from pipeline.contracts.fields import Contract, EpochSeconds, Integer, Layout, Nested, Number, Text, UtcTime
from pipeline.contracts.measures import by_shop


class Properties(Nested):
    time: EpochSeconds = None
    distinct_id: Text = None  # blank where the shop sends no user
    insert_id: Text = Field(None, alias="$insert_id")
    device_id: Text = Field(None, alias="$device_id")  # without a login, distinct_id is $device:<this>, or this
    user_id: Text = Field(None, alias="$user_id")  # the shop's own, after login
    mp_processing_time_ms: Integer = None  # time of ingestion by Mixpanel
    utm_source: Text = None
    utm_medium: Text = None
    utm_campaign: Text = None
    utm_id: Text = None  # the campaign's id
    gclid: Text = None  # click ids, which ad platforms add to the links of their ads
    gbraid: Text = None
    wbraid: Text = None
    dclid: Text = None
    msclkid: Text = None
    ttclid: Text = None
    mp_country_code: Text = None  # ISO 3166-1, two letters
    city: Text = Field(None, alias="$city")
    region: Text = Field(None, alias="$region")
    os: Text = Field(None, alias="$os")
    browser: Text = Field(None, alias="$browser")
    device: Text = Field(None, alias="$device")  # iPhone, iPad, Android; absent on desktops
    current_url: Text = Field(None, alias="$current_url")
    order_id: Text = None
    transaction_id: Text = None
    revenue: Number = None  # major units of currency
    currency: Text = None


def flattened(
    properties: type[Nested],
    at: str,
    columns: dict[str, str],
    *,
    utc: str,
    singer: tuple[str, ...],
    airbyte: tuple[str, ...],
) -> tuple[Layout, Layout]:
    """The layouts of loaders that move the properties of a record beside it, and write another sign than the vendor's.

    Args:
        properties: The properties, which are in the field `at`.
        columns: Of the fields beside them.
        utc: The time of the record.
        singer: What a table of tap-mixpanel is known by.
        airbyte: What one of Airbyte is known by.
    """
    paths = [field.alias or own for own, field in properties.model_fields.items()]

    def layout(name: str, known_by: tuple[str, ...], sign: str) -> Layout:
        moved = {f"{at}.{path}": path.replace("$", sign) for path in paths}
        return Layout(name, known_by, columns | moved, (utc,))

    return layout("singer", singer, "mp_reserved_"), layout("airbyte", airbyte, "")


class Event(Contract):
    """One event."""

    key = ("event", "properties.time", "properties.$insert_id")
    optional_key = ("properties.$insert_id",)
    required = ("event", "properties.time")
    date_field = "properties.time"
    money = "major units of the event's own currency, else of the account's"
    zone = "account"
    identity = ("properties.distinct_id", "properties.$device_id", "properties.$user_id")
    personal = ("properties.$city", "properties.$region", "properties.$current_url")
    restated_days = 0
    lenient = ("properties.mp_processing_time_ms", "properties.$browser")
    measures = (by_shop("properties.revenue"),)
    layouts = (
        Layout(
            name="fivetran",
            known_by=("_fivetran_id", "insert_id"),
            columns={
                "event": "name",
                "properties": "properties",
                "properties.time": "time",
                "properties.distinct_id": "distinct_id",
                "properties.$insert_id": "insert_id",
                "properties.$device_id": "device_id",
                "properties.mp_processing_time_ms": "mp_processing_time_ms",
                "properties.mp_country_code": "mp_country_code",
                "properties.$city": "city",
                "properties.$region": "region",
                "properties.$os": "os",
                "properties.$browser": "browser",
                "properties.$device": "device",
                "properties.$current_url": "current_url",
            },
            utc=("properties.time",),
        ),
        *flattened(
            Properties,
            "properties",
            {"event": "event"},
            utc="properties.time",
            singer=("event", "time", "mp_reserved_insert_id"),
            airbyte=("event", "time", "distinct_id"),
        ),
    )

    event: Text = None
    properties: Properties | None = None


class Traits(Nested):
    """Profile properties, of Mixpanel and of the shop."""

    email: Text = Field(None, alias="$email")
    city: Text = Field(None, alias="$city")
    region: Text = Field(None, alias="$region")
    country_code: Text = Field(None, alias="$country_code")
    os: Text = Field(None, alias="$os")
    last_seen: UtcTime = Field(None, alias="$last_seen")
    initial_utm_source: Text = None  # of the first campaign that brought the person
    initial_utm_medium: Text = None
    initial_utm_campaign: Text = None


class Person(Contract):
    """One user profile in its present state."""

    key = ("$distinct_id",)
    required = ("$distinct_id",)
    date_field = "$properties.$last_seen"
    wrappers = ("results",)
    zone = "utc"
    identity = ("$distinct_id", "$properties.$email")
    personal = ("$properties.$city", "$properties.$region")
    restated_days = 0
    layouts = flattened(
        Traits,
        "$properties",
        {"$distinct_id": "distinct_id"},
        utc="$properties.$last_seen",
        singer=("distinct_id", "mp_reserved_last_seen"),
        airbyte=("distinct_id", "last_seen"),
    )

    distinct_id: Text = Field(None, alias="$distinct_id")
    properties: Traits | None = Field(None, alias="$properties")


OBJECTS: dict[str, type[Contract]] = {"events": Event, "people": Person}
