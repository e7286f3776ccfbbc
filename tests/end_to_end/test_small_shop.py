"""Answers for a small shop, and for the same shop with a record less, restated, damaged or renamed."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest
import structlog

from pipeline.gates.gate_result import GateStatus, read_results, results_file
from pipeline.storage.hub import write_hub
from pipeline.storage.ops import Ops
from server.orchestration.overview import plan_builds
from tests.end_to_end.project_fixture import Project, copy_project, open_project
from tests.end_to_end.small_shop import EVENTS, INSIGHTS, ORDERS, SMALL_TENANT, insight, order, write_jsonl, write_shop
from tests.server.cli_run import Terminal

SHOP = "small_shop"
ASKED = ["orders", "order_revenue", "spend", "ad_conversions", "sessions", "session_revenue", "units_sold", "margin"]


def asked(home: Project) -> dict[str, object]:
    answer = home.ask(SHOP, metrics=ASKED)
    return dict(zip(ASKED, answer["rows"][0], strict=True))


def test_the_numbers_are_those_of_the_files(small: Project) -> None:
    assert asked(small) == {
        "orders": 3,
        "order_revenue": Decimal("60.75"),
        "spend": Decimal("18.25"),
        "ad_conversions": 6,
        "sessions": 3,
        "session_revenue": Decimal("30.5"),
        "units_sold": 6,
        "margin": Decimal("42.5"),
    }


def test_roas_is_attributed_revenue_over_spend_and_unattributed_rows_stay_visible(small: Project) -> None:
    answer = small.ask(
        SHOP, metrics=["roas", "spend", "sessions"], dimensions=["campaign_name"], order_by=["campaign_name"]
    )
    rows = {row[0]: row[1:] for row in answer["rows"]}
    assert rows["Spring"][1:] == [Decimal("11.25"), 3]
    assert float(rows["Spring"][0]) == pytest.approx(30.5 / 11.25)
    assert [float(value) for value in rows["Summer"]] == [0.0, 7.0, 0.0]


def test_an_order_takes_its_session_from_its_purchase_event(small: Project) -> None:
    answer = small.ask(SHOP, metrics=["orders"], dimensions=["attribution", "traffic_source"], order_by=["-orders"])
    assert [list(row) for row in answer["rows"]] == [["matched", "facebook", 2], ["none", None, 1]]


def test_deleting_any_record_changes_the_answer_that_depends_on_it(tmp_path: Path, small: Project) -> None:
    write_shop(tmp_path, orders=ORDERS[:-1], insights=INSIGHTS[1:], events=EVENTS[:2] + EVENTS[4:])
    less = open_project(tmp_path, SMALL_TENANT)
    less.build()
    before, after = asked(small), asked(less)
    assert before["order_revenue"] - after["order_revenue"] == Decimal("30.25")  # type: ignore[operator]
    assert before["spend"] - after["spend"] == Decimal("5.00")  # type: ignore[operator]
    assert before["session_revenue"] - after["session_revenue"] == Decimal(20)  # type: ignore[operator]
    assert (before["orders"], after["orders"], before["sessions"], after["sessions"]) == (3, 2, 3, 2)


def test_later_exports_restate_rename_and_withdraw(tmp_path: Path, small: Project) -> None:
    shop = copy_project(small, tmp_path)
    first = shop.ask(SHOP, metrics=["orders"])["run_id"]

    (tmp_path / "shop/orders.jsonl").rename(tmp_path / "shop/orders_again.jsonl")  # the same content: nothing new
    changed = [order(1, "11.50", updated="2026-03-09T10:00:00+01:00"), order(4, "40.00")]
    write_jsonl(tmp_path / "shop/orders_later.jsonl", changed)
    write_jsonl(tmp_path / "ads/insights_later.jsonl", [insight("1", "5.50")])  # of 2 March: campaign 2 is gone from it
    report = shop.build()

    assert report.tenants[0].status == "published"
    after = asked(shop)
    assert (after["orders"], after["order_revenue"]) == (4, Decimal("101.75"))
    assert after["spend"] == Decimal("5.50") + Decimal("6.25")
    assert shop.ask(SHOP, metrics=["orders"])["run_id"] != first


def test_what_cannot_be_read_is_quarantined_by_name_and_the_rest_counts(tmp_path: Path, small: Project) -> None:
    shop = copy_project(small, tmp_path)
    good = (tmp_path / "shop/orders.jsonl").read_bytes()
    (tmp_path / "shop/orders_cut.jsonl.gz").write_bytes(gzip.compress(good * 50)[:-20])
    (tmp_path / "shop/orders_empty.jsonl").write_bytes(b"")
    damaged = [
        json.dumps(order(5, "abc")),
        "{not json",
        json.dumps({"total_price": "1.00"}),
        json.dumps(order(6, "60.00")),
    ]
    (tmp_path / "shop/orders_damaged.jsonl").write_text("\n".join(damaged), encoding="utf-8")
    report = shop.build()

    assert asked(shop)["order_revenue"] == Decimal("120.75")
    assert report.tenants[0].quarantined == 5
    with Ops(shop.settings.ops) as ops:
        reasons = {(Path(row["path"]).name, row["reason"]) for row in ops.quarantine(SHOP)}
    assert ("orders_damaged.jsonl", "total_price: 'abc' is not a number") in reasons
    assert ("orders_damaged.jsonl", "id is missing") in reasons
    assert {name for name, _ in reasons} == {"orders_cut.jsonl.gz", "orders_empty.jsonl", "orders_damaged.jsonl"}


@pytest.mark.long
def test_a_gate_that_fails_in_prod_keeps_the_last_run_and_goes_on_refusing(tmp_path: Path, small: Project) -> None:
    shop = copy_project(small, tmp_path, env="prod")
    write_jsonl(tmp_path / "shop/orders_bad.jsonl", [order(7, "x"), order(8, "80.00")])
    from server.orchestration.verbs import build

    for _ in range(2):
        report = build(shop.context)
        assert (report.exit_code, report.tenants[0].status) == (3, "failed")
        assert asked(shop)["orders"] == 3
    file = results_file(shop.settings, report.run_id, report.tenants[0].tenant)
    failed = {each.gate for each in read_results(file) if each.status is GateStatus.FAILED}
    assert (failed, file.stat().st_mode & 0o777) == ({"quarantine_share", "pass_rate"}, 0o600)
    local = copy_project(shop, tmp_path / "local", env="local")
    local.build()  # the same data, and exit code 0
    assert asked(local)["orders"] == 4
    write_jsonl(tmp_path / "shop/orders_bad.jsonl", [order(7, "70.00"), order(8, "80.00")])
    shop.build()
    assert asked(shop)["order_revenue"] == Decimal("210.75")


@pytest.mark.long
def test_a_build_that_may_not_publish_stops_at_checked_stars_until_somebody_publishes(
    tmp_path: Path, small: Project
) -> None:
    shop = copy_project(small, tmp_path, publish=False)
    write_jsonl(tmp_path / "shop/orders_more.jsonl", [order(8, "80.00")])
    from server.orchestration.verbs import publish_only

    stars = []
    for _ in range(2):  # the second time there is nothing to rebuild
        (report,) = shop.build().tenants
        assert (report.status, asked(shop)["orders"]) == ("done", 3)
        assert any("`gata publish --tenant small_shop`" in finding for finding in report.findings)
        stars.append(shop.settings.stars(SHOP).stat().st_mtime_ns)
    assert stars[0] == stars[1]
    (published,) = publish_only(shop.context).tenants
    assert (published.status, asked(shop)["orders"]) == ("published", 4)
    assert not any("Publishing is off" in finding for finding in published.findings)
    assert shop.build().tenants[0].status == "unchanged"


def test_one_bad_tenant_never_stops_the_others(tmp_path: Path) -> None:
    write_shop(tmp_path)
    other = (
        SMALL_TENANT.split("tenants:\n")[1]
        .replace("small_shop", "bad_shop")
        .replace("order_revenue - spend", "nothing - spend")
    )
    both = open_project(tmp_path, SMALL_TENANT + other)
    from server.orchestration.verbs import build

    report = build(both.context)
    assert {tenant.tenant: tenant.status for tenant in report.tenants} == {
        "bad_shop": "failed",
        "small_shop": "published",
    }
    assert report.exit_code == 2
    assert "nothing" in report.to_dict()["tenants"][0]["findings"][-1]
    assert asked(both)["orders"] == 3


def test_an_export_of_another_vendors_library_builds_or_is_quarantined_by_name(
    tmp_path: Path, small: Project, real_data: Path
) -> None:
    shop = copy_project(small, tmp_path)
    (tmp_path / "shop/orders_fivetran.csv").write_bytes(
        (real_data / "shopify/fivetran/shopify_gql_order_data.csv").read_bytes()
    )
    report = shop.build()
    rows = report.tenants[0].rows["platform_mm__shopify_api_v1_orders"]
    with Ops(shop.settings.ops) as ops:
        (kept_out,) = ops.quarantine(SHOP)  # the file as one: no column of it is a total that the contract knows
    assert rows == 3
    assert (Path(kept_out["path"]).name, kept_out["count"]) == ("orders_fivetran.csv", 1)
    assert "total_price_set_pres_amount, which it does not know, came in 9 of 9 records" in kept_out["reason"]


def test_every_step_that_moves_rows_says_how_many(small: Project) -> None:
    with Ops(small.settings.ops) as ops:
        steps = {step["step"]: step["rows_out"] for step in ops.steps(ops.runs()[0]["run_id"])}
    made = 3 + 3 + 3 + 3 + 5 + 2 + 3 + 1  # insights, orders, their items, sessions, events; campaigns, users, products
    landed = len(ORDERS) + len(INSIGHTS) + len(EVENTS) + 2 + 1  # and two campaigns, one product
    assert steps == {"words": None, "onboard": None, "land": landed, "push": landed, "stars": made, "publish": made}


def test_every_event_of_a_build_names_its_run(
    tmp_path: Path, small: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = copy_project(small, tmp_path)
    write_jsonl(tmp_path / "shop/orders_later.jsonl", [order(4, "40.00"), order(5, "many"), order(4, "40.00")])
    with Terminal(monkeypatch, capsys) as gata:
        done = gata.use(shop.settings)("build", "--json")
    run_id = json.loads(done.out)["run_id"]
    events = [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]
    assert {event["event"] for event in events} == {"step_began", "landed"}
    assert [event for event in events if event.get("run_id") != run_id] == []
    assert structlog.contextvars.get_contextvars() == {}
    with Ops(shop.settings.ops) as ops:
        steps = {step["step"]: step for step in ops.steps(run_id)}
        records = ops.audit_records(run_id)
    counts = ("rows_in", "rows_out", "quarantined")
    assert [tuple(steps[name][count] for count in counts) for name in ("land", "push")] == [(3, 2, 1), (2, 1, 0)]
    assert steps["land"]["bytes"] == (tmp_path / "shop/orders_later.jsonl").stat().st_size
    columns = ("input_rows", "output_rows", "quarantine_rows", "lost_rows", "quality_checks_passed")
    landed, pushed, *published = [tuple(record[column] for column in columns) for record in records]
    assert (landed, pushed) == ((3, 2, 1, 0, False), (2, 1, 0, 1, True))  # a third of the records is too much
    assert sum(record[1] for record in published) == steps["publish"]["rows_out"]
    assert {(record[0] - record[1], *record[2:]) for record in published} == {(0, 0, 0, True)}
    files = sorted((shop.settings.run_folder(run_id, SHOP) / "audit").glob("*.json"))
    assert sorted(json.loads(file.read_text())["input_rows"] for file in files) == sorted(
        r["input_rows"] for r in records
    )


def reasons(home: Project) -> list[str]:
    """Why the next build of the shop would do something."""
    (line,) = plan_builds(home.context)
    assert line["action"] == ("build" if line["reasons"] else "unchanged")
    found: list[str] = line["reasons"]
    return found


def test_the_plan_names_what_is_gone_and_the_build_makes_it_again(small: Project, tmp_path: Path) -> None:
    home = copy_project(small, tmp_path)
    published = home.settings.published(SHOP)
    published.rename(tmp_path / "elsewhere")
    assert reasons(home)[0].startswith("none of its runs is published: run 2026")
    (tmp_path / "elsewhere").rename(published)
    home.settings.hub.unlink()
    assert reasons(home) == ["the hub is gone: all its sources are landed again"]
    with write_hub(home.settings) as hub:
        hub.execute("create table platform_ops__unfinished as select 1 as one")
    assert reasons(home)[0].startswith("the hub cannot be read: Catalog Error")
    home.settings.hub.unlink()
    (report,) = home.build().tenants
    assert report.status == "published"
    assert (asked(home), reasons(home)) == (asked(small), [])


def test_the_plan_of_a_shop_without_a_note_of_its_last_publish_does_not_say_that_it_was_never_published(
    small: Project, tmp_path: Path
) -> None:
    home = copy_project(small, tmp_path)
    home.settings.stars(SHOP).with_name("built.json").write_text("{", encoding="utf-8")
    (reason,) = reasons(home)
    assert reason.startswith("it is not known what run 2026")
    assert reasons(open_project(tmp_path / "empty", SMALL_TENANT, bare=True)) == ["it has never been published"]
