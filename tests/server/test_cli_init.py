"""`gata init`: a first tenants.yaml that loads as it stands and builds with one export beside it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.layers.configuration import read_settings
from pipeline.config.starter import OTHER_KEYS, starter_text
from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import load_tenants
from semantic.definitions.derive import check_overlay
from tests.end_to_end.small_shop import ORDERS, write_jsonl
from tests.library import with_library
from tests.server.cli_run import ROOT, Terminal
from warehouse.projects.star_project import star_tables

CATALOG = load_catalog(ROOT / "supported_connectors.yaml")


@pytest.fixture
def gata(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Terminal]:
    """In an empty folder."""
    monkeypatch.chdir(tmp_path)
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal


def test_the_first_file_is_as_reviewed(golden: Callable[[str, str], None]) -> None:
    golden("first_tenants.yaml", starter_text(CATALOG))


def test_the_first_file_names_every_key_a_tenant_may_have(tmp_path: Path) -> None:
    named = set(re.findall(r"^(?:  - |    |    # )([a-z_]+):", starter_text(CATALOG), re.MULTILINE))
    assert named == Tenant.model_fields.keys() - {"semantic_locations"}
    assert OTHER_KEYS.keys() < named


@pytest.mark.parametrize("key", [*OTHER_KEYS, "products"])
def test_each_example_of_the_first_file_works_without_its_comment_sign(tmp_path: Path, key: str) -> None:
    text = starter_text(CATALOG).replace(f"# {key}:", f"{key}:")
    if key == "analytics":
        text = text.replace("domains: [ecommerce]", "domains: [ecommerce, analytics]").replace(
            "    sources:\n", "    sources:\n      google_analytics: {enabled: true}\n"
        )
    (tmp_path / "rates.csv").touch()
    (tmp_path / "models").mkdir()
    (tmp_path / "models/dim_my_shop__places.sql").write_text("select 1 as place_id", encoding="utf-8")
    (tmp_path / "tenants.yaml").write_text(text, encoding="utf-8")
    tenant = load_tenants(tmp_path / "tenants.yaml", CATALOG).get("my_shop")
    plain = tenant.model_dump() if key in OTHER_KEYS else tenant.source("shopify").accounts[0].read.objects
    assert plain[key]
    check_overlay(tenant, star_tables(tenant))


def test_what_it_writes_is_planned_checked_built_and_asked(gata: Terminal, tmp_path: Path) -> None:
    done = gata("init", "new shop")
    assert (done.code, done.err) == (0, "")
    home = tmp_path / "new shop"
    assert sorted(path.name for path in home.iterdir()) == ["exports", "tenants.yaml"]
    *_, first, second = done.out.splitlines()
    assert first.startswith("Put an export of Shopify's orders into new shop/exports/")
    assert second == "  cd 'new shop' && gata build"
    write_jsonl(home / "exports/orders.jsonl", ORDERS)
    gata.set(GATA_TENANTS=str(home / "tenants.yaml"), GATA_HOME=str(home / "state"), GATA_TODAY="2026-03-10")
    (plan,) = json.loads(gata("plan", "--json").out)["tenants"]
    assert (plan["tenant"], plan["action"]) == ("my_shop", "build")
    doctor = json.loads(gata("doctor", "--json").out)
    assert (doctor["ok"], [check["state"] for check in doctor["checks"] if check["check"] == "tenants"]) == (
        True,
        ["ok"],
    )
    with_library(read_settings())
    built = json.loads(gata("build", "--json").out)["tenants"][0]
    assert (built["status"], built["quarantined"]) == ("published", 0)
    asked = json.loads(gata("ask", "--tenant", "my_shop", "--metrics", "orders", "--json").out)
    assert asked["rows"] == [[3]]


def test_in_this_folder_and_as_json(gata: Terminal, tmp_path: Path) -> None:
    done = gata("init", "--json")
    assert json.loads(done.out) == {"tenants": "tenants.yaml", "exports": "exports", "tenant": "my_shop"}
    assert gata("plan").code == 0


def test_a_file_that_is_there_stays_and_the_step_that_is_named_works(gata: Terminal, tmp_path: Path) -> None:
    (tmp_path / "tenants.yaml").write_text("mine", encoding="utf-8")
    done = gata("init")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "There is a file tenants.yaml already. Edit it, or name another folder: `gata init FOLDER`."
        " Nothing was written.\n"
    )
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("tenants.yaml", "mine")]
    assert gata("init", "FOLDER").code == 0


@pytest.mark.parametrize("taken", ["acme", "acme/exports"])
def test_a_file_where_a_folder_is_to_be_is_named_and_nothing_is_written(
    gata: Terminal, tmp_path: Path, taken: str
) -> None:
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).write_text("mine", encoding="utf-8")
    done = gata("init", "acme")
    assert (done.code, done.out) == (2, "")
    assert "acme" in done.err
    assert not (tmp_path / "acme/tenants.yaml").exists()


def test_where_there_is_no_tenants_file_the_error_names_the_verb_that_writes_one(gata: Terminal) -> None:
    done = gata("plan")
    step = "Run `gata init`, which writes a first one, or set GATA_TENANTS to another file."
    assert (done.code, done.err) == (2, f"There is no file tenants.yaml. {step}\n")
    assert gata("init").code == 0
    assert gata("plan").code == 0
    gata.set(GATA_TENANTS="new shop/tenants.yaml")
    (step,) = re.findall(r"`gata (init .*)`", gata("plan").err)
    assert gata(*shlex.split(step)).code == 0
    assert gata("plan").code == 0


def test_where_the_environment_names_another_file_the_next_step_names_this_one(gata: Terminal) -> None:
    done = gata.set(GATA_TENANTS="elsewhere.yaml")("init", "acme")
    assert done.out.splitlines()[-1] == "  GATA_TENANTS=acme/tenants.yaml gata build"
    assert "Run `gata init`" in gata("plan").err
