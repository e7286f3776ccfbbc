"""Helpers of the tests of analytics connectors: the visits that a tool's events make."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from pipeline.config.blocks.sessions import GAP_MINUTES
from pipeline.config.tenant import Tenant
from tests.warehouse.engine_fixture import BLUEPRINTS, Answer, a_source, render
from warehouse.projects.canonical_tables import EVENTS
from warehouse.projects.engines import engines_like
from warehouse.projects.unit_tests import parsed_rows


def numbered(rows: Answer, *, gap_minutes: int = GAP_MINUTES) -> Answer:
    """The engine's rows, in their order in time, with event_number, user_key and session_id."""
    with duckdb.connect(config={"threads": 1}) as con:
        types = json.dumps([{column.name: column.type for column in EVENTS.columns}])
        engine_rows = f"with engine_rows as (select unnest(from_json($rows, '{types}'), recursive := true)),\n"
        query = (
            f"{engine_rows}{render('number_sessions', {'gap_minutes': gap_minutes})} order by occurred_at, event_number"
        )
        result = con.execute(query, {"rows": json.dumps(rows, default=str)})
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def visits(rows: Answer) -> int:
    """How many visits the events make."""
    return len({row["session_id"] for row in numbered(rows) if row["session_id"]})


def column(rows: Answer, name: str) -> list[Any]:
    return [row[name] for row in rows]


def of_two_accounts(macro: str, platform: str, *events: Mapping[str, Any]) -> Answer:
    """What an events engine makes of one event of the account main, and the others of the account other."""
    (engine,) = (engine for engine in engines_like(platform) if engine.macro == macro)
    tenant = Tenant(slug="t", business_name="T", sources=(a_source(platform),))
    with duckdb.connect(config={"threads": 1}) as con:
        for name in engine.objects:
            records = events if name == "events" else ()
            con.execute(f"create table int_t__{platform}_{name} as {parsed_rows(BLUEPRINTS[platform, name], records)}")
        con.execute(f"update int_t__{platform}_events set source_account = 'other' where source_position > 1")
        call = render(macro, engine.call(tenant, tenant.sources[0]))
        result = con.execute(f"select * from ({call}) order by source_position")
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def by_thirty_minutes(events: str) -> tuple[int, int, int]:
    """Events, users and visits of a query of `who` and `moment`, by another way to say the rule.

    A visit begins where no event of the same user lies in the 30 minutes before.
    """
    query = f"""
        with events as ({events}),
        numbered as (select *, row_number() over (partition by who order by moment) as n from events)
        select
            (select count(*) from events),
            (select count(distinct who) from events),
            count(*)
        from numbered as this
        where who is not null and not exists (
            select 1 from numbered as other
            where other.who = this.who and other.n < this.n and other.moment >= this.moment - interval 30 minutes
        )
    """
    with duckdb.connect() as con:
        (row,) = con.execute(query).fetchall()
    return row
