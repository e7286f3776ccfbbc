"""A tenant of fewer domains: its own facts answer, those of the others are there and empty, and nothing is missed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from pipeline.publish.pointer import latest_run_id
from pipeline.publish.run_manifest import STARS
from semantic.planning.query import read_query
from server.mcp_server.guided.analyses import ANALYSES
from server.mcp_server.guided.guide import checked_guide
from server.orchestration.overview import plan_builds
from server.orchestration.run_history.status_snapshots import known_statuses
from server.serving import tools
from server.serving.call_context import CallContext
from server.serving.full_results import full_result_by_command
from server.serving.runs.published_runs import PublishedRuns
from tests.end_to_end.project_fixture import Project, open_project
from tests.end_to_end.small_shop import write_shop
from warehouse.projects.star_project import star_tables

pytestmark = pytest.mark.long  # builds three tenants of few domains

TENANTS = """
tenants:
  - slug: only_shop
    business_name: Only Shop
    currency: EUR
    domains: [ecommerce]
    sources:
      shopify: {enabled: true, read: {kind: files, objects: {orders: shop/orders*, products: shop/products*}}}
  - slug: no_shop
    business_name: No Shop
    currency: EUR
    domains: [ads, analytics]
    sources:
      facebook_ads:
        enabled: true
        read: {kind: files, objects: {campaigns: ads/campaigns*, facebook_insights: ads/insights*}}
      google_analytics: {enabled: true, read: {kind: files, objects: {events: web/events*}}}
  - slug: made_shop
    business_name: Made Shop
    domains: [ecommerce]
    sources: {shopify: {enabled: true, generation: {daily_orders_mean: 3}}}
  - slug: shut_shop
    business_name: Shut Shop
    domains: [ecommerce]
    sources: {shopify: {enabled: true, read: {kind: files, objects: {products: shop/products*}}}}
"""
EMPTY = {
    "only_shop": {"ad_performance", "refunds", "sessions", "events"},
    "no_shop": {"orders", "order_items", "refunds"},
    "made_shop": {"ad_performance", "sessions", "events"},
}


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("few")
    write_shop(folder)
    built = open_project(folder, TENANTS)
    built.build()
    return built


def state_of(home: Project, slug: str) -> dict[str, Any]:
    runs = PublishedRuns(home.settings)
    try:
        with runs.run(slug) as run:
            return tools.get_status(run)
    finally:
        runs.close()


@pytest.mark.parametrize("slug", EMPTY)
def test_facts_of_other_domains_are_there_in_their_types_and_empty(few: Project, slug: str) -> None:
    folder = few.settings.published(slug)
    with duckdb.connect(folder / str(latest_run_id(folder)) / STARS, read_only=True) as stars:
        for table in star_tables(few.context.manifest.get(slug)):
            name = table.table_name(slug)
            found = stars.execute(f"select column_name, column_type from (describe {name})").fetchall()
            assert dict(found) == {column.name: column.type for column in table.columns}
            if table.kind == "fct":
                (count,) = stars.execute(f"select count(*) from {name}").fetchall()[0]
                assert (count == 0) == (table.name in EMPTY[slug])


@pytest.mark.parametrize("slug", EMPTY)
def test_nothing_is_said_to_be_missing(few: Project, slug: str) -> None:
    told = state_of(few, slug)
    assert {fact["fact"] for fact in told["facts"] if not fact["rows"]} == EMPTY[slug]
    assert [note for note in told["notes"] if "were charged something else than goods" not in note] == []
    (listed,) = (each for each in known_statuses(few.settings) if each["tenant"] == slug)
    # no pattern names conversions, and these orders do not say what they are made of beside goods
    known = (
        "do not say conversions",
        "were charged something else than goods",
        "say shipping_amount",
        "say tax_amount",
    )
    missing = [said for said in listed["findings"] if not any(each in said for each in known)]
    assert (listed["last_build"], missing) == ("done", [])
    (planned,) = (each for each in plan_builds(few.context) if each["tenant"] == slug)
    assert (planned["action"], planned["reasons"]) == ("unchanged", [])


def test_its_own_facts_answer_and_a_question_about_another_domain_counts_nothing(few: Project) -> None:
    assert few.number("only_shop", "orders") == 3
    assert few.number("only_shop", "order_revenue") == Decimal("60.75")
    assert few.number("no_shop", "spend") == Decimal("18.25")
    assert few.number("no_shop", "sessions") == 3
    assert few.number("made_shop", "orders") > 0
    spend = few.ask("only_shop", metrics=["spend"])
    assert (spend["rows"], spend["notes"]) == ([[None]], ["ad_performance has no rows yet."])
    both = few.ask("only_shop", metrics=["orders", "spend"], dimensions=["date"], time_grain="month")
    assert [row[1:] for row in both["rows"]] == [[3, None]]


@pytest.mark.parametrize("slug", EMPTY)
def test_guided_analyses_ask_for_nothing_that_the_tenant_has_not(few: Project, slug: str) -> None:
    runs = PublishedRuns(few.settings)
    try:
        with runs.run(slug) as run, run.cursor() as cursor:
            for guide in ANALYSES:
                call = CallContext(run, cursor, few.settings, full_result_by_command(few.settings))
                steps = checked_guide(guide.write(run.model.catalog, {}), call).steps
                assert steps
                for step in steps:
                    metrics = step.arguments.get("metrics", [step.arguments.get("metric")])
                    assert not {fact for name in metrics for fact in run.model.catalog.facts_of(name)} & EMPTY[slug]
                    if step.tool == "query":
                        tools.query(run, read_query(step.arguments), cursor, few.settings)
    finally:
        runs.close()


def test_a_fact_that_is_empty_though_the_tenant_has_its_domain_is_still_said(few: Project) -> None:
    way = "Deliver its source, or leave the domain out of `domains:` in tenants.yaml."
    notes = [f"{fact} has 0 rows. {way}" for fact in ("orders", "order_items")]
    assert state_of(few, "shut_shop")["notes"] == notes
