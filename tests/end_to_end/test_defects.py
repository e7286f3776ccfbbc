"""The 25 defects of an earlier prototype: for each, the behaviour that is promised instead."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
import yaml

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenants_file import load_tenants
from pipeline.contracts.registry import blueprints
from pipeline.errors import ConfigError, QueryError
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from server.orchestration.run_history.status_snapshots import known_statuses
from server.orchestration.verbs import land_only, onboard_tenant
from server.serving.runs.published_runs import PublishedRuns
from server.serving.tools import relationships
from tests.end_to_end.project_fixture import Project
from tests.end_to_end.small_shop import SMALL_TENANT, write_jsonl, write_shop
from tests.end_to_end.three_stores import CHUNKS, DAYS, ROOT, STORES, TENANTS, TODAY, TWIN, TWIN_SPEND, Stores, opened
from tests.pipeline.raw_shop import CAMPAIGNS, EVENTS, ORDERS, SHOPS
from tests.pipeline.raw_shop import tenant as tenant_of
from tests.server.published_fixture import new_published_home
from warehouse.build.push import push
from warehouse.projects.tenant_files import onboard_files

Row = tuple[Any, ...]
CATALOG = load_catalog(ROOT / "supported_connectors.yaml")
BLUEPRINTS = blueprints(CATALOG)


@pytest.fixture
def sandbox(stores: Stores, tmp_path: Path) -> Callable[..., Project]:
    """A copy of the stores' hub in a home of its own, whose tenants.yaml says something else; the library is there."""

    def make(tenants: str, **more: Any) -> Project:
        settings = Settings(
            home=tmp_path / "state", tenants=tmp_path / "tenants.yaml", today=TODAY, **{"threads": 1} | more
        )
        settings.tenants.write_text(tenants, encoding="utf-8")
        for path in ("hub.duckdb", "dbt/_library.sha256"):
            (settings.home / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(stores.home / path, settings.home / path)
        return Project(settings)

    return make


@pytest.fixture(scope="module")
def nodes(stores: Stores) -> list[dict[str, Any]]:
    """What dbt did in the first build of the stores, node by node; `tenant` is * for the library."""
    with Ops(stores.project.settings.ops) as ops:
        return [{**row["node"], "tenant": row["tenant"]} for row in ops.artifacts(stores.builds[0]["run_id"])]


def asked(project: Project, sql: str, *values: object) -> list[Row]:
    with opened(project.settings.hub) as hub:
        return hub.execute(sql, values).fetchall()


@pytest.mark.long
def test_the_first_build_of_an_empty_folder_leaves_nothing_for_a_second(
    stores: Stores, nodes: list[dict[str, Any]]
) -> None:
    """1: the first onboarding failed on a model whose parent was never built."""
    assert stores.builds[0]["exit_code"] == 0
    built = {node["node_id"] for node in nodes if node["status"] == "success"}
    needed = {parent for node in nodes for parent in node["depends_on"] if parent.startswith(("model.", "seed."))}
    assert needed
    assert needed <= built


def test_generated_projects_read_nothing_but_this_hub(stores: Stores, nodes: list[dict[str, Any]]) -> None:
    """2: two tenants' sources named a database in the cloud, and their models failed."""
    sources = [
        (path.relative_to(stores.home).parts[1], source)
        for path in stores.home.glob("dbt/*/*/properties/**/*ources.yml")
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
    ]
    assert {slug for slug, _ in sources} == set(STORES)
    for slug, source in sources:
        assert source.get("database", "hub") == "hub"
        assert source["schema"] in ("main", f"landing_{slug}")
    assert {node["status"] for node in nodes} <= {"success", "pass", "warn", "no-op"}


def test_bringing_everything_in_again_doubles_nothing(stores: Stores, tmp_path: Path) -> None:
    """3: onboarding again doubled the facts; landing appended, and no version was the latest."""
    slug = "north_store"
    home = shutil.copytree(stores.home, tmp_path / "state")
    again = Project(stores.project.settings.model_copy(update={"home": home}))
    sinks = sorted(name for (name,) in stores.hub("select table_name from duckdb_tables()") if "platform_mm__" in name)
    counted = " union all ".join(
        f"select '{sink}', count(*) from {sink} where tenant_slug = '{slug}'" for sink in sinks
    )
    landed = f"select count(*) from landing_{slug}.shopify__orders"
    before, (number,) = asked(again, counted), asked(again, landed)[0]
    with duckdb.connect(str(again.settings.hub)) as hub:
        hub.execute(f"delete from landing_{slug}.landed_files")  # as if nothing had ever landed
    onboard_tenant(again.context, slug)
    report = land_only(again.context, [slug])
    assert (report.exit_code, asked(again, landed)) == (0, [(2 * number,)])
    push(again.context.manifest.get(slug), BLUEPRINTS, again.settings)
    assert asked(again, counted) == before
    ((versions, orders),) = asked(
        again,
        "select count(*), count(distinct tenant_skey) from platform_mm__shopify_api_v1_orders where tenant_slug = ?",
        slug,
    )
    assert versions > orders
    assert stores.star(slug, "select count(*), count(distinct order_id) from fct_orders") == [(orders, orders)]


QUIET_STORE = """
tenants:
  - slug: quiet_store
    business_name: Quiet Store
    sources:
      facebook_ads: {enabled: true, read: {kind: files, objects: {campaigns: ads/*.jsonl}}}
      shopify: {enabled: true, read: {kind: files, objects: {orders: shop/*.jsonl}}}
      mixpanel: {enabled: true, read: {kind: files, objects: {events: mixpanel/*.jsonl}}}
      amplitude: {enabled: true, read: {kind: files, objects: {events: amplitude/*.jsonl}}}
    analytics: mixpanel
"""


def test_purchases_that_appear_later_take_the_same_way_and_a_table_left_out_is_no_success(
    sandbox: Callable[..., Project], tmp_path: Path
) -> None:
    """4: a hash that was new once purchases existed left the table out, with one line in the log and exit code 0."""
    store = sandbox(QUIET_STORE, env="prod")
    noon = int(datetime(2026, 11, 18, 12, tzinfo=UTC).timestamp())
    for day, more in enumerate(({}, {"revenue": 9.5, "order_id": "77"})):
        said = {"distinct_id": "d", "time": noon + day * 86_400, "$insert_id": f"i{day}"}
        write_jsonl(tmp_path / f"mixpanel/{day}.jsonl", [{"event": "visit", "properties": said | more}])
        sent = {
            "uuid": f"u{day}",
            "event_type": "visit",
            "device_id": "d",
            "event_time": f"2026-11-1{8 + day} 12:00:00",
        }
        bought = {"event_properties": {"$revenue": 9.5, "order_id": "77"}} if more else {}
        write_jsonl(tmp_path / f"amplitude/{day}.jsonl", [sent | bought])
        assert land_only(store.context).exit_code == 0
    push(store.context.manifest.get("quiet_store"), BLUEPRINTS, store.settings)
    for platform in ("mixpanel", "amplitude"):
        pushed = f"""
            select count(*), count(distinct source_schema_hash),
                count(*) filter (where raw_data_payload::varchar like '%"order_id":"77"%')
            from platform_mm__{CATALOG[platform].master_model_id}_events where tenant_slug = 'quiet_store'"""
        assert asked(store, pushed) == [(2, 1, 1)], platform

    write_jsonl(tmp_path / "mixpanel/2.jsonl", [{"event": "visit", "properties": {"distinct_id": "d"}}] * 2)
    report = land_only(store.context)
    assert report.exit_code == 3
    assert "mixpanel.events of account main has drifted" in str(report.tenants[0].error)


@pytest.mark.parametrize("platform", sorted(CATALOG))
def test_every_table_that_a_connector_makes_models_read_is_there(stores: Stores, platform: str) -> None:
    """5: enabling Amazon broke the build of all tenants, for a model read a sink that did not exist."""
    tables = {name for (name,) in stores.hub("select table_name from duckdb_tables() where schema_name = 'main'")}
    read = [
        table["name"]
        for path, text in onboard_files(tenant_of(platform), BLUEPRINTS).items()
        if path.endswith("ources.yml")
        for source in yaml.safe_load(text)["sources"]
        if source["schema"] == "main"
        for table in source["tables"]
    ]
    assert len(read) > len(CATALOG[platform].objects)
    assert set(read) <= tables


def test_linkedin_spend_is_by_campaign_from_the_report_that_is_delivered(stores: Stores) -> None:
    """6: no campaign id, fields of another API, and an object that nobody ever delivered."""
    raw = stores.raw["west_store"].ask("""
        select id, sum(cost) from (
            select regexp_extract(pivotValues[1], 'sponsoredCampaign:(\\d+)$', 1) as id, dateRange as day,
                arg_max(costInLocalCurrency::decimal(18, 6), filename) as cost
            from linkedin_ads__ad_analytics_by_campaign group by all)
        group by all order by all""")
    fact = """
        select campaign_id, sum(spend) from fct_ad_performance
        where source_platform = 'linkedin_ads' and source_account = 'main' group by all order by all"""
    assert stores.star("west_store", fact) == raw
    named = stores.raw["west_store"].ask(
        f"select id::varchar from ({CAMPAIGNS['linkedin_ads']}) group by all order by all"
    )
    assert [campaign for campaign, _ in raw] == [campaign for (campaign,) in named]


def bought(stores: Stores, platform: str, moment: str = "moment") -> list[Row]:
    """Order and moment (UTC) of a platform's purchases, by its raw files."""
    sql = f"select distinct order_id, {moment} from ({EVENTS[platform]}) where name = 'purchase' order by all"
    return stores.raw[stores.store_of(platform)].ask(sql)


PURCHASES = "select order_id, occurred_at from fct_events where event_name = 'purchase' order by all"


def test_amplitude_events_have_their_orders_their_sources_and_their_time(stores: Stores) -> None:
    """7: no order id, no utm, and a time in text cast to a number."""
    found = stores.star("west_store", PURCHASES)
    assert len(found) > 10
    assert found == bought(stores, "amplitude")
    sources = f"select distinct source, medium, campaign from ({EVENTS['amplitude']}) where source is not null"
    visits = """
        select distinct traffic_source, traffic_medium, traffic_campaign from fct_sessions
        where traffic_source is not null order by all"""
    assert stores.star("west_store", visits) == stores.raw["west_store"].ask(f"{sources} order by all")


def test_a_visit_without_a_purchase_has_no_transaction(stores: Stores) -> None:
    """8: transaction_id was 'N/A' on every session."""
    ids = "select distinct transaction_id from fct_sessions where transaction_id is not null"
    orders = f"select distinct order_id from ({EVENTS['google_analytics']}) where order_id is not null"
    found = {row[0] for row in stores.star("north_store", ids)}
    assert found
    assert found <= {row[0] for row in stores.raw["north_store"].ask(orders)}
    without = """
        select count(*), count(transaction_id) from fct_sessions where session_id not in (
            select session_id from fct_events where event_name = 'purchase' and session_id is not null)"""
    ((visits, transactions),) = stores.star("north_store", without)
    assert (visits > 0, transactions) == (True, 0)


def test_seconds_of_mixpanel_are_days_of_this_week(stores: Stores) -> None:
    """9: milliseconds divided by a million were 1970."""
    found = stores.star("east_store", PURCHASES)
    assert len(found) > 10
    assert found == bought(stores, "mixpanel")
    assert all(TODAY - timedelta(days=DAYS + 1) < moment.date() < TODAY for _, moment in found)


def test_of_two_analytics_sources_the_named_one_feeds_sessions_and_the_other_is_kept_and_told(
    stores: Stores, tmp_path: Path
) -> None:
    """10: the first of the registry was taken, the other left out in silence."""
    assert stores.star("east_store", "select distinct source_platform from fct_sessions") == [("mixpanel",)]
    kept = "select count(*) > 100 from platform_mm__google_analytics_api_v1_events where tenant_slug = 'east_store'"
    assert stores.hub(kept) == [(True,)]
    said = "Sessions and events are those of mixpanel; the records of google_analytics stay in their sinks."
    assert said in stores.builds[0]["tenants"][0]["findings"]
    assert (
        said
        in {tenant["tenant"]: tenant for tenant in known_statuses(stores.project.settings)}["east_store"]["findings"]
    )
    (tmp_path / "tenants.yaml").write_text(TENANTS.replace("    analytics: mixpanel\n", ""), encoding="utf-8")
    with pytest.raises(ConfigError, match="east_store enables 2 analytics sources: google_analytics, mixpanel"):
        load_tenants(tmp_path / "tenants.yaml", CATALOG).get("east_store")


def test_no_two_stores_have_the_same_visits_and_orders(stores: Stores) -> None:
    """11: one constant seed gave two tenants the same users, sessions and times of orders."""
    for sql in (
        "select ordered_at from fct_orders",
        "select started_at from fct_sessions",
        "select user_pseudo_id from dim_users",
    ):
        values = [set(stores.star(slug, sql)) for slug in STORES]
        shared = sum(map(len, values)) - len(set.union(*values))
        assert shared * 50 < min(map(len, values)), sql  # two in one second may happen


GENERATE = """
import sys
from datetime import date
from pathlib import Path
from pipeline.config.connector_catalog import load_catalog
from pipeline.synthetic.generate import generate
from pipeline.config.tenants_file import load_tenants
tenants = load_tenants(Path(sys.argv[1]), load_catalog(Path("supported_connectors.yaml")))
for until, days in zip(sys.argv[3::2], sys.argv[4::2]):
    generate(tenants.get("west_store"), Path(sys.argv[2]), until=date.fromisoformat(until), days=int(days))
"""


def test_another_process_makes_up_the_same_bytes(stores: Stores, tmp_path: Path) -> None:
    """12: generators without a seed, uuid and hash() gave other data on every run."""
    chunks = [str(word) for chunk in CHUNKS for word in chunk]
    subprocess.run(
        [sys.executable, "-c", GENERATE, str(stores.project.settings.tenants), str(tmp_path), *chunks],
        env={**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        check=True,
    )
    made, known = (
        {path.relative_to(home): path.read_bytes() for path in (home / "synthetic/west_store").rglob("*.*")}
        for home in (tmp_path, stores.home)
    )
    assert len(made) > 2 * 15
    assert made == known


def test_levers_move_what_they_are_named_for(stores: Stores) -> None:
    """13: spend of Bing, number of products and orders, conversion rate and organic share were ignored."""
    north, east, west = (stores.raw[slug] for slug in ("north_store", "east_store", "west_store"))
    spent = """select sum(cost) from (select arg_max(Spend::double, filename) as cost
        from bing_ads__account_performance_report group by TimePeriod)"""
    assert west.one(spent) / DAYS == pytest.approx(300, rel=0.2)
    asked = ((north, "shopify", 7, 4), (east, "woocommerce", 20, 3), (west, "bigcommerce", 10, 6))
    for raw, platform, products, orders in asked:
        accounts = len({account for name, account, _ in raw.files if name == platform})
        assert raw.one(f"select count(distinct id) from {platform}__products") == products * accounts
        assert raw.one(f"select count(*) from ({ORDERS[platform]})") / DAYS == pytest.approx(orders, rel=0.4), platform
    rates = "select count(*) filter (where name = 'purchase') / count(*) filter (where name = 'session_start') from "
    assert west.one(f"{rates} ({EVENTS['amplitude']})") == pytest.approx(0.2, abs=0.06)
    for raw, analytics, platforms, share in (
        (east, "mixpanel", ("amazon_ads", "tiktok_ads"), 0.3),
        (west, "amplitude", ("bing_ads", "linkedin_ads"), 0.6),
    ):
        names = " union ".join(f"select name from ({CAMPAIGNS[platform]})" for platform in platforms)
        paid = f"count(*) filter (where campaign in ({names})) / count(*)"
        visits = f"select {paid} from ({EVENTS[analytics]}) where name = 'session_start'"
        assert raw.one(visits) == pytest.approx(share, abs=0.1), analytics


def test_logic_of_tenants_yaml_decides_the_numbers_of_its_own_tenant_alone(stores: Stores) -> None:
    """14: a tenant's logic was stored, and applied nowhere."""
    names = {"west_store": "add_to_cart", "north_store": "purchase", "east_store": "purchase"}
    for slug, name in names.items():
        converting = f"""
            select count(*), (select count(distinct session_id) from fct_events where event_name = '{name}')
            from fct_sessions where is_conversion_session"""
        ((flagged, meant),) = stores.star(slug, converting)
        assert flagged == meant > 0, slug
        steps = (
            "select count(*) from pragma_table_info('fct_sessions') where regexp_matches(name, '^funnel_step_\\d+$')"
        )
        assert stores.star(slug, steps) == [(3 if slug == "west_store" else 6,)]
    reached = """
        select count(*) filter (where funnel_step_2 > 0),
            (select count(distinct session_id) from fct_events where event_name = 'add_to_cart') from fct_sessions"""
    ((counted, meant),) = stores.star("west_store", reached)
    assert counted == meant
    conversions = """select source_platform, sum(conversions) > 0 from fct_ad_performance
        where source_platform in ('facebook_ads', 'instagram_ads') group by all order by all"""
    assert stores.star("north_store", conversions) == [("facebook_ads", True), ("instagram_ads", None)]


def bring_files(stores: Stores, project: Project) -> None:
    """Put the stores' hand-made and synthetic files beside another tenants.yaml."""
    for name in ("bing", "linkedin"):
        shutil.copytree(stores.home.parent / name, project.settings.tenants.parent / name)
    shutil.copytree(stores.home / "synthetic", project.settings.home / "synthetic")


def test_histories_keep_what_was_and_every_shape_says_whose_it_is(
    stores: Stores, sandbox: Callable[..., Project]
) -> None:
    """15: histories were made anew on each run, and the history of schemas was empty."""
    shapes = """
        select count(*), count(source_schema_hash), bool_and(len(observed_fields) > 0)
        from platform_sat__source_schema_history"""
    ((rows, hashes, are_filled),) = stores.hub(shapes)
    landed = sum(len(CATALOG[platform].objects) for sources in stores.enabled.values() for platform in sources)
    assert (rows >= landed, hashes, are_filled) == (True, rows, True)

    changed = sandbox(TENANTS.replace("conversion_events: [add_to_cart]", "conversion_events: [sign_up]"))
    bring_files(stores, changed)
    history = "select * from platform_sat__tenant_config_history order by all"
    before = set(map(str, asked(changed, history)))
    land_only(changed.context, ["west_store"])
    after = set(map(str, asked(changed, history)))
    open_now = asked(
        changed,
        """select source_object, logic ->> '$.conversion_events', valid_to is null
        from platform_sat__tenant_config_history
        where tenant_slug = 'west_store' and source_platform = 'amplitude' and source_object = 'events'
        order by valid_from""",
    )
    assert open_now == [("events", '["add_to_cart"]', False), ("events", '["sign_up"]', True)]
    assert (len(before - after), len(after - before)) == (1, 2)  # one closed, the same closed and a new one


def test_every_model_is_listed_with_the_sink_of_its_own_connector(stores: Stores) -> None:
    """16: lineage went by the end of a name, so Facebook's campaigns were LinkedIn's."""
    listed = stores.hub("""
        select tenant_slug, name, list_filter(depends_on, lambda parent: starts_with(parent, 'source.'))
        from model_artifacts__current where project like 'stars_%' and materialization = 'view'""")
    lineage = {(slug, name): parents for slug, name, parents in listed}
    for slug, sources in stores.enabled.items():
        for platform in sources:
            connector = CATALOG[platform]
            for name in connector.objects:
                parents = lineage[slug, f"int_{slug}__{platform}_{name}"]
                sink = f"platform_mm__{connector.master_model_id}_{name}"
                assert parents == [f"source.stars_{slug}.hub.{sink}"]


def test_the_books_know_every_tenant_from_its_first_run(stores: Stores) -> None:
    """17: three slugs stood in the code, healthy tenants were unknown and first runs missing."""
    run_id = stores.builds[0]["run_id"]
    seen = stores.hub("select distinct tenant_slug from run_results__history where run_id = ?", run_id)
    assert {slug for (slug,) in seen} == {"*", *STORES}
    published = stores.hub("select tenant_slug, run_id, len(metrics) > 20 from platform_ops__boring_semantic_layer")
    assert sorted(published) == [(tenant["tenant"], tenant["run_id"], True) for tenant in stores.builds[0]["tenants"]]
    shown = [(row["tenant"], row["run_id"], row["last_build"]) for row in known_statuses(stores.project.settings)]
    assert sorted(shown) == [(tenant["tenant"], tenant["run_id"], "done") for tenant in stores.builds[0]["tenants"]]
    for slug in STORES:
        ((users, customers, sessions),) = stores.star(
            slug, "select count(*), sum(is_customer::int), sum(total_sessions) from dim_users"
        )
        assert 0 < customers < users <= sessions
    code = [
        path.read_text(encoding="utf-8")
        for folder in ("pipeline", "warehouse", "semantic", "server")
        for path in (ROOT / folder).rglob("*.py")
    ]
    demo = [tenant["slug"] for tenant in yaml.safe_load((ROOT / "tenants.yaml").read_text(encoding="utf-8"))["tenants"]]
    assert len(demo) == 3
    assert not [slug for slug in demo for text in code if re.search(rf"[\"'(]{slug}[\"')]", text)]


def test_every_kind_of_measure_dates_and_joined_columns_answer_as_sql_does(stores: Stores) -> None:
    """18: max became SUM, dates were refused, joins useless, a negative limit a 500 and relationships missing."""
    slug = "north_store"
    ask = stores.project.ask
    answer = ask(slug, metrics=["session_users", "average_session_seconds", "sessions"])
    ((users, average, sessions),) = stores.star(
        slug, "select count(distinct user_key), avg(session_duration_seconds), count(*) from fct_sessions"
    )
    ((told_users, told_average, told_sessions),) = answer["rows"]
    assert (told_users, told_sessions) == (users, sessions)
    assert float(told_average) == pytest.approx(average)
    assert users < sessions
    for grain in ("day", "week", "month", "quarter", "year"):
        rows = ask(slug, metrics=["spend"], dimensions=["date"], time_grain=grain)["rows"]
        periods = f"select count(distinct date_trunc('{grain}', report_date)) from fct_ad_performance"
        assert [(len(rows),)] == stores.star(slug, periods)
    joined = """
        select campaign_name, sum(spend) from fct_ad_performance left join dim_campaigns using (campaign_key)
        group by all order by all"""
    rows = ask(slug, metrics=["spend"], dimensions=["campaign_name"], order_by=["campaign_name"])["rows"]
    assert [tuple(row) for row in rows] == stores.star(slug, joined)
    for limit in (-1, 0):
        with pytest.raises(QueryError, match="limit"):
            ask(slug, metrics=["spend"], limit=limit)
    runs = PublishedRuns(stores.project.settings)
    try:
        with runs.run(slug) as run:
            joins = relationships(run)
    finally:
        runs.close()
    assert joins
    for join in joins:
        lost = f"""select count(*) from {join["from"]} as f where {join["from_column"]} is not null and not exists (
            select 1 from {join["to"]} as t where t.{join["to_column"]} = f.{join["from_column"]})"""
        assert stores.star(slug, lost) == [(0,)], join


def test_nobody_enters_without_a_token_and_no_request_writes_the_configuration(tmp_path: Path) -> None:
    """19: no authentication, credentials for every origin, and open routes that wrote tenants.yaml with any slug."""
    published = new_published_home(tmp_path, "alpha")
    said = published.settings.tenants.read_bytes()
    entry = {"slug": "../../x'; drop table t; --", "business_name": "X"}
    with published.serving() as address, httpx.Client(base_url=address, timeout=120) as http:
        for method, path in (
            ("GET", "/catalog"),
            ("POST", "/semantic-layer/alpha/query"),
            ("POST", "/tenants/onboard"),
        ):
            assert http.request(method, path, json=entry).status_code == 401
        stranger = http.get("/health", headers={"Origin": "https://evil.example"})
        assert stranger.status_code == 403
        assert not [name for name in stranger.headers if name.startswith("access-control")]
        for path in ("/tenants/onboard", "/onboard", "/update", "/semantic-layer/update"):
            answer = http.post(path, json=entry, headers=published.headers("alpha"))
            assert 400 <= answer.status_code < 500
        for slug in ("..%2F..%2Fx", "alpha'--", "ALPHA"):
            assert http.get(f"/semantic-layer/{slug}", headers=published.headers("alpha")).status_code == 404
    assert published.settings.tenants.read_bytes() == said
    assert {path.name for path in tmp_path.iterdir()} == {"state", "tenants.yaml"}


def test_readers_are_answered_while_a_build_holds_the_hub(stores: Stores, tmp_path: Path) -> None:
    """20: a connection per request on the file that dbt writes locked both out."""
    home = tmp_path / "state"
    shutil.copytree(stores.home / "published", home / "published")
    settings = stores.project.settings.model_copy(update={"home": home})
    reader = Project(settings)
    shutil.copyfile(stores.home / "hub.duckdb", settings.hub)
    settings.stars("north_store").parent.mkdir(parents=True)
    shutil.copyfile(stores.project.settings.stars("north_store"), settings.stars("north_store"))
    with duckdb.connect(str(settings.hub)) as hub, duckdb.connect(str(settings.stars("north_store"))) as star:
        hub.execute("begin; create table half_way as select 1 as n")
        star.execute("begin; delete from fct_north_store__orders")
        assert reader.number("north_store", "orders") == stores.project.number("north_store", "orders") > 0


def test_campaigns_of_one_id_on_two_platforms_stay_two_and_no_spend_is_repeated(stores: Stores) -> None:
    """21: joins went by one column, and one id on two platforms would fan out."""
    slug = "west_store"
    assert stores.star(slug, f"select count(*) from dim_campaigns where campaign_id = '{TWIN}'") == [(2,)]
    answer = stores.project.ask(
        slug,
        metrics=["spend"],
        dimensions=["campaign_name"],
        filters=[{"name": "campaign_id", "op": "=", "value": str(TWIN)}],
        order_by=["campaign_name"],
    )
    assert [tuple(row) for row in answer["rows"]] == [
        ("Twin of Bing", Decimal(TWIN_SPEND["bing_ads"])),
        ("Twin of LinkedIn", Decimal(TWIN_SPEND["linkedin_ads"])),
    ]
    by_name = stores.project.ask(slug, metrics=["spend"], dimensions=["campaign_name"], limit=1000)["rows"]
    ((total,),) = stores.star(slug, "select sum(spend) from fct_ad_performance")
    assert sum(row[1] for row in by_name) == total == stores.project.number(slug, "spend")


def test_a_run_published_behind_the_servers_back_is_what_the_next_question_gets(tmp_path: Path) -> None:
    """22: caches were kept after dbt had run outside of the server."""
    published = new_published_home(tmp_path, "alpha")
    question = {"metrics": ["spend"]}
    own = published.headers("alpha")
    with published.serving() as address, httpx.Client(base_url=address, headers=own, timeout=120) as http:
        first, again = (http.post("/semantic-layer/alpha/query", json=question).json() for _ in range(2))
        assert first["rows"] == again["rows"]
        published.publish("alpha", spend=20)  # no word to the server: the pointer of the tenant moves, and that is all
        after = http.post("/semantic-layer/alpha/query", json=question).json()
    assert after["run_id"] != first["run_id"]
    assert after["rows"][0][0] == pytest.approx(2 * first["rows"][0][0], rel=1e-6)


def test_ci_runs_every_check_on_locked_packages(nodes: list[dict[str, Any]]) -> None:
    """23: CI ran one file of tests on whatever was installed, and dbt with no tests."""
    ci = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert [line.split()[:2] for line in ci if line.startswith("make ")] == [["make", "test"], ["make", "test-long"]]
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    checks = re.search(r"^lint: setup\n((?:\t.*\n)+)", make, re.MULTILINE)
    assert checks
    for check in ("ruff format --check", "ruff check", "mypy", "lint-imports", "sqlfluff lint"):
        assert f"$(BIN)/{check}" in checks[1]
    assert "\ntest: lint\n\t$(PYTEST) $(NOTED)\n" in make
    assert "\n\t$(PYTEST) --long -m long $(NOTED)\n" in make
    (pytest_line,) = [line for line in make.splitlines() if line.startswith("PYTEST :=")]
    assert re.fullmatch(
        r"PYTEST := \$\(BIN\)/pytest( -n \d+)?( --dist \w+)?", pytest_line
    )  # every test: no file, no -k
    assert "--require-hashes --requirement requirements.lock" in make
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^[\w.\[\],-]+==\S+(?: ;[^\\\n]*)? \\\n    --hash=sha256:", lock, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^\w", lock, re.MULTILINE)) > 50
    for slug in STORES:
        assert sum(node["kind"] == "test" and node["tenant"] == slug for node in nodes) > 40


BROKEN = """
  - slug: broken_store
    business_name: Broken Store
    sources:
      facebook_ads: {enabled: true}
      shopify: {enabled: true, generation: {daily_orders_mean: 5}}
      google_analytics: {enabled: true, generation: {conversion_rate: 0}}
"""


def test_a_tenant_whose_data_cannot_be_made_fails_by_name_and_the_command_with_it(
    sandbox: Callable[..., Project], tmp_path: Path
) -> None:
    """24: an exception was swallowed: a printed line, and exit code 0."""
    write_shop(tmp_path)
    both = sandbox(SMALL_TENANT + BROKEN)
    report = land_only(both.context)
    assert report.exit_code == 2
    tenants = {tenant.tenant: tenant for tenant in report.tenants}
    assert (tenants["broken_store"].status, tenants["small_shop"].status) == ("failed", "done")
    assert "broken_store asks for 5 orders a day of visits that never buy." in str(tenants["broken_store"].error)
    assert asked(both, "select count(*) from landing_small_shop.shopify__orders") == [(3,)]


def test_synthetic_records_have_the_hard_parts_of_the_apis(stores: Stores) -> None:
    """25: always dollars, no refunds, no time zones and nothing nested."""
    money = {
        currency
        for slug, platform in (("north_store", "shopify"), ("east_store", "woocommerce"), ("west_store", "bigcommerce"))
        for (currency,) in stores.raw[slug].ask(f"select distinct currency from ({ORDERS[platform]})")
    }
    assert money == {"USD", "EUR", "JPY", "KWD"}
    refunded = {
        platform: stores.raw[stores.store_of(platform)].one(f"select sum(refunded) from ({ORDERS[platform]})")
        for platform in SHOPS
    }
    assert max(refunded.values()) > 0
    offsets = {
        order["created_at"][-6:]
        for account in ("us", "eu")
        for order in stores.raw["north_store"].records("shopify", "orders", account)
    }
    assert offsets == {"-05:00", "+01:00"}
    nested = {
        ("north_store", "facebook_ads__facebook_insights", "actions"): "STRUCT(",
        ("north_store", "google_ads__ad_performance", "metrics"): "STRUCT(",
        ("north_store", "google_analytics__events", "event_params"): "STRUCT(",
        ("north_store", "shopify__orders", "line_items"): "STRUCT(",
        ("west_store", "linkedin_ads__ad_analytics", "dateRange"): "STRUCT(",
        ("west_store", "amplitude__events", "event_properties"): "STRUCT(",
        ("east_store", "mixpanel__events", "properties"): "STRUCT(",
        ("east_store", "tiktok_ads__ads_reports_daily", "metrics"): "STRUCT(",
        ("east_store", "woocommerce__orders", "meta_data"): "STRUCT(",
    }
    for (slug, table, column), begins in nested.items():
        assert stores.raw[slug].one(f"select typeof({column}) from {table} limit 1").startswith(begins), table
