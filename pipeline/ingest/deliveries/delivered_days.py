"""The days that landed deliveries of each object of each account cover, and when the last of them came."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from statistics import median

import duckdb
from pydantic import BaseModel, ConfigDict

from pipeline.config.tenant import Tenant
from pipeline.contracts.sql import quote
from pipeline.ingest.deliveries.day_spans import Span, joined_spans
from pipeline.ingest.landing_tables import LOAD_ID, dataset


class DeliveredDays(BaseModel):
    """The deliveries of one object of one account that landed."""

    model_config = ConfigDict(frozen=True)

    platform: str
    account: str
    object: str
    covered: tuple[Span, ...] | None = None
    """Of a report by days: the days that its deliveries cover, also without rows. None for records, such as orders."""
    delivered_at: datetime
    """The time of the last delivery, UTC without a zone: its own, else that of its landing."""
    is_dated: bool
    """Whether a delivery says its own time."""
    every_days: int = 1
    """The usual distance of two deliveries, at least one day."""


@dataclass
class _Deliveries:
    """What is known of one target while its deliveries are read."""

    is_sliced: bool = False
    spans: set[Span] = field(default_factory=set)
    dated: list[datetime] = field(default_factory=list)
    landed: list[datetime] = field(default_factory=list)


def read_delivered_days(hub: duckdb.DuckDBPyConnection, tenant: Tenant) -> tuple[DeliveredDays, ...]:
    """What completed loads of a tenant delivered, by platform, account and object.

    A file of a report covers the days from its first to its last row: an export is of a range of days, and a day
    without a row in it is one on which nothing happened. A delivery that says its days covers these.
    """
    schema = quote(dataset(tenant))
    completed = f"{LOAD_ID} in (select load_id from {schema}._dlt_loads where status = 0)"
    found: dict[tuple[str, str, str], _Deliveries] = {}
    files = hub.execute(
        f"""select distinct platform, account, object, days ->> 0, days ->> -1 from {schema}.landed_files
        where {completed} and days is not null"""
    ).fetchall()
    for platform, account, object_, first, last in files:
        target = found.setdefault((platform, account, object_), _Deliveries())
        target.is_sliced = True
        if first is not None:
            target.spans.add((date.fromisoformat(first), date.fromisoformat(last)))
    deliveries = hub.execute(
        f"""select platform, account, object, is_dated, delivered_at, _landed_at, days::varchar
        from {schema}.landed_deliveries where {completed} and refused is null"""
    ).fetchall()
    for platform, account, object_, is_dated, delivered_at, landed_at, days in deliveries:
        target = found.setdefault((platform, account, object_), _Deliveries())
        (target.dated if is_dated else target.landed).append(delivered_at if is_dated else landed_at)
        target.is_sliced = target.is_sliced or days is not None
        said = [date.fromisoformat(day) for day in json.loads(days)] if days else ()
        target.spans.update((day, day) for day in said)
    return tuple(_delivered(key, target) for key, target in sorted(found.items()) if target.dated or target.landed)


def _delivered(key: tuple[str, str, str], target: _Deliveries) -> DeliveredDays:
    moments = target.dated or target.landed
    return DeliveredDays(
        platform=key[0],
        account=key[1],
        object=key[2],
        covered=joined_spans(target.spans) if target.is_sliced else None,
        delivered_at=max(moments),
        is_dated=bool(target.dated),
        every_days=_usual_distance(moment.date() for moment in moments),
    )


def _usual_distance(days: Iterable[date]) -> int:
    ordered = sorted(set(days))
    gaps = [(later - earlier).days for earlier, later in pairwise(ordered)]
    return max(1, round(median(gaps))) if gaps else 1
