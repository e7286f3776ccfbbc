from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipeline.storage.ops import Ops
from pipeline.storage.run_counts import StepCounts, TableCounts, step_total
from pipeline.storage.run_id import is_run_id, new_run_id

NOW = datetime(2026, 1, 31, 23, 59, tzinfo=UTC)


def still() -> datetime:
    return NOW


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "ops.sqlite"


def test_run_ids_sort_by_time_in_any_time_zone_and_never_meet() -> None:
    later = NOW.astimezone(timezone(timedelta(hours=9))) + timedelta(microseconds=1)
    assert new_run_id(NOW)[:23] == "20260131T235900000000Z_"
    assert new_run_id(NOW) < new_run_id(later)
    assert len({new_run_id(NOW) for _ in range(50)}) == 50
    assert is_run_id(new_run_id(NOW))


@pytest.mark.parametrize("text", ["", "..", "20260131T235900000000Z_ABCDEF", "20260131T235900000000Z_abcdef/..", "x\n"])
def test_nothing_else_is_a_run_id(text: str) -> None:
    assert not is_run_id(text)


def test_a_run_is_told_from_start_to_end(path: Path) -> None:
    with Ops(path, now=still) as ops:
        run_id = ops.start_run("acme")
        assert ops.runs() == [
            {
                "run_id": run_id,
                "tenant": "acme",
                "status": "running",
                "detail": None,
                "started_at": "2026-01-31T23:59:00.000000Z",
                "finished_at": None,
            }
        ]
        ops.step(run_id, "acme", step="land", status="done", counts=StepCounts(1203, 1200, 3), seconds=0.5, attempts=2)
        ops.step(run_id, "acme", step="push", status="failed", detail="a sink is missing")
        ops.finish_run(run_id, "failed", "a sink is missing")
    with Ops(path) as ops:
        run = ops.runs("acme")[0]
        steps = ops.steps(run_id)
    assert (run["status"], run["detail"]) == ("failed", "a sink is missing")
    assert run["finished_at"] == "2026-01-31T23:59:00.000000Z"
    columns = ("step", "status", "attempts", "rows_in", "rows_out", "quarantined", "bytes", "seconds")
    assert [tuple(step[column] for column in columns) for step in steps] == [
        ("land", "done", 2, 1203, 1200, 3, None, 0.5),
        ("push", "failed", 1, None, None, None, None, None),
    ]


def test_runs_come_newest_first_of_one_tenant_or_of_all_and_no_more_than_asked(path: Path) -> None:
    moments = iter(NOW + timedelta(seconds=second) for second in range(100))
    with Ops(path, now=lambda: next(moments)) as ops:
        started = [ops.start_run(tenant) for tenant in ("acme", "globex", "acme")]
        assert [run["run_id"] for run in ops.runs()] == started[::-1]
        assert [run["run_id"] for run in ops.runs("acme")] == [started[2], started[0]]
        assert [run["run_id"] for run in ops.runs(limit=1)] == [started[2]]
        assert ops.runs("initech") == []


def test_an_audit_record_says_what_came_through_a_table_and_whether_it_adds_up(path: Path) -> None:
    tables = (
        TableCounts("landing", "shopify__orders", "account=a/ingest_dt=2026-01-31", 10, 9, 1, bytes=100),
        TableCounts("sink", "platform_mm__orders", "ingest_dt=2026-01-31", 9, 6, lost_rows=3, loss="known already"),
        TableCounts("published", "fct_acme__orders", "run_id=r", 6, 5),
        TableCounts("landing", "shopify__products", "account=a/ingest_dt=2026-01-31", 2, 0, 2, is_within_gates=False),
    )
    with Ops(path, now=still) as ops:
        ops.add_audit_records("r", "acme", tables, 0.5)
        ops.add_audit_records("r", "globex", tables[:1], 0.5)
        records = ops.audit_records("r", "acme")
        assert len(ops.audit_records("r")) == 5
    assert [record["quality_checks_passed"] for record in records] == [True, True, False, False]
    assert records[0] == {
        "audit_id": 1,
        "run_id": "r",
        "tenant": "acme",
        "layer": "landing",
        "table_name": "shopify__orders",
        "partition_value": "account=a/ingest_dt=2026-01-31",
        "input_rows": 10,
        "output_rows": 9,
        "quarantine_rows": 1,
        "lost_rows": 0,
        "loss": None,
        "bytes": 100,
        "quality_checks_passed": True,
        "execution_time_seconds": 0.5,
        "timestamp": "2026-01-31T23:59:00.000000Z",
    }
    assert step_total(tables) == StepCounts(27, 20, 3, 100)


def test_a_run_whose_process_died_is_closed_by_the_next_build(path: Path) -> None:
    with Ops(path, now=still) as ops:
        died, ended = ops.start_run("acme"), ops.start_run("globex")
        ops.finish_run(ended, "published")
        assert ops.close_interrupted() == 1
        assert {run["run_id"]: run["status"] for run in ops.runs()} == {died: "interrupted", ended: "published"}
        assert ops.close_interrupted() == 0


def test_quarantine_says_how_many_records_of_which_file_and_why_per_tenant(path: Path) -> None:
    with Ops(path) as ops:
        run_id = ops.start_run("acme")
        orders = {"platform": "shopify", "account": "main", "object": "orders"}
        ops.add_quarantine(run_id, "acme", **orders, path="exports/a.jsonl", reason="not JSON", count=3)
        ops.add_quarantine(run_id, "acme", **orders, path="exports/b.jsonl", reason="id is missing", count=1)
        found = ops.quarantine("acme")
        assert [(row["path"], row["reason"], row["count"]) for row in found] == [
            ("exports/b.jsonl", "id is missing", 1),
            ("exports/a.jsonl", "not JSON", 3),
        ]
        assert ops.quarantine("globex") == []


def test_artifacts_come_back_as_they_were_saved(path: Path) -> None:
    nodes: list[dict[str, object]] = [
        {"unique_id": "model.acme.fct", "seconds": 0.25, "message": 'it\'s "fine" – ü'},
        {"unique_id": "test.x"},
    ]
    with Ops(path) as ops:
        run_id = ops.start_run("acme")
        ops.save_artifacts(run_id, "acme", nodes)
        ops.save_artifacts(ops.start_run("globex"), "globex", [{"unique_id": "other", "at": NOW}])
        assert [row["node"] for row in ops.artifacts(run_id)] == nodes
        assert [row["node"]["at"] for row in ops.artifacts(tenant="globex")] == [str(NOW)]
        assert len(ops.artifacts()) == 3


def test_a_failed_change_leaves_nothing(path: Path) -> None:
    with Ops(path) as ops:
        run = "INSERT INTO runs VALUES (?, 'acme', 'running', NULL, '', NULL)"
        ops.connection.execute(run, ("a",))
        with pytest.raises(sqlite3.IntegrityError), ops.transaction() as connection:
            connection.executemany(run, [("b",), ("c",), ("b",)])
    with Ops(path) as ops:
        assert [run["run_id"] for run in ops.runs()] == ["a"]


def test_threads_of_one_process_share_a_ledger(path: Path) -> None:
    with Ops(path) as ops, ThreadPoolExecutor(8) as pool:
        run_id = ops.start_run("acme")
        list(pool.map(lambda n: ops.step(run_id, "acme", step=f"step {n}", status="done"), range(100)))
        assert len(ops.steps(run_id)) == 100


WRITE_STEPS = """
import sys
from pathlib import Path
from pipeline.storage.ops import Ops
with Ops(Path(sys.argv[1])) as ops:
    run_id = ops.start_run(sys.argv[2])
    for n in range(50):
        ops.step(run_id, sys.argv[2], step=str(n), status="done")
"""


def test_processes_that_all_open_a_new_ledger_at_once_lose_nothing(path: Path) -> None:
    names = [f"tenant_{n}" for n in range(6)]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE_STEPS, str(path), name], stderr=subprocess.PIPE) for name in names
    ]
    assert [writer.communicate(timeout=120)[1] for writer in writers] == [b""] * len(names)
    with Ops(path) as ops:
        assert sorted(run["tenant"] for run in ops.runs()) == names
        assert sum(len(ops.steps(run["run_id"])) for run in ops.runs()) == 300


def test_a_ledger_reads_while_another_process_writes_to_it(path: Path) -> None:
    with Ops(path) as ops, Ops(path) as other, ops.transaction() as connection:
        connection.execute("INSERT INTO runs VALUES ('r', 'acme', 'running', NULL, '', NULL)")
        assert other.runs() == []
        assert [run["run_id"] for run in ops.runs()] == ["r"]
