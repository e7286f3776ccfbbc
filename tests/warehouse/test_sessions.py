"""Sessions end after a gap of more than the tenant's minutes, to the second."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from pipeline.config.blocks.sessions import SessionRules
from pipeline.config.tenant import Tenant
from semantic.definitions.derive import definitions_yaml, derive
from semantic.definitions.introspect import BuiltTable
from tests.warehouse.analytics_events import numbered
from tests.warehouse.engine_fixture import BLUEPRINTS, Answer, a_source
from warehouse.projects.star_project import star_project, star_tables

START = datetime(2026, 3, 2, 8)  # noqa: DTZ001  # UTC, as in the sinks


def events(*seconds: int, user: str = "ann") -> Answer:
    """Events of one user, so many seconds after the first."""
    return [
        {
            "event_key": f"{user}{second}",
            "source_platform": "mixpanel",
            "user_pseudo_id": user,
            "occurred_at": START + timedelta(seconds=second),
        }
        for second in seconds
    ]


def sessions(rows: Answer, gap_minutes: int) -> int:
    return len({row["session_id"] for row in numbered(rows, gap_minutes=gap_minutes)})


@pytest.mark.parametrize(
    ("gap_minutes", "minutes", "seconds", "expected"),
    [
        (30, 29, 59, 1),
        (30, 30, 0, 1),
        (30, 30, 1, 2),
        (30, 45, 0, 2),
        (45, 30, 1, 1),
        (45, 44, 59, 1),
        (45, 45, 0, 1),
        (45, 45, 1, 2),
        (1, 1, 0, 1),
        (1, 1, 1, 2),
        (1440, 1440, 0, 1),
        (1440, 1440, 1, 2),
    ],
)
def test_a_session_ends_by_a_second_more_than_the_gap(
    gap_minutes: int, minutes: int, seconds: int, expected: int
) -> None:
    assert sessions(events(0, minutes * 60 + seconds), gap_minutes) == expected


@pytest.mark.parametrize("gap_minutes", [30, 45])
def test_many_events_make_the_sessions_that_counting_gaps_by_hand_makes(gap_minutes: int) -> None:
    draw = Random(7)
    moments = {user: sorted(draw.sample(range(0, 86_400, 60), 60)) for user in ("ann", "bob", "eve")}
    rows = [row for user, seconds in moments.items() for row in events(*seconds, user=user)]
    by_hand = sum(
        1 + sum(later - earlier > gap_minutes * 60 for earlier, later in pairwise(seconds))
        for seconds in moments.values()
    )
    assert sessions(rows, gap_minutes) == by_hand


def texts(rules: SessionRules) -> str:
    """All that is generated for a tenant: its dbt project and its definitions."""
    tenant = Tenant(slug="acme", business_name="Acme", sources=(a_source("mixpanel"),), sessions=rules)
    tables = star_tables(tenant)
    definitions = derive(tenant, tables, {table.name: BuiltTable.from_specification(table) for table in tables})
    return "\n".join([*star_project(tenant, BLUEPRINTS).values(), definitions_yaml(definitions)])


def test_what_is_generated_says_the_tenants_gap_and_no_other() -> None:
    default, longer, shortest = (texts(SessionRules(gap_minutes=minutes)) for minutes in (30, 45, 1))
    assert default.count("30 minutes") == longer.count("45 minutes") == 4
    assert "number_sessions(gap_minutes=45)" in longer
    assert longer.replace("45 minutes", "30 minutes").replace("gap_minutes=45", "gap_minutes=30") == default
    assert shortest.count("more than 1 minute.") == 4
