"""The hub's own models: reference tables, satellites with history, registries, and what dbt did."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.codes import CURRENCIES
from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import blueprints, schema_hash
from pipeline.errors import BuildError, ConfigError
from pipeline.ingest.landing_tables import LOAD_TABLES
from pipeline.settings import Settings
from warehouse.build.dbt_metadata import KEYS, LEAST_INVOCATIONS
from warehouse.build.hub_library import prepare_hub
from warehouse.build.hub_metadata import earlier_logic, read_hub_records, record_build, record_configs
from warehouse.projects import reference_tables
from warehouse.projects.logic_versions import canonical_logic, logic_hash, logic_tables, with_logic
from warehouse.run_dbt import Node, run_dbt

ROOT = Path(__file__).resolve().parents[2]
CATALOG = load_catalog(ROOT / "supported_connectors.yaml")
BLUEPRINTS = blueprints(CATALOG)
OBJECTS = ("facebook_ads", "ads"), ("facebook_ads", "facebook_insights"), ("google_analytics", "events")
SCALARS = st.one_of(st.text(max_size=5), st.integers(), st.booleans())
LOGIC = st.dictionaries(st.text(max_size=5), st.one_of(SCALARS, st.dictionaries(st.text(max_size=3), SCALARS)))

Rows = list[tuple[Any, ...]]


class Hub:
    """A hub whose library stands, to be read and written."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)

    def rows(self, query: str, *values: object) -> Rows:
        with duckdb.connect(str(self.settings.hub), read_only=True) as connection:
            return connection.execute(query, values).fetchall()

    def write(self, statement: str) -> None:
        with duckdb.connect(str(self.settings.hub)) as connection:
            connection.execute(statement)

    def say(self, *tenants: Tenant) -> None:
        """tenants.yaml says these, and a build begins."""
        record_configs(tenants, self.settings, read_hub_records(self.settings))

    def history(self, slug: str, *table: str) -> Rows:
        """Logic and times of a table's versions, or of all the tenant's tables, oldest first."""
        where = "and source_platform = ? and source_object = ?" if table else ""
        return self.rows(
            f"""select logic::varchar, valid_from, valid_to from platform_sat__tenant_config_history
            where tenant_slug = ? {where} order by valid_from, source_platform, source_object""",
            slug,
            *table,
        )


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Node, ...]]:
    """The state folder after the library's first run, and what dbt did for it."""
    home = tmp_path_factory.mktemp("library")
    return home, prepare_hub(BLUEPRINTS, Settings(home=home))


@pytest.fixture
def hub(library: tuple[Path, tuple[Node, ...]], tmp_path: Path) -> Hub:
    """A copy of the library, for one test."""
    shutil.copytree(library[0], tmp_path / "home")
    return Hub(tmp_path / "home")


@pytest.fixture
def seeds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the reference tables, to be spoilt."""
    shutil.copytree(reference_tables.SEEDS, tmp_path / "seeds")
    monkeypatch.setattr(reference_tables, "SEEDS", tmp_path / "seeds")
    return tmp_path / "seeds"


def with_tables(tenant: Tenant, **logic: dict[str, Any]) -> Tenant:
    """The tenant with the logic of some of its objects."""
    places = {name: platform for platform, name in logic_tables(tenant)}
    return with_logic(tenant, {(places[name], name): said for name, said in logic.items()})


# Reference tables


def test_the_hub_holds_every_reference_table_as_its_file_has_it(hub: Hub) -> None:
    assert "platform_ref__traffic_platforms" in reference_tables.reference_names()
    for name in reference_tables.reference_names():
        with (reference_tables.SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        columns = {row[0]: row[1].lower() for row in hub.rows(f"describe {name}")}
        assert columns == reference_tables.reference_types(name)
        listed = ", ".join(f"coalesce(cast({column} as varchar), '')" for column in rows[0])
        assert sorted(hub.rows(f"select {listed} from {name}")) == sorted(tuple(row.values()) for row in rows)
        assert (
            hub.rows(f"from {name} order by all")
            == duckdb.sql(f"from ({reference_tables.reference_rows(name)}) order by all").fetchall()
        )


def test_reference_tables_speak_of_connectors_and_currencies_there_are(hub: Hub) -> None:
    ads = {name for name, connector in CATALOG.items() if connector.domain == "ads"}
    assert {platform for (platform,) in hub.rows("select ad_platform from platform_ref__traffic_platforms")} <= ads
    assert {code for (code,) in hub.rows("select currency from platform_ref__currencies")} >= CURRENCIES


def test_the_library_runs_again_only_when_something_of_it_changed(hub: Hub, seeds: Path) -> None:
    assert prepare_hub(BLUEPRINTS, hub.settings) == ()
    with (seeds / "platform_ref__traffic_platforms.csv").open("a", encoding="utf-8") as lines:
        lines.write("somewhere,cpc,google_ads\n")
    assert prepare_hub(BLUEPRINTS, hub.settings) != ()
    assert hub.rows("select ad_platform from platform_ref__traffic_platforms where traffic_source = 'somewhere'") == [
        ("google_ads",)
    ]
    assert prepare_hub(BLUEPRINTS, hub.settings) == ()


SPOILT = {
    "unique_together": ("platform_ref__traffic_platforms", "google,cpc,bing_ads"),
    "is_normalized": ("platform_ref__traffic_platforms", "Google ,pay,bing_ads"),
    "unique": ("platform_ref__currencies", "EUR,2,2"),
    "not_null": ("platform_ref__currencies", "ZZY,,2"),
    "accepted_values": ("platform_ref__order_statuses", "shopify,odd,somewhere,false"),
}
"""A line that a test of a reference table refuses, by the test."""


@pytest.mark.long
def test_a_reference_table_that_contradicts_itself_stops_the_library(hub: Hub, seeds: Path) -> None:
    for table, line in SPOILT.values():
        with (seeds / f"{table}.csv").open("a", encoding="utf-8") as lines:
            lines.write(line + "\n")
    for _ in range(2):  # it is tried again each time
        with pytest.raises(BuildError, match=r"library: test \w+ failed in 1 rows"):
            prepare_hub(BLUEPRINTS, hub.settings)
    nodes = run_dbt(hub.settings.home / "dbt/_library", ("test",), files={"GATA_HUB_FILE": hub.settings.hub})
    refused = {(node.test, (node.checks or "").rpartition(".")[2]) for node in nodes if node.status == "fail"}
    assert refused == {(test, table) for test, (table, _) in SPOILT.items()}


# What a logic is


@given(LOGIC, st.randoms())
def test_the_hash_of_a_logic_ignores_the_order_of_its_keys_and_nothing_else(logic: dict[str, Any], random: Any) -> None:
    items = list(logic.items())
    random.shuffle(items)
    assert logic_hash(dict(items)) == logic_hash(logic)
    assert logic_hash({**logic, "one more": 1}) != logic_hash(logic)
    assert json.loads(canonical_logic(logic)) == logic


def test_the_steps_of_a_funnel_have_an_order() -> None:
    steps = {"view": ["view_item"], "buy": ["purchase"]}
    assert logic_hash({"funnel_steps": steps}) != logic_hash({"funnel_steps": dict(reversed(steps.items()))})
    assert list(json.loads(canonical_logic({"funnel_steps": steps}))["funnel_steps"]) == ["view", "buy"]


def test_two_values_where_there_can_be_one_are_refused(tyrell: Callable[..., Tenant]) -> None:
    with pytest.raises(ConfigError, match="would say conversion_event_pattern twice: purchase and lead"):
        with_tables(tyrell(pattern="purchase"), ads={"conversion_event_pattern": "lead"})


# Satellites


def test_only_the_table_whose_logic_changed_gets_a_new_version(hub: Hub, tyrell: Callable[..., Tenant]) -> None:
    hub.say(tyrell(pattern="purchase"))
    before = hub.history("tyrell_corp")
    hub.say(tyrell(pattern="lead"))
    old, new = hub.history("tyrell_corp", "facebook_ads", "facebook_insights")
    assert (old[0], new[0]) == ('{"conversion_event_pattern":"purchase"}', '{"conversion_event_pattern":"lead"}')
    assert old[1] < old[2] == new[1]
    assert new[2] is None
    after = hub.history("tyrell_corp")
    assert len(after) == len(before) + 1
    assert [row for row in after if row in before] == [row for row in before if "purchase" not in row[0]]


def test_saying_the_same_again_writes_nothing(hub: Hub, tyrell: Callable[..., Tenant]) -> None:
    hub.say(tyrell())
    before = hub.settings.hub.read_bytes()
    hub.say(tyrell())
    assert hub.settings.hub.read_bytes() == before


def test_a_table_that_leaves_is_closed_and_a_new_version_when_it_comes_back(
    hub: Hub, tyrell: Callable[..., Tenant]
) -> None:
    without = tyrell(sources=tuple(s for s in tyrell().sources if s.platform != "shopify"))
    for tenant in (tyrell(), without, tyrell()):
        hub.say(tenant)
    first, second = hub.history("tyrell_corp", "shopify", "orders")
    assert first[2] is not None
    assert first[2] < second[1]
    assert second[2] is None
    assert len(hub.history("tyrell_corp", "google_analytics", "events")) == 1


@pytest.mark.parametrize("leaves", ["removed", "offboarded"])
def test_one_tenants_change_leaves_the_others_versions_alone(
    hub: Hub, tyrell: Callable[..., Tenant], leaves: str
) -> None:
    wayne = tyrell(slug="wayne")
    hub.say(tyrell(), wayne)
    before = hub.history("wayne")
    gone = [tyrell(status="offboarded")] if leaves == "offboarded" else []
    hub.say(*gone, wayne)
    assert hub.history("wayne") == before
    assert all(row[2] is not None for row in hub.history("tyrell_corp"))
    assert hub.rows("select distinct tenant_slug from platform_sat__tenant_source_configs") == [("wayne",)]


def test_the_snapshot_is_what_tenants_yaml_says_and_names_its_logic(hub: Hub, tyrell: Callable[..., Tenant]) -> None:
    hub.say(tyrell(pattern="lead"))
    hub.say(tyrell(pattern="purchase", timezone="Europe/Berlin"))
    assert hub.rows("""select source_platform, source_account, source_object, currency, timezone
        from platform_sat__tenant_source_configs where source_object in ('ads', 'events') order by all""") == [
        ("facebook_ads", "eu", "ads", "EUR", "Europe/Berlin"),
        ("facebook_ads", "main", "ads", "USD", "Europe/Berlin"),
        ("google_analytics", "main", "events", "USD", "Europe/Berlin"),
    ]
    said = {(s.platform, a.name, o) for s in tyrell().enabled for a in s.accounts for o in s.objects}
    held = hub.rows("select source_platform, source_account, source_object from platform_sat__tenant_source_configs")
    assert (len(held), set(held)) == (len(said), said)
    assert (
        hub.rows("""select distinct md5(logic::varchar) = logic_hash, logic::varchar
        from platform_sat__tenant_source_configs inner join platform_sat__tenant_config_history
        using (tenant_slug, source_platform, source_object, logic_hash) where source_object = 'facebook_insights'""")
        == [(True, '{"conversion_event_pattern":"purchase"}')]
    )


def test_a_source_that_changes_gets_a_new_version_of_its_configuration_and_the_others_none(
    hub: Hub, tyrell: Callable[..., Tenant]
) -> None:
    leaves = tuple(source for source in tyrell(pattern="lead").sources if source.platform != "shopify")
    without = tyrell(timezone="Europe/Berlin", sources=leaves)
    for tenant in (tyrell(), tyrell(), tyrell(pattern="lead"), tyrell(pattern="lead", timezone="Europe/Berlin")):
        hub.say(tenant)
    hub.say(without)
    versions = hub.rows("""select source_account, source_object, timezone, valid_from, valid_to
        from platform_sat__tenant_source_configs__history order by source_account, source_object, valid_from""")

    def of(account: str, name: str) -> Rows:
        return [row[2:] for row in versions if row[:2] == (account, name)]

    zones = ["UTC", "Europe/Berlin"]
    for name, expected in (
        ("ads", zones),
        ("events", zones),
        ("facebook_insights", ["UTC", *zones]),
        ("orders", zones),
    ):
        rows = of("main", name)
        assert [zone for zone, *_ in rows] == expected, name
        assert [row[2] for row in rows[:-1]] == [row[1] for row in rows[1:]], name  # one ends when the next begins
        assert (rows[-1][2] is None) == (name != "orders")
    assert hub.rows("select count(*) from platform_sat__tenant_source_configs") == [
        (sum(len(source.objects) * len(source.accounts) for source in without.enabled),)
    ]


def test_a_version_of_the_whole_logic_holds_all_tables_as_they_were_together(
    hub: Hub, tyrell: Callable[..., Tenant]
) -> None:
    first = tyrell(pattern="purchase", analytics={"conversion_events": ["purchase"]})
    second = tyrell(pattern="lead", analytics={"conversion_events": ["sign_up"]})
    third = tyrell(pattern="lead", analytics={"conversion_events": ["purchase"]})
    for tenant in (first, second, third, first):
        hub.say(tenant)
    versions = hub.rows("""select logic_version, valid_from, valid_to from platform_sat__tenant_logic_versions
        where tenant_slug = 'tyrell_corp' order by valid_from""")
    names = [name for name, *_ in versions]
    assert [name == names[0] for name in names] == [True, False, False, True]
    assert len(set(names)) == 3
    assert [row[2] for row in versions] == [*(row[1] for row in versions[1:]), None]
    for tenant, name in zip((first, second, third), names, strict=False):
        assert earlier_logic(tenant, name, hub.settings) == logic_tables(tenant)
        assert logic_tables(with_logic(first, earlier_logic(tenant, name, hub.settings))) == logic_tables(tenant)


def test_a_hash_names_every_table_that_ever_had_that_logic(hub: Hub, tyrell: Callable[..., Tenant]) -> None:
    hub.say(tyrell(pattern="purchase"))
    hub.say(tyrell(pattern="lead"))
    purchase = {"conversion_event_pattern": "purchase"}
    assert earlier_logic(tyrell(), logic_hash(purchase), hub.settings) == {
        ("facebook_ads", "facebook_insights"): purchase
    }
    with pytest.raises(
        ConfigError, match=r"never had the logic version 'nothing'. Name .* or one of: [0-9a-f]{32} \(since"
    ):
        earlier_logic(tyrell(), "nothing", hub.settings)
    with pytest.raises(ConfigError, match="never been built"):
        earlier_logic(tyrell(slug="wayne"), logic_hash(purchase), hub.settings)


# Registries


def test_the_sink_registry_is_the_catalog(hub: Hub) -> None:
    sinks = hub.rows(
        "select master_model, source_platforms, source_schema_hash from platform_ops__master_model_registry"
    )
    expected: dict[str, list[str]] = {}
    for blueprint in BLUEPRINTS.values():
        expected.setdefault(blueprint.sink, []).append(blueprint.platform)
    assert {name: sorted(platforms) for name, platforms, _ in sinks} == {n: sorted(p) for n, p in expected.items()}
    assert len(sinks) == len(expected)
    built = {
        name for (name,) in hub.rows("select table_name from duckdb_tables() where table_name like 'platform_mm__%'")
    }
    assert built == set(expected)


def test_a_fingerprint_leads_to_its_columns_and_they_make_the_fingerprint(hub: Hub) -> None:
    rows = hub.rows("""select source_platform, source_object, source_schema_hash, ordered_columns
        from platform_ops__schema_hash_registry""")
    assert len(rows) == len(BLUEPRINTS)
    for platform, name, fingerprint, columns in rows:
        listed = tuple((column["name"], column["type"]) for column in columns)
        assert listed == BLUEPRINTS[platform, name].columns
        assert hashlib.md5(",".join(sorted(":".join(c) for c in listed)).encode()).hexdigest() == fingerprint
        assert schema_hash(listed) == fingerprint


def test_an_earlier_fingerprint_keeps_its_columns(hub: Hub) -> None:
    hub.write("update platform_ops__schema_hash_registry set source_schema_hash = 'old' where source_object = 'events'")
    (hub.settings.home / "dbt/_library.sha256").unlink()
    prepare_hub(BLUEPRINTS, hub.settings)
    rows = hub.rows(
        "select count(*), count(*) filter (where source_schema_hash = 'old') from "
        "platform_ops__schema_hash_registry where source_platform = 'google_analytics'"
    )
    assert rows == [(2, 1)]


def candidates(hub: Hub) -> Rows:
    return hub.rows("""select tenant_slug, landing_table, recommendation, fields
        from platform_ops__source_table_candidate_registry order by all""")


def test_a_landing_table_that_nothing_routes_is_to_be_onboarded(hub: Hub, tyrell: Callable[..., Tenant]) -> None:
    hub.say(tyrell())
    hub.write("create schema landing_tyrell_corp; create schema landing_tyrell_corp_staging")
    for table in ("shopify__orders", "shopify__wishlists", "faxes", "_dlt_loads", *LOAD_TABLES):
        hub.write(f"create table landing_tyrell_corp.{table} (id integer)")
    hub.write("create table landing_tyrell_corp_staging.more (id integer); create table faxes (id integer)")
    assert candidates(hub) == [
        ("tyrell_corp", "faxes", "ONBOARD", []),
        ("tyrell_corp", "shopify__wishlists", "ONBOARD", []),
    ]


def test_new_fields_are_to_be_investigated_and_lost_ones_watched(hub: Hub, tyrell: Callable[..., Tenant]) -> None:
    hub.say(tyrell())
    hub.write("create schema landing_tyrell_corp; create table landing_tyrell_corp.shopify__orders (id integer)")

    def seen(day: int, fields: list[str], unknown: list[str], account: str = "main") -> None:
        hub.write(f"""insert into platform_sat__source_schema_history values ('tyrell_corp', 'shopify', '{account}',
            'orders', 'h', 'o{day}', {fields}, {unknown}::varchar[], '2026-03-{day:02}', '2026-03-{day:02}')""")

    seen(1, ["id:BIGINT", "email:VARCHAR"], ["loyalty"], account="eu")
    seen(1, ["id:BIGINT", "email:VARCHAR"], ["loyalty"])
    assert candidates(hub) == [("tyrell_corp", "shopify__orders", "INVESTIGATE", ["loyalty"])] * 2
    seen(2, ["id:BIGINT"], [])
    assert candidates(hub) == [
        ("tyrell_corp", "shopify__orders", "INVESTIGATE", ["loyalty"]),
        ("tyrell_corp", "shopify__orders", "MONITOR", ["email:VARCHAR"]),
    ]


def test_the_table_of_a_source_that_was_switched_off_is_watched(hub: Hub, tyrell: Callable[..., Tenant]) -> None:
    hub.say(tyrell())
    hub.write("create schema landing_tyrell_corp; create table landing_tyrell_corp.shopify__orders (id integer)")
    assert candidates(hub) == []
    hub.say(tyrell(sources=tuple(s for s in tyrell().sources if s.platform != "shopify")))
    assert candidates(hub) == [("tyrell_corp", "shopify__orders", "MONITOR", [])]


# What dbt did


def test_a_run_of_the_library_leaves_its_definitions_results_and_tests(hub: Hub) -> None:
    assert hub.rows("select project, command, target, tenant_slug from invocations__history") == [
        ("gata_library", "build", "sandbox", "*")
    ]
    ((built, tested),) = hub.rows("""select
            count(*) filter (resource_type <> 'test'), count(*) filter (resource_type = 'test')
        from run_results__current""")
    assert hub.rows("select count(*), count(distinct node_id) from model_artifacts__current") == [(built, built)]
    assert hub.rows("select count(*), count(distinct node_id) from test_artifacts__current") == [(tested, tested)]
    assert hub.rows("""select
            materialization, config ->> 'materialized', len(definition_hash), depends_on, relation
        from model_artifacts__current where name = 'stg_platform_observability__run_results'""") == [
        (
            *("view", "view", 32, ["model.gata_library.src_platform_observability__run_results"]),
            '"hub"."main"."stg_platform_observability__run_results"',
        )
    ]
    ((description, columns),) = hub.rows("""select description, columns ->> '$[*].name' from model_artifacts__current
        where name = 'platform_ref__currencies'""")
    assert description.endswith("Stripe's list of currencies.")
    assert columns == ["currency", "exponent", "stripe_exponent"]
    assert hub.rows("""select test_name, tested_node, arguments, severity from test_artifacts__current
        where tested_node like '%currencies' and test_name = 'accepted_values' and column_name = 'exponent'""") == [
        (
            *("accepted_values", "seed.gata_library.platform_ref__currencies"),
            *('{"quote": false, "values": [0, 2, 3, 4]}', "error"),
        )
    ]
    assert hub.rows("""select distinct
            status, seconds > 0, completed_at >= started_at, thread is not null, compile_seconds >= 0
        from run_results__current where resource_type = 'test'""") == [("pass", True, True, True, True)]
    ((currencies,),) = hub.rows("select count(*) from platform_ref__currencies")
    assert hub.rows("select rows from run_results__current where name = 'platform_ref__currencies'") == [(currencies,)]


def run_again(hub: Hub, *command: str) -> None:
    run_dbt(hub.settings.home / "dbt/_library", command, files={"GATA_HUB_FILE": hub.settings.hub})


def test_a_run_of_a_part_leaves_the_rest_as_it_was_and_a_definition_is_written_when_it_changes(hub: Hub) -> None:
    before = hub.rows("select count(*) from model_artifacts__history")
    project = hub.settings.home / "dbt/_library"
    (project / "models/platform/platform_ops__collected_stars.sql").unlink()
    changed = project / "models/platform/stg_platform_observability__run_results.sql"
    changed.write_text(changed.read_text(encoding="utf-8") + "-- longer\n", encoding="utf-8")
    run_again(hub, "run", "--select", "stg_platform_observability__run_results platform_sat__tenant_logic_versions")
    counts = hub.rows("""select run.command, count(*) from run_results__current as result
        inner join invocations__history as run using (invocation_id)
        where resource_type = 'model' group by all order by all""")
    assert counts[1] == ("run", 2)
    assert counts[0][1] > 50
    assert hub.rows("select count(*) from model_artifacts__history") == [(before[0][0] + 1,)]
    assert hub.rows("""select count(*), count(distinct text_hash), count(distinct definition_hash)
        from model_artifacts__history where name = 'stg_platform_observability__run_results'""") == [(2, 2, 2)]
    gone = "select count(*) from {} where name = 'platform_ops__collected_stars'"
    assert hub.rows(gone.format("model_artifacts__current")) == [(0,)]
    assert hub.rows(gone.format("model_artifacts__history")) == [(1,)]


def test_whoever_runs_the_sql_passes_the_results_and_fills_the_same_tables(hub: Hub) -> None:
    results = [
        {
            "unique_id": "model.gata_library.connector_blueprints",
            "status": "success",
            "thread_id": "runner",
            "execution_time": 0.5,
            "message": 'it\'s "OK" – ü',
            "failures": None,
            "adapter_response": {},
            "timing": [
                {"name": "compile", "started_at": "2026-03-01T10:00:00Z", "completed_at": "2026-03-01T10:00:01.5Z"},
                {"name": "execute", "started_at": "2026-03-01T10:00:02Z", "completed_at": "2026-03-01T10:00:02.5Z"},
            ],
        }
    ]
    run_again(hub, "run-operation", "record_results", "--args", json.dumps({"results": results}))
    ((rows,),) = hub.rows("select count(*) from connector_blueprints")
    assert hub.rows("""select status, seconds, rows, message, thread, compile_seconds, started_at::varchar
        from run_results__current where name = 'connector_blueprints'""") == [
        ("success", 0.5, rows, 'it\'s "OK" – ü', "runner", 1.5, "2026-03-01 10:00:02")
    ]


def test_the_statistics_of_a_table_are_those_of_its_data_and_keep_no_text(hub: Hub) -> None:
    hub.write("delete from platform_ref__currencies where exponent > 2")
    ((rows, first),) = hub.rows("select rows, columns from int_platform_observability__md_table_stats"
        " where table_name = 'platform_ref__currencies'")  # fmt: skip
    assert rows > 100
    currency, exponent, _ = first
    assert rows / 2 < currency.pop("distinct_count") < rows * 2
    known = {"name": "currency", "type": "VARCHAR", "has_nulls": False, "nulls": 0, "longest": 3}
    assert currency == known | {"smallest": None, "largest": None}
    assert (exponent["smallest"], exponent["largest"], exponent["longest"]) == ("0", "3", None)
    assert hub.rows("select bool_and(bytes > 0) from int_platform_observability__md_table_stats where rows > 0") == [
        (True,)
    ]
    project = hub.settings.home / "dbt/_library"
    (project / "models/few.sql").write_text(
        "{{ config(materialized='table') }} select n, case when n > 2 then n end as half from range(5) as t (n)",
        encoding="utf-8",
    )
    run_again(hub, "run", "--select", "few")
    ((columns,),) = hub.rows("select columns from table_stats__current where table_name = 'few'")
    assert [(column["name"], column["nulls"], column["largest"]) for column in columns] == [
        ("n", 0, "4"),
        ("half", 3, "4"),
    ]


def test_every_observability_model_answers_and_every_one_is_described(hub: Hub) -> None:
    described = dict(
        hub.rows("""select name, description from int_platform_observability__model_definitions
        where layer = 'observability'""")
    )
    assert set(described) == {
        *(f"{kind}_platform_observability__{what}" for kind in ("src", "stg", "int") for what in SUBJECTS),
        *("int_platform_observability__md_table_stats", "int_platform_observability__source_candidate_map"),
    }
    assert all(described.values())
    for name in described:
        hub.rows(f"from {name}")
    assert hub.rows("select count(*) from int_platform_observability__model_definitions where test_count > 0") > [(8,)]
    assert hub.rows("""select children from int_platform_observability__model_definitions
        where name = 'platform_sat__source_schema_history'""") == [
        (["int_platform_observability__source_candidate_map", "platform_ops__source_table_candidate_registry"],)
    ]


SUBJECTS = ("model_definitions", "run_results", "test_results")


def test_old_invocations_go_and_what_is_so_now_stays(hub: Hub) -> None:
    kept = {table: hub.rows(f"select count(*) from {table}") for table in KEYS if table != "invocations__history"}
    old = LEAST_INVOCATIONS + 2
    hub.write(f"""
        update invocations__history set recorded_at = '2019-12-31', run_id = 'a';
        update run_results__history set recorded_at = '2019-12-31', run_id = 'a';
        update model_artifacts__history set recorded_at = '2019-12-31', run_id = 'a';
        insert into invocations__history by name
        select run.* replace ('old' || n as invocation_id, timestamp '2020-01-01' + to_days(n) as recorded_at)
        from invocations__history as run, range({old}) as days (n);
        insert into run_results__history by name
        select 'old' || n as invocation_id, 'model.gone' as node_id, '*' as tenant_slug, 'gata_library' as project,
            timestamp '2020-01-01' + to_days(n) as recorded_at
        from range({old}) as days (n)""")
    assert record_build([], hub.settings, since="z") == []
    assert hub.rows("select list(invocation_id order by recorded_at) from invocations__history") == [
        ([f"old{number}" for number in range(2, old)],)
    ]
    assert hub.rows("select list(invocation_id order by recorded_at) from run_results__history where name is null") == [
        ([f"old{number}" for number in range(2, old)],)
    ]
    hub.write("delete from run_results__history where name is null")
    assert {table: hub.rows(f"select count(*) from {table}") for table in kept} == kept


# The key of a record


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["'a'", "'b'"], ["'b'", "'a'"]),
        (["null", "'a'"], ["'a'", "null"]),
        (["null"], ["''"]),
        (["'a|b'"], ["'a'", "'b'"]),
    ],
)
def test_a_tenant_key_tells_null_from_empty_and_parts_from_each_other(one: list[str], other: list[str]) -> None:
    macros = [ROOT / "warehouse/macros/utils/md5_key.sql", ROOT / "warehouse/macros/onboarding/gen_tenant_key.sql"]
    template = jinja2.Environment().from_string("\n".join(path.read_text(encoding="utf-8") for path in macros))
    gen_tenant_key = template.make_module().gen_tenant_key  # type: ignore[attr-defined]  # macros are attributes
    ((first, second, again),) = duckdb.sql(
        f"select {gen_tenant_key(one)}, {gen_tenant_key(other)}, {gen_tenant_key(one)}"
    ).fetchall()
    assert first == again != second
    assert len(first) == 32
