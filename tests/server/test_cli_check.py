"""`gata check`: what a file is, for people and for machines; it writes nothing and needs no tenants.yaml."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.vendor_records import csv, jsonl, order, tiktok_day, times
from tests.server.cli_run import Terminal


@pytest.fixture
def gata(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Terminal]:
    """In an empty folder."""
    monkeypatch.chdir(tmp_path)
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal


def test_a_file_that_lands_whole_is_said_with_its_lines_and_nothing_is_written(gata: Terminal, tmp_path: Path) -> None:
    Path("exports").mkdir()
    Path("exports/june.jsonl").write_text(jsonl(times(3, order)), encoding="utf-8")
    done = gata("check", "exports/june.jsonl")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(
        "exports/june.jsonl\n"
        "  is        orders of shopify\n"
        "  lands     3 records, 1 day, 2026-02-01\n"
        "  sums      total_price 29.7 EUR\n"
    )
    assert "            orders: [exports/june.jsonl]\n" in done.out
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["exports", "june.jsonl"]


def test_a_file_that_would_be_refused_exits_2_and_the_others_are_said_too(gata: Terminal) -> None:
    Path("a.jsonl").write_text(jsonl(times(3, tiktok_day)), encoding="utf-8")
    Path("b.csv").write_text(csv([{"Reporting starts": "2026-02-01", "Amount spent": "1.50"}] * 2), encoding="utf-8")
    done = gata("check", "--json", "a.jsonl", "b.csv", "gone.csv")
    assert done.code == 2
    report = json.loads(done.out)
    assert [file["lands"] for file in report["files"]] == ["whole", "nothing", "nothing"]
    assert report["files"][0]["candidates"] == [{"platform": "tiktok_ads", "object": "ads_reports_daily"}]
    assert report["files"][1]["reason"].startswith("not recognised")
    assert report["files"][2]["reason"] == "cannot be read: no such file or directory"
    assert "ads_reports_daily: [a.jsonl]" in report["tenants_yaml"]
