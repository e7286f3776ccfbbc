"""Push: what MERGE, versions, ordinals, slices and tombstones do to the sinks, on landed rows written by hand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import load_tenants
from pipeline.contracts.fields import wire_type
from pipeline.contracts.registry import Blueprint, blueprints
from pipeline.errors import BuildError
from pipeline.ingest.landing_tables import LOAD_TABLES
from pipeline.settings import Settings
from tests.library import with_library
from tests.warehouse.hub_fixture import push as push_rendered
from warehouse.build.build_paths import projects_folder
from warehouse.build.push import push
from warehouse.projects.hub_projects import push_project
from warehouse.run_dbt import refuse_failures, run_dbt, write_project

ROOT = Path(__file__).resolve().parents[2]
CATALOG = load_catalog(ROOT / "supported_connectors.yaml")
BLUEPRINTS = blueprints(CATALOG)
EPOCH = datetime(2026, 1, 1)  # noqa: DTZ001 - DuckDB timestamps are naive UTC
INSIGHTS, ORDERS, EVENTS = (
    BLUEPRINTS["facebook_ads", "facebook_insights"],
    BLUEPRINTS["shopify", "orders"],
    BLUEPRINTS["google_analytics", "events"],
)


@dataclass
class Hub:
    """A hub with landing tables, filled by hand: each account is a test of its own."""

    settings: Settings
    tenant: Tenant
    loads: int = 0
    dated: dict[str, datetime] = field(default_factory=dict)

    def land(
        self,
        blueprint: Blueprint,
        account: str,
        *files: list[dict[str, Any]],
        at: str | None = None,
        covers: list[str] | None = None,
    ) -> str:
        """Land files of records as one finished load; `at` is the day the export says it was made.

        With `covers` they are a delivery of these days; else they landed before there were deliveries.
        """
        self.loads += 1
        load_id = f"{self.loads:05d}.0"
        batch_id = None if covers is None else f"batch_{self.loads}"
        exported_at = datetime.fromisoformat(at) if at else None
        names = [name for name, _ in blueprint.columns]
        with duckdb.connect(str(self.settings.hub)) as hub:
            for number, records in enumerate(files):
                for line, record in enumerate(records, start=1):
                    values = [_wire(record.get(name), dict(blueprint.columns)[name]) for name in names]
                    extra = {name: value for name, value in record.items() if name not in names}
                    landed_at = EPOCH + timedelta(hours=self.loads)
                    row = [
                        *values,
                        json.dumps(extra) if extra else None,
                        account,
                        f"file{number}",
                        line,
                        exported_at,
                        landed_at,
                        batch_id,
                        load_id,
                    ]
                    marks = ", ".join("?" for _ in row)
                    hub.execute(f"insert into landing_acme.{blueprint.landing_table} values ({marks})", row)
            if covers is not None:
                landed_at = EPOCH + timedelta(hours=self.loads)
                delivered_at = exported_at or landed_at + timedelta(microseconds=max(1, len(files)))
                entry = [*(blueprint.platform, account, blueprint.object), batch_id, batch_id, delivered_at, bool(at)]
                row = [*entry, "", json.dumps(covers), None, landed_at, load_id]
                hub.execute(f"insert into landing_acme.landed_deliveries values ({', '.join('?' * 12)})", row)
            hub.execute("insert into landing_acme._dlt_loads values (?, 0)", [load_id])
        return load_id

    def push(self, blueprint: Blueprint) -> None:
        push_rendered(self.settings.hub, self.tenant, blueprint)

    def push_with_dbt(self, blueprint: Blueprint) -> None:
        """The same as dbt does it: seven times as slow."""
        name = f"stg_acme__{blueprint.platform}_{blueprint.object}"
        folder = projects_folder(self.settings, "acme") / "push"
        nodes = run_dbt(folder, ("run", "--select", name), files={"GATA_HUB_FILE": self.settings.hub})
        refuse_failures(nodes, of="push")

    def rows(self, blueprint: Blueprint, account: str, columns: str = "*") -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.settings.hub), read_only=True) as hub:
            return hub.execute(
                f"select {columns} from {blueprint.sink} where source_account = ? order by all", [account]
            ).fetchall()

    def current(self, blueprint: Blueprint, account: str, of: str) -> list[Any]:
        """The field `of` of each record that counts now, by a plain reading of the rule."""
        with duckdb.connect(str(self.settings.hub), read_only=True) as hub:
            rows = hub.execute(
                f"""select raw_data_payload::varchar from {blueprint.sink} where source_account = ?
                qualify row_number() over (partition by tenant_skey order by
                    version_at desc nulls last, exported_at desc, source_position desc, payload_hash desc) = 1""",
                [account],
            ).fetchall()
        records = [json.loads(text) for (text,) in rows]
        return sorted(record.get(of) for record in records if record != {"_tombstone": True})


def _wire(value: Any, type_: str) -> Any:
    return json.dumps(value) if type_ == "JSON" and value is not None else value


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    home = tmp_path_factory.mktemp("push")
    names = ("facebook_ads", "shopify", "google_analytics", "mixpanel", "amplitude")
    sources = f"{{{', '.join(f'{name}: {{enabled: true}}' for name in names)}}}"
    (home / "tenants.yaml").write_text(
        f"tenants: [{{slug: acme, business_name: Acme, analytics: google_analytics, sources: {sources}}}]"
    )
    tenant = load_tenants(home / "tenants.yaml", CATALOG).get("acme")
    settings = Settings(home=home)
    with_library(settings)
    with duckdb.connect(str(settings.hub)) as connection:
        connection.execute("create schema landing_acme")
        connection.execute("create table landing_acme._dlt_loads (load_id varchar, status bigint)")
        for blueprint in BLUEPRINTS.values():
            columns = ", ".join(f'"{name}" {wire_type(shape)}' for name, shape in blueprint.shape)
            connection.execute(
                f"""create table landing_acme.{blueprint.landing_table} ({columns}, _extra json, _account varchar,
                _source_file varchar, _source_line bigint, _exported_at timestamp, _landed_at timestamp,
                _batch_id varchar, _dlt_load_id varchar)"""
            )
        listed = ", ".join(f"{name} {type_}" for name, type_ in LOAD_TABLES["landed_deliveries"])
        connection.execute(f"create table landing_acme.landed_deliveries ({listed})")
    write_project(projects_folder(settings, "acme") / "push", push_project(tenant, BLUEPRINTS))
    return Hub(settings, tenant)


def insight(ad: str, spend: str, day: str = "2026-03-01", **more: Any) -> dict[str, Any]:
    return {"ad_id": ad, "date_start": day, "spend": spend, **more}


def order(number: int, price: str, updated: str = "2026-03-01T10:00:00+01:00") -> dict[str, Any]:
    return {"id": number, "total_price": price, "created_at": "2026-03-01T09:00:00+01:00", "updated_at": updated}


def event(name: str, at: int = 1, day: str = "20260301", **more: Any) -> dict[str, Any]:
    return {"event_name": name, "event_timestamp": 1772323200000000 + at, "event_date": day, **more}


def test_pushing_three_times_is_pushing_once(hub: Hub) -> None:
    hub.land(ORDERS, "thrice", [order(1, "10.00"), order(2, "20.00")])
    hub.push_with_dbt(ORDERS)
    first = hub.rows(ORDERS, "thrice")
    hub.push_with_dbt(ORDERS)
    hub.push(ORDERS)
    assert len(first) == 2
    assert hub.rows(ORDERS, "thrice") == first


def test_an_overlapping_export_adds_only_what_is_new_and_touches_nothing_else(hub: Hub) -> None:
    hub.land(ORDERS, "overlap", [order(1, "10.00"), order(2, "20.00")])
    hub.push(ORDERS)
    before = hub.rows(ORDERS, "overlap")
    hub.land(ORDERS, "overlap", [order(2, "20.00"), order(3, "30.00")])
    hub.push(ORDERS)
    after = hub.rows(ORDERS, "overlap")
    assert len(after) == 3
    assert [row for row in after if row in before] == before


def test_identical_records_in_one_batch_become_one_row(hub: Hub) -> None:
    hub.land(ORDERS, "twins", [order(1, "10.00"), order(1, "10.00")], [order(1, "10.00")])
    hub.push(ORDERS)
    assert hub.current(ORDERS, "twins", "total_price") == ["10.00"]
    assert len(hub.rows(ORDERS, "twins")) == 1


def test_ten_then_twelve_then_ten_again_is_ten(hub: Hub) -> None:
    for spend in ("10", "12", "10"):
        hub.land(INSIGHTS, "restated", [insight("a", spend)])
        hub.push(INSIGHTS)
    assert hub.current(INSIGHTS, "restated", "spend") == ["10"]
    assert len(hub.rows(INSIGHTS, "restated")) == 2


def test_ten_is_known_and_one_load_brings_twelve_and_ten_again(hub: Hub) -> None:
    hub.land(INSIGHTS, "at_once", [insight("a", "10")])
    hub.push(INSIGHTS)
    hub.land(INSIGHTS, "at_once", [insight("a", "12")], [insight("a", "10")])
    hub.push(INSIGHTS)
    assert hub.current(INSIGHTS, "at_once", "spend") == ["10"]


def test_the_vendors_own_version_time_beats_the_order_of_landing(hub: Hub) -> None:
    hub.land(ORDERS, "versions", [order(1, "12.00", "2026-03-02T10:00:00+01:00")])
    hub.push(ORDERS)
    hub.land(ORDERS, "versions", [order(1, "10.00", "2026-03-01T10:00:00+01:00")])
    hub.push(ORDERS)
    assert hub.current(ORDERS, "versions", "total_price") == ["12.00"]


def test_an_older_export_that_lands_late_does_not_win(hub: Hub) -> None:
    hub.land(INSIGHTS, "late", [insight("a", "12")], at="2026-03-05")
    hub.push(INSIGHTS)
    hub.land(INSIGHTS, "late", [insight("a", "10")], at="2026-03-03")
    hub.push(INSIGHTS)
    assert hub.current(INSIGHTS, "late", "spend") == ["12"]


def test_a_value_confirmed_by_a_newer_export_outlives_a_late_one_between_them(hub: Hub) -> None:
    for spend, made in (("10", "2026-03-02"), ("10", "2026-03-06"), ("12", "2026-03-04")):
        hub.land(INSIGHTS, "confirmed", [insight("a", spend)], at=made)
        hub.push(INSIGHTS)
    assert hub.current(INSIGHTS, "confirmed", "spend") == ["10"]


def test_what_the_vendor_withdraws_from_a_day_stops_counting_and_stays_in_history(hub: Hub) -> None:
    other_day = insight("b", "7", day="2026-03-02")
    hub.land(INSIGHTS, "withdrawn", [insight("a", "1"), insight("b", "2"), other_day])
    hub.push(INSIGHTS)
    hub.land(INSIGHTS, "withdrawn", [insight("a", "1")])
    hub.push(INSIGHTS)
    assert hub.current(INSIGHTS, "withdrawn", "spend") == ["1", "7"]
    assert len(hub.rows(INSIGHTS, "withdrawn")) == 4


def test_a_withdrawn_record_that_returns_counts_again_and_can_be_withdrawn_again(hub: Hub) -> None:
    both, one = [insight("a", "1"), insight("b", "2")], [insight("a", "1")]
    expected = (["1", "2"], ["1"], ["1", "2"], ["1"])
    for records, current in zip((both, one, both, one), expected, strict=True):
        hub.land(INSIGHTS, "returning", records)
        hub.push(INSIGHTS)
        assert hub.current(INSIGHTS, "returning", "spend") == current


def test_what_only_an_older_export_holds_does_not_count_when_it_lands_late(hub: Hub) -> None:
    hub.land(INSIGHTS, "late_day", [insight("a", "1")], at="2026-03-09")
    hub.push(INSIGHTS)
    hub.land(INSIGHTS, "late_day", [insight("a", "1"), insight("b", "2")], at="2026-03-08")
    hub.push(INSIGHTS)
    assert hub.current(INSIGHTS, "late_day", "spend") == ["1"]


def test_two_dated_exports_of_a_day_in_one_load_leave_the_newer_one(hub: Hub) -> None:
    with_b, without_b = [insight("a", "1"), insight("b", "2")], [insight("a", "3")]
    first, second = (
        hub.land(INSIGHTS, "two", with_b, at="2026-03-02"),
        hub.land(INSIGHTS, "two", without_b, at="2026-03-03"),
    )
    hub.push(INSIGHTS)
    assert first < second
    assert hub.current(INSIGHTS, "two", "spend") == ["3"]


def test_parts_of_one_days_export_in_one_load_add_up(hub: Hub) -> None:
    hub.land(EVENTS, "parts", [event("page_view", 1)], [event("page_view", 2)])
    hub.push(EVENTS)
    assert len(hub.current(EVENTS, "parts", "event_name")) == 2


def test_real_duplicates_of_a_keyless_object_survive_and_the_same_day_again_adds_nothing(hub: Hub) -> None:
    twice = [event("page_view"), event("page_view"), event("scroll")]
    hub.land(EVENTS, "ordinals", twice)
    hub.push(EVENTS)
    hub.land(EVENTS, "ordinals", [*reversed(twice)])
    hub.push(EVENTS)
    assert hub.current(EVENTS, "ordinals", "event_name") == ["page_view", "page_view", "scroll"]
    assert len(hub.rows(EVENTS, "ordinals")) == 3


def tap(at: int, insert_id: str | None = None, user: str = "ann") -> dict[str, Any]:
    own = {} if insert_id is None else {"$insert_id": insert_id}
    return {"event": "tap", "properties": {"time": 1772323200 + at, "distinct_id": user} | own}


def click(at: int, uuid: str | None = None) -> dict[str, Any]:
    own = {} if uuid is None else {"uuid": uuid}
    return {"event_type": "click", "event_time": f"2026-03-01 10:00:{at:02}", "user_id": "ann"} | own


@pytest.mark.parametrize(
    ("platform", "known", "unknown"),
    [
        ("mixpanel", [tap(1, "a"), tap(1, "b")], [tap(1), tap(1), tap(1, user="bob"), tap(2, " ")]),
        ("amplitude", [click(1, "a"), click(1, "b")], [click(1), click(1), click(2), click(3, "")]),
    ],
)
def test_events_without_an_id_of_their_own_all_count_and_exported_again_they_add_nothing(
    hub: Hub, platform: str, known: list[dict[str, Any]], unknown: list[dict[str, Any]]
) -> None:
    events = BLUEPRINTS[platform, "events"]
    hub.land(events, platform, [*known, *unknown])
    hub.push(events)
    hub.land(events, platform, [*reversed(unknown), *known], known[:1])
    hub.push(events)
    assert len(hub.rows(events, platform)) == len(known) + len(unknown)
    assert len(hub.rows(events, platform, "distinct tenant_skey")) == 6


def test_a_corrected_day_of_events_replaces_the_day(hub: Hub) -> None:
    hub.land(EVENTS, "corrected", [event("page_view"), event("purchase"), event("scroll", day="20260302")])
    hub.push(EVENTS)
    hub.land(EVENTS, "corrected", [event("page_view"), event("refund")])
    hub.push(EVENTS)
    assert hub.current(EVENTS, "corrected", "event_name") == ["page_view", "refund", "scroll"]


def test_the_hash_ignores_unknown_fields_nulls_and_how_a_time_is_written(hub: Hub) -> None:
    hub.land(
        ORDERS, "canonical", [order(1, "10.00", "2026-03-01T10:00:00+01:00") | {"customer": {"id": 5, "email": None}}]
    )
    hub.push(ORDERS)
    hub.land(ORDERS, "canonical", [order(1, "10.00", "2026-03-01T09:00:00Z") | {"customer": {"id": 5}, "new_field": 7}])
    hub.push(ORDERS)
    assert len(hub.rows(ORDERS, "canonical")) == 1


def test_the_payload_keeps_the_whole_record_unknown_fields_and_all(hub: Hub) -> None:
    sent = order(1, "10.10") | {"line_items": [{"id": 1, "odd": {"deep": "x"}}], "brand_new": {"a": [1, 2]}}
    hub.land(ORDERS, "whole", [sent])
    hub.push(ORDERS)
    ((payload,),) = hub.rows(ORDERS, "whole", "raw_data_payload::varchar")
    assert json.loads(payload) == sent


def test_two_accounts_with_the_same_ids_stay_apart(hub: Hub) -> None:
    for account in ("shop_a", "shop_b"):
        hub.land(ORDERS, account, [order(1, "10.00")])
    hub.push(ORDERS)
    keys = {hub.rows(ORDERS, account, "tenant_skey")[0] for account in ("shop_a", "shop_b")}
    assert len(keys) == 2


def test_a_load_that_never_finished_is_not_pushed(hub: Hub) -> None:
    load_id = hub.land(ORDERS, "unfinished", [order(1, "10.00")])
    with duckdb.connect(str(hub.settings.hub)) as connection:
        connection.execute("delete from landing_acme._dlt_loads where load_id = ?", [load_id])
    hub.push(ORDERS)
    assert hub.rows(ORDERS, "unfinished") == []


def test_a_payload_without_a_date_is_still_pushed_once(hub: Hub) -> None:
    for _ in range(2):
        hub.land(ORDERS, "undated", [{"id": 1, "total_price": "10.00"}])
        hub.push(ORDERS)
    assert len(hub.rows(ORDERS, "undated")) == 1


def test_the_shapes_a_source_was_seen_to_hold_are_kept_with_their_times(hub: Hub) -> None:
    hub.land(ORDERS, "shapes", [order(1, "10.00")])
    hub.push(ORDERS)
    hub.land(ORDERS, "shapes", [order(2, "10.00") | {"currency": "EUR", "loyalty": 3}])
    hub.push(ORDERS)
    hub.land(ORDERS, "shapes", [order(3, "10.00")])
    hub.push(ORDERS)
    with duckdb.connect(str(hub.settings.hub), read_only=True) as connection:
        shapes = connection.execute(
            """select unknown_fields, list_contains(observed_fields, 'currency:VARCHAR'), last_seen_at > first_seen_at
            from platform_sat__source_schema_history where source_account = 'shapes' order by first_seen_at"""
        ).fetchall()
    assert shapes == [([], False, True), (["loyalty"], True, False)]


def registered(hub: Hub, blueprint: Blueprint, account: str) -> list[tuple[Any, ...]]:
    """The keys of an object's account, with the load that brought each first."""
    with duckdb.connect(str(hub.settings.hub), read_only=True) as connection:
        return connection.execute(
            """select tenant_skey, first_load_id, first_seen_at from hub_key_registry
            where tenant_slug = 'acme' and source_platform = ? and source_object = ? and source_account = ?
            order by first_load_id, tenant_skey""",
            [blueprint.platform, blueprint.object, account],
        ).fetchall()


@pytest.mark.parametrize(
    ("blueprint", "records"),
    [
        (ORDERS, [order(1, "10.00"), order(2, "20.00")]),
        (INSIGHTS, [insight("a", "1"), insight("b", "2", day="2026-03-02")]),
        (EVENTS, [event("page_view"), event("page_view"), event("scroll")]),
    ],
    ids=["a key without a date", "a key with a date", "no key"],
)
def test_every_key_of_a_sink_is_registered_once_with_the_load_that_brought_it(
    hub: Hub, blueprint: Blueprint, records: list[dict[str, Any]]
) -> None:
    first = hub.land(blueprint, "registered", records)
    hub.push(blueprint)
    before = registered(hub, blueprint, "registered")
    hub.land(blueprint, "registered", records + records[:1])
    hub.push(blueprint)
    after = registered(hub, blueprint, "registered")
    keys = {key for (key,) in hub.rows(blueprint, "registered", "tenant_skey")}
    assert {load for _, load, _ in before} == {first}
    assert after[: len(before)] == before
    assert {key for key, *_ in after} == keys
    assert len(after) == len(keys)


def test_a_key_whose_date_moves_far_away_is_still_the_same_key(hub: Hub) -> None:
    hub.land(ORDERS, "moved", [order(1, "10.00")])
    hub.push(ORDERS)
    before = registered(hub, ORDERS, "moved")
    later = {"created_at": "2026-09-09T09:00:00Z", "updated_at": "2026-09-09T10:00:00Z"}
    second = hub.land(ORDERS, "moved", [order(1, "12.00") | later, order(2, "5.00") | later])
    hub.push(ORDERS)
    after = registered(hub, ORDERS, "moved")
    assert after[:1] == before
    assert [load for _, load, _ in after[1:]] == [second]


def test_a_restated_record_and_a_withdrawn_one_bring_no_new_key(hub: Hub) -> None:
    hub.land(INSIGHTS, "same_keys", [insight("a", "1"), insight("b", "2")])
    hub.push(INSIGHTS)
    before = registered(hub, INSIGHTS, "same_keys")
    hub.land(INSIGHTS, "same_keys", [insight("a", "3")])
    hub.push(INSIGHTS)
    assert registered(hub, INSIGHTS, "same_keys") == before
    assert len(hub.rows(INSIGHTS, "same_keys")) == 4


def test_a_push_that_fails_after_its_merge_leaves_no_key_behind(hub: Hub) -> None:
    hub.land(ORDERS, "undone", [order(1, "10.00")])
    with duckdb.connect(str(hub.settings.hub)) as connection:
        connection.execute("alter table platform_ops__push_ledger alter column batch_rows type date using null")
    with pytest.raises(BuildError, match="stg_acme__shopify_orders"):
        hub.push_with_dbt(ORDERS)
    with duckdb.connect(str(hub.settings.hub)) as connection:
        connection.execute("alter table platform_ops__push_ledger alter column batch_rows type bigint using null")
    assert registered(hub, ORDERS, "undone") == hub.rows(ORDERS, "undone") == []
    hub.push_with_dbt(ORDERS)
    assert len(registered(hub, ORDERS, "undone")) == len(hub.rows(ORDERS, "undone")) == 1


def test_the_whole_push_of_a_tenant_runs_and_full_refresh_keeps_the_sinks(hub: Hub) -> None:
    hub.land(ORDERS, "kept", [order(1, "10.00")])
    push(hub.tenant, BLUEPRINTS, hub.settings)
    with duckdb.connect(str(hub.settings.hub), read_only=True) as read:
        taken = """select "rows" from run_results__current where name = 'stg_acme__shopify_orders'"""
        assert read.execute(taken).fetchall() == [(1,)]
    folder = hub.settings.home / "dbt" / "_library"
    refuse_failures(run_dbt(folder, ("run", "--full-refresh"), files={"GATA_HUB_FILE": hub.settings.hub}), of="library")
    assert len(hub.rows(ORDERS, "kept")) == 1
