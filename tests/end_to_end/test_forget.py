"""Erasure: forgotten data is in no file any more, and the rest still adds up."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.publish.pointer import run_ids
from pipeline.storage.ops import Ops
from pipeline.synthetic.generate import generate
from server.orchestration.forgetting import erase_with_record
from server.orchestration.replay import unpublished
from tests.end_to_end.project_fixture import Project, copy_project, open_project
from tests.end_to_end.small_shop import EVENTS, ORDERS, SMALL_TENANT, order, write_jsonl, write_shop
from tests.rights import as_owner

SHOP = "small_shop"
ANN = "Ann@Example.com"
ADDRESS = {"name": "Ann Rosenkranz", "city": "Ulm", "country_code": "DE"}
ANNS = order(1, "10.50", email=ANN, customer={"id": 987654321, "email": "ann@example.com"}, billing_address=ADDRESS)
ANNS |= {"note": "call Ann on 0731 555", "id": 1}
SAID = ["orders", "order_revenue", "customers", "sessions", "session_revenue", "event_users"]
TRACES = ("ann@example.com", "ann%40example.com", "987654321", "rosenkranz", "0731 555", "ann-in-the-browser")
JOANN = "joann@example.com"

MADE_UP = f"""
tenants:
  - slug: {SHOP}
    business_name: Made Up
    sources:
      facebook_ads: {{enabled: true, generation: {{campaign_count: 1}}}}
      woocommerce: {{enabled: true, generation: {{daily_orders_mean: 1}}}}
      mixpanel: {{enabled: true}}
      stripe: {{enabled: true}}
"""


def built_project(folder: Path) -> Project:
    events = [{**event, "user_pseudo_id": f"{event['user_pseudo_id']}-in-the-browser"} for event in EVENTS]
    link = {"key": "page_location", "value": {"string_value": "https://shop.example/?to=ann%40example.com"}}
    events[0] = {**events[0], "event_params": [*events[0]["event_params"], link]}
    undated = [{**events[0], "event_timestamp": "soon", "event_params": []}]
    write_shop(folder, orders=[ANNS, *ORDERS[1:]], events=events + undated)
    damaged = [{**ANNS, "id": 9, "total_price": "ten"}, {**ANNS, "id": ANN}]
    others = [order(99, "1", email=JOANN), *(order(number, "1") for number in range(100, 160))]
    write_jsonl(folder / "shop/orders_more.jsonl", [*damaged, *others])
    home = open_project(folder, SMALL_TENANT)
    home.build()
    return home


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path, (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())


def traces(folder: Path) -> set[tuple[str, str]]:
    """What of Ann the state folder says in plain text, and in which file."""
    return {
        (trace, path.name)
        for path, content in contents(folder)
        for trace in TRACES
        if trace.encode() in content.lower().replace(JOANN.encode(), b"")
    }


def numbers(home: Project) -> dict[str, object]:
    answer = home.ask(SHOP, metrics=SAID)
    return dict(zip(SAID, answer["rows"][0], strict=True))


def records(home: Project) -> str:
    """Every payload of the hub and every text of the star, lower case: files may be compressed."""
    import duckdb

    said = []
    for path in (home.settings.hub, home.settings.stars(SHOP)):
        with duckdb.connect(str(path), read_only=True) as con:
            tables = con.execute(
                "select schema_name || '.\"' || table_name || '\"' from duckdb_tables() where not internal"
            ).fetchall()
            for (table,) in tables:
                said += [
                    text for (text,) in con.execute(f"select lower(to_json(t)::varchar) from {table} as t").fetchall()
                ]
    return "\n".join(said)


@pytest.fixture(scope="module")
def without_ann(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, dict[str, object], str]:
    home = built_project(tmp_path_factory.mktemp("forget"))
    before, held = numbers(home), records(home)
    assert all(trace in held for trace in TRACES)
    home.build(full=True)
    waiting = unpublished(home.settings, SHOP) / "20260301T000000000000Z_0a1b2c"
    waiting.mkdir(parents=True)
    shutil.copy(home.settings.stars(SHOP), waiting)
    shutil.copy(home.settings.stars(SHOP), home.settings.sandbox(SHOP))  # as somebody's dbt built it
    erase_with_record(home.context, SHOP, ANN)
    return home, before, held


def test_nothing_that_says_who_she_was_is_left(without_ann: tuple[Project, dict[str, object], str]) -> None:
    home, _, _ = without_ann
    held = records(home).replace(JOANN, "")
    assert [trace for trace in TRACES if trace in held] == []
    assert traces(home.settings.home) == set()


def test_the_numbers_stay(without_ann: tuple[Project, dict[str, object], str]) -> None:
    home, before, _ = without_ann
    assert numbers(home) == before


def test_others_stay_as_they_were(without_ann: tuple[Project, dict[str, object], str]) -> None:
    home, _, _ = without_ann
    assert "2@example.com" in records(home)
    assert f'"{JOANN}"' in records(home)
    assert "bob-in-the-browser" in records(home)


def test_only_the_new_run_is_left(without_ann: tuple[Project, dict[str, object], str]) -> None:
    home, _, _ = without_ann
    assert len(run_ids(home.settings.published(SHOP))) == 1
    assert not home.settings.sandbox(SHOP).exists()


def test_it_is_on_record_without_naming_her(without_ann: tuple[Project, dict[str, object], str]) -> None:
    home, _, _ = without_ann
    with Ops(home.settings.ops) as ops:
        (record,) = ops.connection.execute("SELECT tenant, person, rows FROM erasures").fetchall()
    assert record["tenant"] == SHOP
    assert record["rows"] > 0
    assert len(record["person"]) == 64


def test_the_same_export_landed_again_brings_nothing_back(without_ann: tuple[Project, dict[str, object], str]) -> None:
    home, before, _ = without_ann
    write_jsonl(home.settings.tenants.parent / "shop/orders_again.jsonl", [*ORDERS[1:], ANNS])
    assert home.build().tenants[0].status == "published"
    assert numbers(home) == before
    with_sink = records(home)
    assert with_sink.count("forgotten-") > 0


def test_what_is_no_email_is_refused(without_ann: tuple[Project, dict[str, object], str]) -> None:
    home, _, _ = without_ann
    for wrong in ("", "ann", "@example.com", "ann@", "a b@example.com"):
        with pytest.raises(ConfigError):
            erase_with_record(home.context, SHOP, wrong)


def test_a_tenant_in_use_is_not_forgotten(without_ann: tuple[Project, dict[str, object], str]) -> None:
    home, before, _ = without_ann
    with pytest.raises(ConfigError) as refused:
        erase_with_record(home.context, SHOP)
    assert "Set its status to offboarded first" in refused.value.fix
    assert numbers(home) == before


@pytest.mark.long
def test_an_offboarded_tenant_is_forgotten_whole_and_its_neighbour_untouched(tmp_path: Path, small: Project) -> None:
    neighbour = SMALL_TENANT.partition("tenants:\n")[2].replace("small_shop", "neighbour")
    home = copy_project(small, tmp_path, tenants=SMALL_TENANT + neighbour)
    home.build(slugs=["neighbour"])
    path = home.settings.tenants
    path.write_text(path.read_text().replace("slug: small_shop", "slug: small_shop\n    status: offboarded"))
    with as_owner(tmp_path):  # files of bronze are read-only, and go all the same
        done = erase_with_record(home.context, SHOP)
    assert sum(done.erased.values()) > 0
    assert home.number("neighbour", "orders") == 3
    said = [path.name for path, content in contents(home.settings.home) if SHOP.encode() in content]
    assert said == ["erasures.jsonl", "ops.sqlite"]  # the records that it happened
    assert not any(SHOP in path.name for path in home.settings.home.rglob("*"))
    assert home.build().to_dict()["tenants"][0]["status"] == "unchanged"


def test_forgetting_an_unknown_tenant_names_the_known_ones(tmp_path: Path) -> None:
    write_shop(tmp_path)
    home = open_project(tmp_path, SMALL_TENANT)
    with pytest.raises(ConfigError) as refused:
        erase_with_record(home.context, "smal_shop")
    assert SHOP in str(refused.value)


@pytest.mark.long
def test_a_person_of_a_made_up_shop_is_in_none_of_its_exports_either(tmp_path: Path) -> None:
    home = open_project(tmp_path, MADE_UP)
    generate(home.context.manifest.get(SHOP), home.settings.home, until=date(2026, 11, 21), days=14)
    home.build()
    exports = home.settings.home / "synthetic" / SHOP
    charges = next((exports / "stripe/main").glob("charges*")).read_text(encoding="utf-8").splitlines()
    paid = next(charge for charge in map(json.loads, charges) if charge["receipt_email"])
    email, before = paid["receipt_email"], {name: home.number(SHOP, name) for name in [*SAID, "net_paid_amount"]}
    number = email.split("@")[0].rpartition(".")[2]
    assert len([path for path, content in contents(exports) if email.encode() in content]) == 3
    done = erase_with_record(home.context, SHOP, email.upper())
    assert done.erased["synthetic files"] == 4
    assert [path for path, content in contents(home.settings.home) if number.encode() in content] == []
    assert number not in records(home)
    assert {name: home.number(SHOP, name) for name in before} == before
    assert home.build().tenants[0].status == "unchanged"  # the files are known as landed
