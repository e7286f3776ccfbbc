"""Quality reports of a run: four of them, their numbers are the ledger's, and no text of a source is markup in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.config.slug import slug_of
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from pipeline.storage.run_counts import StepCounts, TableCounts
from server.orchestration.reports.markdown_text import bar_chart, sparkline
from server.orchestration.reports.report_page import report_page
from server.orchestration.run_history.history_files import keep_history
from tests.server.cli_run import Terminal

ACME = slug_of("acme")
HOSTILE = "a|b`<script>alert(1)</script>[x](javascript:alert(1))\n# H"
TABLES = (
    TableCounts("landing", "shopify__orders", f"account={HOSTILE}/ingest_dt=2026-01-31", 1010, 1000, 10),
    TableCounts("landing", "shopify__products", "account=main/ingest_dt=2026-01-31", 7, 3, 2),
    TableCounts("sink", "platform_mm__orders", "ingest_dt=2026-01-31", 1000, 600, lost_rows=400, loss="known already"),
    TableCounts("published", "fct_acme__orders", "run_id=r", 601, 601),
    TableCounts("published", "dim_acme__users", "run_id=r", 52, 52),
)
NAMES = ["BRONZE_QUALITY", "SILVER_QUALITY", "ENRICHED_QUALITY", "DIMS_SNAPSHOT_QUALITY"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "state", tenants=tmp_path / "tenants.yaml")


@pytest.fixture
def run_id(settings: Settings) -> str:
    with Ops(settings.ops) as ops:
        ops.add_audit_records("20260101T000000000000Z_0a1b2c", ACME, TABLES[2:3], 0.5)
        run_id = ops.start_run("*")
        ops.step(run_id, ACME, step="land", status="done", counts=StepCounts(1017, 1003, 12), attempts=2, seconds=1.75)
        ops.add_audit_records(run_id, ACME, TABLES, 1.75)
        orders = {"platform": "shopify", "account": HOSTILE, "object": "orders"}
        ops.add_quarantine(run_id, ACME, **orders, path="/srv/SECRET/a", reason="total_price: 'SECRETVALUE'", count=10)
        test = {"kind": "test", "project": "p", "name": "t", "status": "warn", "checks": "model.p.fct_acme__orders"}
        ops.save_artifacts(
            run_id, ACME, [test, test | {"status": "pass"}, test | {"checks": "model.p.dim_acme__users"}]
        )
        ops.finish_run(run_id, "done")
        ops.connection.execute(
            "insert into source_shapes values (?, 'shopify', ?, 'orders', '[\"id\"]', ?, '[]', 2, '2026', '2026')",
            (ACME, HOSTILE, json.dumps([HOSTILE])),
        )
    return run_id


@pytest.fixture
def gata(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Settings) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal.use(settings)


def reports(settings: Settings, run_id: str) -> dict[str, str]:
    with Ops(settings.ops) as ops:
        keep_history(settings, ops, run_id, [ACME])
    folder = settings.run_folder(run_id, ACME) / "reports"
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}


def test_a_run_leaves_four_reports_and_every_number_in_them_is_that_of_the_ledger(
    settings: Settings, run_id: str
) -> None:
    written = reports(settings, run_id)
    assert sorted(written) == sorted(NAMES)
    with Ops(settings.ops) as ops:
        recorded = ops.audit_records(run_id)
    layers = {"BRONZE_QUALITY": "landing", "SILVER_QUALITY": "sink"}
    prefixes = {"ENRICHED_QUALITY": "fct_", "DIMS_SNAPSHOT_QUALITY": "dim_"}
    columns = ("input_rows", "output_rows", "quarantine_rows", "lost_rows")
    for name, text in written.items():
        records = [
            record
            for record in recorded
            if record["layer"] == layers.get(name, "published")
            and record["table_name"].startswith(prefixes.get(name, ""))
        ]
        section = text.partition("## Reconciliation")[2].partition("\n## ")[0]
        rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")][2:]
        counts = [[int(cell) for cell in row[-4:]] for row in rows]
        assert counts[:-1] == [[record[column] for column in columns] for record in records]
        assert counts[-1] == [sum(column) for column in zip(*counts[:-1], strict=True)]
        assert [row[2] == "passed" for row in rows[:-1]] == [record["quality_checks_passed"] for record in records]
        assert f"{sum(record['quarantine_rows'] for record in records)} rows of this run went into quarantine." in text
        assert run_id in text
    assert "known already" in written["SILVER_QUALITY"]
    assert "`▆█`" not in written["BRONZE_QUALITY"]
    assert "`██` 600 in the last" in written["SILVER_QUALITY"]
    assert "| attempts | 2 |" in written["BRONZE_QUALITY"]
    assert re.search(r"\| warn \| 1 \|", written["ENRICHED_QUALITY"])
    assert "There is no enriched layer yet" in written["ENRICHED_QUALITY"]


def test_no_value_of_a_record_and_no_path_is_in_a_report(settings: Settings, run_id: str) -> None:
    assert "SECRET" not in "".join(reports(settings, run_id).values())


def test_results_of_gates_are_shown_where_they_are_and_a_damaged_file_of_them_is_none(
    settings: Settings, run_id: str
) -> None:
    gates = settings.run_folder(run_id, ACME) / "gates.json"
    gates.parent.mkdir(parents=True)
    gates.write_text("{")
    assert "| gate |" not in reports(settings, run_id)["BRONZE_QUALITY"]
    entry = {"id": "row_loss", "layer": "landing", "table": HOSTILE, "status": "failed", "severity": "error"}
    gates.write_text(json.dumps([entry | {"measured": "0.02", "threshold": 0.01, "next_step": HOSTILE}, "no entry"]))
    written = reports(settings, run_id)
    assert "| `row_loss` |" in written["BRONZE_QUALITY"]
    assert "| `0.02` | `0.01` |" in written["BRONZE_QUALITY"]
    assert "row_loss" not in written["SILVER_QUALITY"]
    result = {"gate": "key_unique", "layer": "sink", "table": "orders", "status": "warned", "value": "3"}
    finding = {"next_step": "Bring the file again.", "since": "2026-01-31"}
    layers = {"landing": {"results": []}, "sink": {"results": [result | {"finding": finding}]}, "star": None}
    gates.write_text(json.dumps({"version": 1, "layers": layers}))
    written = reports(settings, run_id)
    row = next(line for line in written["SILVER_QUALITY"].splitlines() if "key_unique" in line)
    assert row == "| `key_unique` | `orders` | `warned` |  | `2026-01-31` | Bring the file again. | `3` |  |"
    assert "key_unique" not in written["BRONZE_QUALITY"]


class Elements(HTMLParser):
    """The elements of a page, and its visible text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_has_tables_and_drawn_bars_and_nothing_of_a_source_is_an_element(
    settings: Settings, run_id: str
) -> None:
    for text in reports(settings, run_id).values():
        page = Elements(report_page(text))
        assert page.names <= {
            *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "code", "strong"),
            *("table", "thead", "tbody", "tr", "th", "td", "svg", "text", "rect"),
        }
        assert {"table", "svg", "rect"} <= page.names
        assert not {"href", "src", "onload", "onclick"} & page.attributes
    assert "alert(1)" in Elements(report_page(reports(settings, run_id)["BRONZE_QUALITY"])).text


def test_markup_in_markdown_stays_text() -> None:
    page = report_page("# T\n\n<img src=x onerror=1> [a](javascript:1) ![b](http://x/)\n\n```sh\n<b>\n```\n")
    assert Elements(page).names.isdisjoint({"img", "a", "b"})


def test_bars_are_as_long_as_their_values() -> None:
    assert sparkline([0, 1, 4, 8]) == " ▁▄█"
    assert (sparkline([]), sparkline([0, 0])) == ("", "  ")
    assert bar_chart([("a\tb`", 0), ("c", 10), ("d", 5)]).splitlines() == [
        "```chart",
        "a b \t0",
        f"c\t10\t{'█' * 20}",
        f"d\t5\t{'█' * 10}",
        "```",
    ]


def test_reports_are_printed_or_named(gata: Terminal, settings: Settings, run_id: str) -> None:
    shown = gata("runs", run_id, "--report")
    assert [line for line in shown.out.splitlines() if line.startswith("# ")] == [
        "# Bronze quality of acme",
        "# Silver quality of acme",
        "# Enriched quality of acme",
        "# Quality of dimension snapshots of acme",
    ]
    pages = gata("runs", run_id, "--report", "--html", "--tenant", "acme").out.split()
    assert [Path(page).name for page in pages] == [f"{name}.html" for name in NAMES]
    assert all(Path(page).read_text().startswith("<!doctype html>") for page in pages)
    assert json.loads(gata("runs", run_id, "--report", "--tenant", "globex", "--json").out)["reports"] == []
