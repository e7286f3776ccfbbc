"""`gata quarantine`: what is kept out, by reason and by record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.small_shop import order, write_jsonl
from tests.pipeline.landing_fixture import LandingFixture
from tests.server.cli_run import Terminal

TENANTS = """
tenants:
  - {{slug: acme, business_name: Acme, status: pending,
     sources: {{shopify: {{enabled: true, read: {{kind: files, objects: {{orders: {files}/orders*}}}}}}}}}}
  - {{slug: globex, business_name: Globex, status: pending, sources: {{shopify: {{enabled: true}}}}}}
"""
SECRET = "ada@example.com"


@pytest.fixture
def gata(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal


@pytest.fixture
def landed(tmp_path: Path, gata: Terminal) -> LandingFixture:
    """Two good orders, two bad ones with an address in them, and a file that is no archive."""
    shop = LandingFixture(tmp_path)
    bad = [order(number, SECRET) for number in (3, 4)]
    write_jsonl(shop.files / "orders.jsonl", [order(1, "10.00"), order(2, "20.00"), *bad])
    shop.write("orders_b.jsonl.gz", b"no gzip")
    shop.land_of("shopify", orders="orders*")
    (tmp_path / "tenants.yaml").write_text(TENANTS.format(files=shop.files), encoding="utf-8")
    gata.set(GATA_HOME=str(shop.settings.home), GATA_TENANTS=str(tmp_path / "tenants.yaml"))
    return shop


def test_the_list_counts_reasons_and_shows_no_value(gata: Terminal, landed: LandingFixture) -> None:
    listed = json.loads(gata("quarantine", "list", "--json").out)["quarantine"]
    assert [(each["tenant"], each["object"], each["count"]) for each in listed] == [
        ("acme", "orders", 2),
        ("acme", "orders", 1),
    ]
    assert listed[0]["reason"] == "total_price is not as its contract says"
    assert all(each["since"].startswith("20") for each in listed)
    shown = gata("quarantine", "list", "--tenant", "acme").out
    assert "total_price is not as its contract says" in shown
    assert SECRET not in shown
    assert gata("quarantine", "list", "--tenant", "globex").out == "Nothing is in quarantine.\n"


def test_records_are_shown_with_file_and_line_and_with_values_only_where_they_are_asked_for(
    gata: Terminal, landed: LandingFixture
) -> None:
    plain = gata("quarantine", "show", "--tenant", "acme", "--json").out
    assert [(each["file"], each["line"]) for each in json.loads(plain)["records"]] == [
        ("orders.jsonl", 3),
        ("orders.jsonl", 4),
        ("orders_b.jsonl.gz", None),
    ]
    assert SECRET not in plain + gata("quarantine", "show", "--tenant", "acme").out
    full = json.loads(gata("quarantine", "show", "--tenant", "acme", "--values", "--limit", "1", "--json").out)
    assert full["total"] == 3
    assert json.loads(full["records"][0]["record"])["id"] == 3
    assert SECRET in gata("quarantine", "show", "--tenant", "acme", "--values").out
    assert "1 of 3 records" in gata("quarantine", "show", "--tenant", "acme", "--limit", "1").out
    nothing = gata("quarantine", "show", "--tenant", "acme", "--object", "products")
    assert nothing.out == "Nothing is in quarantine.\n"
    assert gata("quarantine", "replay", "--tenant", "acme").code == 2  # it is not active
