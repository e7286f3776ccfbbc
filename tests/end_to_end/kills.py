"""A home whose verbs are killed at random moments: what readers see stays whole, and the next build loses nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from pipeline.config.slug import slug_of
from pipeline.publish.pointer import latest_run_id, run_ids
from pipeline.publish.run_store import verify
from pipeline.storage.ops import Ops
from server.orchestration.forgetting import erase_with_record
from server.orchestration.jobs.submit import JobService, Posted
from server.serving.access import Access
from tests.end_to_end.hostile_tenants import ENTRY
from tests.end_to_end.project_fixture import Project, open_project
from tests.end_to_end.small_shop import ORDERS, bring_order, revenue, write_jsonl
from tests.server.cli_run import ROOT, environment

SHOP = "shop"
PERSON = "1@example.com"
FIRST = len(ORDERS)
VERBS = ("build", "push", "publish", "rollback", "forget", "token", "job")
LONGEST = {"build": 9.0, "push": 6.0, "publish": 3.0, "rollback": 0.2, "forget": 12.0, "token": 0.1, "job": 9.0}
"""Seconds after the start of a verb, imports apart, within which it is killed; most have ended by then."""
CHILD = """
import sys
from pipeline.log import configure_log
from pipeline.config.layers.configuration import read_settings
from pipeline.storage.ops import Ops
from server.orchestration import verbs
from server.orchestration.build_context import open_build_context
from server.orchestration.forgetting import erase_with_record
from server.serving.access import Access
configure_log()
verb, settings = sys.argv[1], read_settings()
context = open_build_context(settings)
print("begins", flush=True)
match verb:
    case "build":
        verbs.build(context)
    case "push":
        verbs.land_only(context)
        verbs.transform(context)
    case "publish":
        verbs.publish_only(context)
    case "rollback":
        verbs.rollback(context, "shop")
    case "forget":
        erase_with_record(context, "shop", "1@example.com")
    case "token":
        with Ops(settings.ops) as ops:
            for number in range(100):
                print(Access(ops).create(tenant="shop", name=f"t{number}")[0], flush=True)
"""


@dataclass
class KilledHome:
    """A project of one small shop, and what a killed verb may have done to it.

    Attributes:
        tokens: Those that were shown.
        killed: By verb, how often it was killed before its end.
    """

    project: Project
    chance: random.Random
    orders: int = FIRST
    tokens: list[str] = field(default_factory=list)
    killed: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, seed: int) -> KilledHome:
        write_jsonl(folder / SHOP / "orders.jsonl", ORDERS)
        project = open_project(folder, "tenants:\n" + ENTRY.format(slug=SHOP))
        project.build()
        return cls(project, random.Random(seed))

    def kill(self, verb: str) -> None:
        """Begin a verb, over a new order where it builds, and kill all of its processes at a random moment."""
        seconds = self.chance.uniform(0, LONGEST[verb])
        if verb in ("build", "push", "job"):
            self._bring_order()
        ended = self._kill_job(seconds) if verb == "job" else self._kill_child(verb, seconds)
        self.killed[verb] = self.killed.get(verb, 0) + (not ended)

    def problems(self) -> list[str]:
        """What a reader would notice now; nothing where all is well."""
        settings, found = self.project.settings, []
        folder = settings.published(slug_of(SHOP))
        run_id = latest_run_id(folder)
        if run_id is None or run_id not in run_ids(folder):
            return [f"the pointer names {run_id}, which is no run"]
        verify(folder / run_id)
        orders = int(self.project.number(SHOP, "valid_orders"))
        served = Decimal(self.project.number(SHOP, "order_revenue"))
        if not FIRST <= orders <= self.orders or served != revenue(orders):
            found.append(f"{orders} orders of {served} are served, and {self.orders} were brought")
        with Ops(settings.ops) as ops:
            if (state := ops.connection.execute("pragma integrity_check").fetchone()[0]) != "ok":
                found.append(f"ops.sqlite: {state}")
            found += ["a token that was shown is not known" for text in self.tokens if not Access(ops).verify(text)]
        return found

    def bring_orders(self, number: int) -> None:
        """Bring further orders until there are so many."""
        while self.orders < number:
            self._bring_order()

    def finish(self) -> None:
        """The commands of an operator afterwards: the person is forgotten, and one more order is built."""
        erase_with_record(self.project.context, SHOP, PERSON)
        self._bring_order()
        self.project.build()

    def sums(self) -> dict[str, Any]:
        """Rows and numbers of each table of the star, and of the tenant's sinks."""
        settings = self.project.settings
        found: dict[str, Any] = {}
        for file, names in ((settings.stars(slug_of(SHOP)), f"%_{SHOP}_%"), (settings.hub, "platform_mm__shopify%")):
            with duckdb.connect(str(file), read_only=True) as database:
                found |= _sums(database, names)
        return found

    def _bring_order(self) -> None:
        self.orders += 1
        bring_order(self.project.settings.tenants.parent / SHOP, self.orders)

    def _kill_child(self, verb: str, seconds: float) -> bool:
        """Whether the process had ended by itself."""
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, verb],
            env=environment(self.project.settings, GATA_THREADS="1"),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        process.stdout.readline()
        timer = threading.Timer(seconds, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        self.tokens += [line.strip() for line in process.stdout if line.startswith("gata_") and line.endswith("\n")]
        code = process.wait()
        timer.cancel()
        process.stdout.close()
        return code != -signal.SIGKILL

    def _kill_job(self, seconds: float) -> bool:
        settings = self.project.settings
        change = {"tenant": SHOP, "semantic": {"metrics": {"orders": {"hidden": bool(self.orders % 2)}}}}
        with Ops(settings.ops) as ops:
            service = JobService(settings, ops)
            job = service.submit(Posted("update", change, "bench"))
            ends_at = time.monotonic() + seconds + 2  # it imports meanwhile
            while time.monotonic() < ends_at and service.jobs.is_alive(job.id):
                time.sleep(0.05)
            if was_alive := service.jobs.is_alive(job.id):
                os.killpg(_process_of(job.id), signal.SIGKILL)
            while service.jobs.is_alive(job.id):
                time.sleep(0.02)
            state = service.reap(job).state
            assert state in ("ready", "failed"), state
        return not was_alive


def _process_of(job_id: str) -> int:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if job_id.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                    return int(entry.name)
            except OSError:
                continue
    raise AssertionError(f"{job_id} has no process")


def _sums(database: duckdb.DuckDBPyConnection, tables: str) -> dict[str, Any]:
    columns = database.execute(
        "select table_name, list(column_name order by column_index) filter (data_type similar to"
        " '(DECIMAL.*|BIGINT|INTEGER|DOUBLE)') from duckdb_columns()"
        " where schema_name = 'main' and table_name like ?"
        " and table_name in (select table_name from duckdb_tables()) group by all",
        [tables],
    ).fetchall()
    found: dict[str, Any] = {}
    for table, names in columns:
        items = ", ".join(["count(*)", *(f'sum("{name}")' for name in names or ())])
        row = database.execute(f'select {items} from "{table}"').fetchall()[0]
        found |= dict(zip((table, *(f"{table}.{name}" for name in names or ())), row, strict=True))
    return found
