"""Profiles of the analytics tool fill what orders and sessions do not say about a user, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from tests.warehouse.engine_fixture import add_references, render
from warehouse.projects.canonical_tables import PROFILES
from warehouse.projects.unit_tests import typed_rows
from warehouse.star_schema import star_schema

Json = dict[str, Any]
VISIT: Json = {"user_key": "k", "source_platform": "mixpanel", "source_account": "main", "user_pseudo_id": "D1"}
VISIT |= {"user_id": "bob", "started_at": "2026-01-05 10:00:00", "events_in_session": 1, "session_id": "s"}
PROFILE: Json = {"source_platform": "mixpanel", "source_account": "main", "user_id": "D1", "email": "d1@x.io"}


def user(profiles: Sequence[Json], orders: Sequence[Json] = (), **visit: Any) -> tuple[Any, ...]:
    """Email, customer id, is_customer, country and device of the one user, who came again elsewhere a day later."""
    again = VISIT | {"started_at": "2026-01-06 10:00:00", "geo_country": "AT", "device_category": "a tv"}
    again |= {"source_account": "other"}
    visits = [VISIT | visit, again] if visit else [VISIT]
    with duckdb.connect(config={"threads": 1}) as con:
        add_references(con)
        tables = {table.name: table for table in star_schema(1)}
        for name, rows in (("sessions", visits), ("orders", orders)):
            columns = ", ".join(f"{column.name} {column.type}" for column in tables[name].columns)
            con.execute(f"create table fct_t__{name} ({columns})")
            for each in rows:
                given = ", ".join(f"${column}" for column in each)
                con.execute(f"insert into fct_t__{name} ({', '.join(each)}) values ({given})", each)
        con.execute(f"create table int_t__profiles as {typed_rows(PROFILES, profiles)}")
        columns = "customer_email, customer_id, is_customer, first_geo_country, first_device_category"
        (row,) = con.execute(f"select {columns} from ({render('build_dim_users', {'tenant': 't'})})").fetchall()
    return row


def test_a_profile_fills_what_is_not_known() -> None:
    assert user([]) == (None, None, False, None, None)
    profile = PROFILE | {"geo_country": "DE", "device_category": "mobile"}
    assert user([profile]) == ("d1@x.io", None, False, "Germany", "mobile")


def test_orders_and_sessions_come_first() -> None:
    order = {"user_key": "k", "order_key": "o", "customer_email": "bob@x.io", "customer_id": "7", "customer_key": "c"}
    profile = PROFILE | {"geo_country": "DE", "device_category": "mobile"}
    seen = {"geo_country": "CH", "device_category": "desktop"}
    assert user([profile], [order], **seen) == ("bob@x.io", "7", True, "CH", "desktop")
    assert user([PROFILE], [order | {"customer_email": None}])[0] == "d1@x.io"


def test_the_profile_of_the_users_own_id_beats_that_of_the_shops_id_and_the_user_stays_one() -> None:
    shops = PROFILE | {"user_id": "bob", "email": "bob@x.io"}
    assert user([shops])[0] == "bob@x.io"
    assert user([shops, PROFILE, PROFILE | {"email": "zzz@x.io"}])[0] == "d1@x.io"


def test_a_user_of_two_accounts_is_the_one_of_the_first_visit() -> None:
    assert user([PROFILE, PROFILE | {"source_account": "other", "email": "aaa@x.io"}], geo_country="CH")[0] == "d1@x.io"


def test_a_profile_of_another_account_or_platform_is_another_user() -> None:
    assert user([PROFILE | {"source_account": "eu"}, PROFILE | {"source_platform": "amplitude"}])[0] is None
