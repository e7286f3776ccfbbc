"""`semantic:` of tenants.yaml from end to end: a wrong word costs no build, a right one is answered and exported."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from pipeline.publish.pointer import latest_run_id
from server.orchestration.verbs import build
from tests.end_to_end.project_fixture import open_project
from tests.end_to_end.small_shop import SMALL_TENANT, write_shop

SHOP = "small_shop"
OWN = """\
        dear_orders: {fact: orders, aggregate: count, filters: [{name: total_price, op: ">", value: 20}]}
        summer_spend: {metric: spend, filters: [{name: campaign_name, op: starts_with, value: sum}]}
"""


@pytest.mark.long
def test_a_wrong_word_costs_no_build_and_a_right_one_is_answered_and_exported(tmp_path: Path) -> None:
    write_shop(tmp_path)
    shop = open_project(tmp_path, SMALL_TENANT + OWN.replace("total_price", "total_prize"))
    report = build(shop.context)
    assert report.tenants[0].status == "failed"
    path = tmp_path / "tenants.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    [line] = [number for number, text in enumerate(lines, start=1) if "total_prize" in text]
    assert str(report.tenants[0].error) == (
        f"{path}:{line}: dear_orders is filtered by 'total_prize', which orders does not have."
        " Did you mean total_price?"
    )
    assert not list(shop.settings.published(SHOP).glob("*"))

    path.write_text(SMALL_TENANT + OWN, encoding="utf-8")
    shop.build()
    assert shop.ask(SHOP, metrics=["dear_orders", "summer_spend"])["rows"] == [[1, Decimal(7)]]  # one order is over 20
    run = shop.settings.published(SHOP) / latest_run_id(shop.settings.published(SHOP))
    said = json.loads((run / "semantic.json").read_text(encoding="utf-8"))
    jsonschema.validate(said, json.loads((run / said["$schema"]).read_text(encoding="utf-8")))
    assert (said["tenant"], said["run_id"]) == (SHOP, run.name)
    assert {"dear_orders", "summer_spend", "margin"} <= {metric["name"] for metric in said["metrics"]}
