"""A table that drifts stands still and everything else goes on: with a note in local, without publishing in prod."""

from __future__ import annotations

import re
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipeline.storage.ops import Ops
from server.orchestration.build_report import TenantReport
from server.orchestration.verbs import build, land_only
from tests.end_to_end.project_fixture import Project, copy_project
from tests.end_to_end.small_shop import EVENTS, SMALL_TENANT, insight, order, write_jsonl

SHOP, OTHER = "small_shop", "other_shop"
BOTH = SMALL_TENANT + SMALL_TENANT.split("tenants:\n")[1].replace(SHOP, OTHER).replace("shop/", "other/")
DRIFT = (
    "shopify.orders of account main has drifted: the contract says that id is in every record; none came "
    "(new, and unknown to it: order_id) in 2 of 2 records, since orders_2026-03-04.jsonl."
)


LATER = [order(4, "40.00"), order(5, "50.00")]


def drifting(small: Project, folder: Path, env: str, tenants: str) -> Project:
    """A published shop, whose orders lose their key, while its ads and the other shop's orders go on."""
    shops = copy_project(small, folder, tenants=tenants, env=env)
    shutil.copytree(folder / "shop", folder / "other")
    write_jsonl(folder / "other/orders_2026-03-04.jsonl", LATER)
    lost = [{("order_id" if name == "id" else name): value for name, value in row.items()} for row in LATER]
    write_jsonl(folder / "shop/orders_2026-03-04.jsonl", lost)
    write_jsonl(folder / "ads/insights_2026-03-04.jsonl", [insight("1", "1.00", day="2026-03-04")])
    return shops


def reported(shops: Project) -> tuple[int, dict[str, TenantReport]]:
    report = build(shops.context)
    return report.exit_code, {tenant.tenant: tenant for tenant in report.tenants}


def orders_and_spend(shops: Project, slug: str) -> tuple[int, Decimal]:
    ((orders, spend),) = shops.ask(slug, metrics=["orders", "spend"])["rows"]
    return orders, spend


def about_drift(tenant: TenantReport) -> list[str]:
    return [
        finding for finding in tenant.findings if finding.startswith("shopify.orders") and "quarantine" not in finding
    ]


@pytest.mark.long
def test_in_local_the_tenant_is_published_without_the_new_rows_of_that_table(tmp_path: Path, small: Project) -> None:
    shop = drifting(small, tmp_path, "local", SMALL_TENANT)
    code, tenants = reported(shop)
    assert (code, tenants[SHOP].status) == (0, "published")
    assert orders_and_spend(shop, SHOP) == (3, Decimal("19.25"))
    said, note = about_drift(tenants[SHOP])
    assert said == DRIFT
    assert re.fullmatch(
        r"shopify.orders of account main: 1 new file is withheld until orders_2026-03-04.jsonl is mended or gone; "
        r"its rows are as of \d{4}-\d\d-\d\d\.",
        note,
    )
    with Ops(shop.settings.ops) as ops:
        kept = [(Path(row["path"]).name, row["reason"], row["count"]) for row in ops.quarantine(SHOP)]
    assert kept == [("orders_2026-03-04.jsonl", "id is missing", 2)]

    code, tenants = reported(shop)
    assert (code, tenants[SHOP].status, about_drift(tenants[SHOP])) == (0, "unchanged", [said, note])

    write_jsonl(tmp_path / "shop/orders_2026-03-04.jsonl", LATER)
    code, tenants = reported(shop)
    assert (code, tenants[SHOP].status, about_drift(tenants[SHOP])) == (0, "published", [])
    assert orders_and_spend(shop, SHOP) == (5, Decimal("19.25"))


def test_in_prod_the_tenant_is_not_published_and_the_others_are(tmp_path: Path, small: Project) -> None:
    shops = drifting(small, tmp_path, "prod", BOTH)
    code, tenants = reported(shops)
    assert (code, tenants[SHOP].status, tenants[OTHER].status) == (3, "failed", "published")
    assert about_drift(tenants[SHOP])[0] == DRIFT
    assert f"{SHOP} is not published: {DRIFT}" in str(tenants[SHOP].error)
    assert about_drift(tenants[OTHER]) == []
    assert orders_and_spend(shops, SHOP) == (3, Decimal("18.25"))
    assert orders_and_spend(shops, OTHER) == (5, Decimal("19.25"))
    with duckdb.connect(str(shops.settings.hub), read_only=True) as hub:
        insights = "platform_mm__facebook_ads_api_v1_facebook_insights"
        ads = hub.execute(f"select count(*) from {insights} where tenant_slug = ?", [SHOP]).fetchall()
    assert ads == [(4,)]  # the other tables of the tenant went on to their sinks
    assert land_only(shops.context).exit_code == 3

    (tmp_path / "shop/orders_2026-03-04.jsonl").unlink()
    code, tenants = reported(shops)
    assert (code, tenants[SHOP].status) == (0, "published")
    assert orders_and_spend(shops, SHOP) == (3, Decimal("19.25"))


def test_what_comes_and_goes_in_a_source_is_told_once(tmp_path: Path, small: Project) -> None:
    shop = copy_project(small, tmp_path)
    told = []
    for day in (4, 5):
        changed = order(day, "1.00", loyalty=day)
        del changed["email"]
        write_jsonl(tmp_path / f"shop/orders_{day}.jsonl", [changed])
        write_jsonl(tmp_path / f"web/events_{day}.jsonl", [event | {"event_date": f"2026030{day}"} for event in EVENTS])
        told.append([finding for finding in shop.build().tenants[0].findings if finding.startswith("shopify")])
    assert told == [
        [
            "shopify.orders of account main: fields the contract does not know, kept in _extra: loyalty.",
            "shopify.orders of account main: fields that every load held so far are gone: email.",
        ],
        [],
    ]
