"""The logic of a tenant changes, and the numbers of an earlier logic come back: built apart, then published by name."""

from __future__ import annotations

import json
from decimal import Decimal

import duckdb
import pytest

from pipeline.errors import ConfigError, PublishError
from pipeline.publish.pointer import latest_run_id, run_ids
from pipeline.publish.run_files import DEFINITIONS
from pipeline.storage.ops import Ops
from server.orchestration.verbs import build, publish_only, transform
from tests.end_to_end.project_fixture import Project, open_project
from tests.end_to_end.small_shop import SMALL_TENANT, write_shop
from tests.server.cli_run import Terminal
from warehouse.projects.logic_versions import logic_hash

pytestmark = pytest.mark.long  # builds a shop of each logic

SHOP = "small_shop"
ASKED = ["converting_sessions", "orders", "order_revenue", "ad_conversions", "sessions"]
FIRST = dict(zip(ASKED, [2, 3, Decimal("60.75"), 6, 3], strict=True))
SECOND = dict(zip(ASKED, [3, 2, Decimal("50.25"), 6, 3], strict=True))

PURCHASES = {"conversion_events": ["purchase"]}
ANYTHING = {"conversion_events": ["purchase", "page_view"]}
LARGE = {"filters": [{"field": "total_price", "op": ">=", "value": 20}]}


def tenants(events: dict[str, object], orders: dict[str, object]) -> str:
    """tenants.yaml with the logic of two tables."""
    said = SMALL_TENANT
    for name, place, logic in (
        ("events", "objects: {events: web/events*.jsonl}}", events),
        ("orders", "objects: {orders: shop/orders*, products: shop/products*}}", orders),
    ):
        assert place in said
        said = said.replace(place, f"{place}\n        tables: [{{name: {name}, logic: {json.dumps(logic)}}}]")
    return said


def say(shop: Project, events: dict[str, object], orders: dict[str, object]) -> None:
    shop.settings.tenants.write_text(tenants(events, orders), encoding="utf-8")


def asked(shop: Project) -> dict[str, object]:
    return dict(zip(ASKED, shop.ask(SHOP, metrics=ASKED)["rows"][0], strict=True))


def versions(shop: Project) -> list[str]:
    """The versions of the shop's whole logic, oldest first."""
    with duckdb.connect(str(shop.settings.hub), read_only=True) as hub:
        rows = hub.execute(
            "select logic_version from platform_sat__tenant_logic_versions order by valid_from"
        ).fetchall()
    return [version for (version,) in rows]


def seen(shop: Project) -> str | None:
    """The run that readers see."""
    return latest_run_id(shop.settings.published(SHOP))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A shop that was published with one logic, and then with another."""
    folder = tmp_path_factory.mktemp("logic")
    write_shop(folder)
    built = open_project(folder, tenants(PURCHASES, {}), bare=True)
    built.build()
    assert asked(built) == FIRST
    say(built, ANYTHING, LARGE)
    built.build()
    assert asked(built) == SECOND
    return built


@pytest.fixture(scope="module")
def waiting(shop: Project) -> str:
    """An unpublished run with the first logic: readers see nothing of it."""
    before = seen(shop)
    report = transform(shop.context, [SHOP], logic_version=versions(shop)[0]).tenants[0]
    assert (report.status, seen(shop), asked(shop)) == ("unpublished", before, SECOND)
    return str(report.run_id)


def test_one_tables_earlier_logic_leaves_the_others_as_they_are(
    shop: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = seen(shop)
    with Terminal(monkeypatch, capsys) as gata:
        gata.use(shop.settings)
        made = gata("transform", "--tenant", SHOP, "--logic-version", logic_hash(PURCHASES), "--json")
        (tenant,) = json.loads(made.out)["tenants"]
        assert (made.code, tenant["status"]) == (0, "unpublished")
        done = gata("publish", "--run", tenant["run_id"])
        assert (done.code, tenant["run_id"] in done.out, "published" in done.out) == (0, True, True)
        assert asked(shop) == SECOND | {"converting_sessions": FIRST["converting_sessions"]}
        assert gata("rollback", "--tenant", SHOP).out.strip() == before
    assert asked(shop) == SECOND
    with Ops(shop.settings.ops) as ops:
        steps = [ops.steps(run["run_id"])[-1] for run in ops.runs(limit=2)]
    assert [step["step"] for step in steps] == ["publish", "stars"]
    # of one star, without the order that is not large and its item
    assert steps[0]["rows_out"] == steps[1]["rows_out"] == 21


def test_intermediate_rows_join_the_history_by_the_hash_of_their_logic(shop: Project, waiting: str) -> None:
    joined = f"""
        select distinct view.logic_hash, logic.logic::varchar, logic.valid_to is null
        from int_{SHOP}__shopify_orders as view
        inner join hub.platform_sat__tenant_config_history as logic
            on logic.tenant_slug = '{SHOP}' and logic.source_platform = 'shopify' and logic.source_object = 'orders'
            and logic.logic_hash = view.logic_hash"""
    folder = shop.settings.stars(SHOP).parent
    for file, logic, is_now in (("stars.duckdb", LARGE, True), (f"runs/{waiting}/stars.duckdb", {}, False)):
        with duckdb.connect(str(folder / file), read_only=True) as star:
            star.execute(f"attach '{shop.settings.hub}' as hub (read_only)")
            assert star.execute(joined).fetchall() == [
                (logic_hash(logic), json.dumps(logic, separators=(",", ":")), is_now)
            ]


def test_the_books_list_every_published_run_and_keep_replays_apart(shop: Project, waiting: str) -> None:
    with duckdb.connect(str(shop.settings.hub), read_only=True) as hub:
        listed = hub.execute("select run_id, metrics, dimensions from platform_ops__boring_semantic_layer").fetchall()
        projects = {name for (name,) in hub.execute("select distinct project from model_artifacts__history").fetchall()}
        counted = hub.execute(
            "select name, rows from run_results__current where project = 'stars_small_shop'"
        ).fetchall()
    assert {run_id for run_id, *_ in listed} == set(run_ids(shop.settings.published(SHOP)))
    assert waiting not in {run_id for run_id, *_ in listed}
    assert all("spend" in metrics and "campaign_name" in dimensions for _, metrics, dimensions in listed)
    assert projects == {"gata_library", "push_small_shop", "stars_small_shop", "replay_small_shop"}
    assert dict(counted)["fct_small_shop__orders"] == SECOND["orders"]


def test_what_is_not_there_is_named_with_what_is(shop: Project, waiting: str) -> None:
    with pytest.raises(ConfigError, match="belongs to one tenant"):
        transform(shop.context, logic_version=versions(shop)[0])
    report = transform(shop.context, [SHOP], logic_version="0" * 32)
    assert report.exit_code == 2
    assert versions(shop)[0] in str(report.tenants[0].error)
    for wrong in ("nowhere", "../../published", waiting[:-1]):
        with pytest.raises(PublishError, match=f"There is no unpublished run .* Choose one of: {waiting}"):
            publish_only(shop.context, run_id=wrong)


def test_an_unpublished_run_whose_definitions_a_disk_damaged_is_not_published(shop: Project, waiting: str) -> None:
    before, file = seen(shop), shop.settings.stars(SHOP).with_name("runs") / waiting / DEFINITIONS
    sound = file.read_bytes()
    for damaged in (sound.replace(b"revenue", b"revenuf", 1), b"\x9a" + sound[1:]):
        file.write_bytes(damaged)
        report = publish_only(shop.context, run_id=waiting).tenants[0]
        assert "are damaged. Make it again with `gata transform --tenant small_shop" in str(report.error)
    file.write_bytes(sound)
    assert seen(shop) == before


def test_the_old_logic_gives_the_old_numbers_once_its_run_is_published(shop: Project, waiting: str) -> None:
    before = versions(shop)
    published = publish_only(shop.context, run_id=waiting).tenants[0]
    assert (published.status, published.run_id) == ("published", waiting)
    assert (seen(shop), asked(shop)) == (waiting, FIRST)
    with pytest.raises(PublishError, match=f"published already. Run `gata rollback .* --to {waiting}"):
        publish_only(shop.context, run_id=waiting)

    assert shop.build().tenants[0].status == "unchanged"  # like a rollback: it stays until something is new
    assert asked(shop) == FIRST
    shop.build(full=True)
    assert asked(shop) == SECOND
    assert versions(shop) == before


def test_publishing_alone_publishes_what_was_built_and_a_later_change_is_still_a_change(shop: Project) -> None:
    say(shop, PURCHASES, {})
    transform(shop.context)
    say(shop, ANYTHING, LARGE)
    assert publish_only(shop.context).tenants[0].status == "published"
    assert asked(shop) == FIRST
    assert shop.build().tenants[0].status == "published"
    assert asked(shop) == SECOND


def test_a_star_that_fails_is_in_the_books_and_publishing_alone_refuses_what_is_left_of_it(shop: Project) -> None:
    def rename(column: str, to: str) -> None:
        with duckdb.connect(str(shop.settings.hub)) as hub:
            hub.execute(f"alter table platform_mm__shopify_api_v1_products rename column {column} to {to}")

    before = seen(shop)
    rename("raw_data_payload", "elsewhere")
    failed = build(shop.context, full=True)
    rename("elsewhere", "raw_data_payload")
    assert (failed.exit_code, seen(shop)) == (2, before)
    with duckdb.connect(str(shop.settings.hub), read_only=True) as hub:
        errors = hub.execute(
            "select name from run_results__current where status = 'error' and run_id = ?", [failed.run_id]
        ).fetchall()
    assert errors == [("int_small_shop__shopify_products",)]

    refused = publish_only(shop.context)
    assert (refused.exit_code, seen(shop)) == (2, before)
    assert "has no finished star. Run `gata transform" in str(refused.tenants[0].error)


def test_a_build_onboards_who_was_not(shop: Project) -> None:
    with Ops(shop.settings.ops) as ops:
        assert [row["status"] for row in ops.onboarding(SHOP)] == ["done"] * 6
