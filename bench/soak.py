"""Eight clients ask without pause while builds publish and a rollback happens: `python -P -m bench.soak [--minutes N]`.

A shop of 20,000 records is built, served by `gata serve`, and asked over REST, streamable HTTP in both eras and SSE:
two clients each, who never ask the same thing twice. Meanwhile `gata build` runs twice, each with a new day of exports,
and `gata rollback` once. Every answer says which run it is of, and must be what SQL says about that run's own file: a
failed answer, or one of two runs, ends the bench with 1. With --minutes the load goes on that long, for the memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.clients import Client, Legacy, Modern, Rest, Sse
from bench.measured import ROOT
from bench.serving import NO_CACHE, NO_LIMITS, cpu_seconds, memory_mb
from bench.shop import SLUG, write_tenants
from pipeline.publish.pointer import latest_run_id, run_ids
from pipeline.storage.ops import Ops
from server.serving.access import Access

Json = dict[str, Any]  # Any: JSON values
RECORDS, DAYS = 20_000, 60
FIRST = date(2026, 11, 19)
IDLE_SECONDS, TAIL_SECONDS = 10.0, 5.0
P95_LIMIT, SEEN_LIMIT = 5.0, 1.0
FRESH = count(1)
SQL = f"""
    with spent as (select report_date as day, sum(spend) as spend from fct_{SLUG}__ad_performance group by all),
        sold as (select order_date as day, count(*) as orders from fct_{SLUG}__orders group by all),
        came as (select session_date as day, count(*) as sessions from fct_{SLUG}__sessions group by all)
    select day::varchar, spend, orders, sessions from spent full join sold using (day) full join came using (day)
    where coalesce(sessions, 0) > -1 order by day
"""


def question() -> Json:
    """Three facts by day; the filter holds for every group, and no call has sent it before."""
    return {
        "metrics": ["spend", "orders", "sessions"],
        "dimensions": ["date"],
        "filters": [{"name": "sessions", "op": ">", "value": -next(FRESH)}],
        "order_by": ["date"],
        "limit": 1000,
    }


@dataclass
class Observed:
    """The answers of the clients, with their times."""

    taken: list[tuple[float, float]] = field(default_factory=list)
    """When an answer came, and the seconds it took."""
    rows: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By run: the different answers there were. One, if all is well."""
    first_seen: dict[str, float] = field(default_factory=dict)
    orders: list[str] = field(default_factory=list)
    """Runs in the order in which the last answer of each was begun."""
    failed: list[str] = field(default_factory=list)


def structure(body: bytes) -> Json:
    """The answer without the envelope of its interface."""
    text = body.decode()
    if text.startswith("event:"):
        text = next(line for line in text.splitlines() if line.startswith("data: "))[6:]
    found: Json = json.loads(text)
    return found if "rows" in found else dict(found["result"]["structuredContent"])


async def ask_on(client: Client, seen: Observed, is_over: asyncio.Event) -> None:
    await client.open()
    while not is_over.is_set():
        began = time.perf_counter()
        try:
            answer = structure(await client.ask(question()))
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a failed answer
            seen.failed.append(f"{type(client).__name__}: {type(error).__name__}: {error}"[:300])
            continue
        ended = time.perf_counter()
        seen.taken.append((ended, ended - began))
        seen.rows[answer["run_id"]].add(json.dumps(answer["rows"]))
        seen.first_seen.setdefault(answer["run_id"], time.time())
    await client.close()


class Shop:
    """The state folder, and the commands that change it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        write_tenants(home, RECORDS, DAYS)
        self.published = home / "published" / SLUG
        self.moments: dict[str, float] = {}
        """When each run was first seen to be the one that readers get."""

    def environment(self, today: date) -> dict[str, str]:
        own = {"GATA_HOME": str(self.home), "GATA_TENANTS": str(self.home / "tenants.yaml")}
        return {**os.environ, **own, "GATA_TODAY": today.isoformat(), **NO_LIMITS, **NO_CACHE}

    async def gata(self, *words: str, today: date) -> None:
        gata = str(Path(sys.executable).with_name("gata"))
        child = await asyncio.create_subprocess_exec(
            gata,
            *words,
            cwd=ROOT,
            env=self.environment(today),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, errors = await child.communicate()
        if child.returncode:
            raise SystemExit(f"gata {' '.join(words)}: {errors.decode()[-1000:]}")

    async def watch(self, is_over: asyncio.Event) -> None:
        """Note when the pointer names another run."""
        known = None
        while not is_over.is_set():
            now = latest_run_id(self.published)
            if now and now != known:
                known = now
                self.moments[now] = time.time()
            await asyncio.sleep(0.01)

    def expected(self, run_id: str) -> list[list[Any]]:
        path = self.published / run_id / "stars.duckdb"
        with duckdb.connect(str(path), read_only=True) as connection:
            return [list(row) for row in connection.execute(SQL).fetchall()]


@contextmanager
def serving(shop: Shop) -> Iterator[tuple[int, int]]:
    command = [str(Path(sys.executable).with_name("gata")), "serve", "--port", "0"]
    environment = {name: value for name, value in shop.environment(FIRST).items() if name != "GATA_TODAY"}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr
        line = next(line for line in server.stderr if "Serving on" in line)
        yield int(line.split("127.0.0.1:")[1].split()[0]), server.pid
    finally:
        server.terminate()
        server.communicate(timeout=40)


async def soak(shop: Shop, port: int, pid: int, token: str, minutes: float) -> tuple[Observed, Json]:
    seen, is_over = Observed(), asyncio.Event()
    clients = [kind(port, token, SLUG) for kind in (Rest, Modern, Legacy, Sse) for _ in range(2)]
    asking = [asyncio.create_task(ask_on(client, seen, is_over)) for client in clients]
    watching = asyncio.create_task(shop.watch(is_over))
    await asyncio.sleep(2)  # everything is loaded, and every connection is open
    marks = {"idle": time.perf_counter()}
    memory = [(0.0, memory_mb(pid))]
    await asyncio.sleep(IDLE_SECONDS)
    marks["busy"] = time.perf_counter()
    for number in (1, 2):
        await shop.gata("build", "--tenant", SLUG, today=FIRST + timedelta(days=number))
        memory.append((time.perf_counter() - marks["idle"], memory_mb(pid)))
    newest = latest_run_id(shop.published)
    marks["rollback"] = time.perf_counter()
    await shop.gata("rollback", "--tenant", SLUG, today=FIRST)
    rolled = time.time()
    await asyncio.sleep(TAIL_SECONDS)
    marks["end"] = time.perf_counter()
    ends = time.perf_counter() + minutes * 60
    while time.perf_counter() < ends:
        await asyncio.sleep(min(10.0, ends - time.perf_counter()))
        memory.append((time.perf_counter() - marks["idle"], memory_mb(pid)))
    memory.append((time.perf_counter() - marks["idle"], memory_mb(pid)))
    is_over.set()
    await asyncio.gather(*asking, watching)
    return seen, {
        "marks": marks,
        "memory": memory,
        "peak": memory_mb(pid, "VmHWM:"),
        "cpu": cpu_seconds(pid),
        "newest": newest,
        "answers after the rollback": latest_run_id(shop.published),
        "rolled": rolled,
    }


def p95(taken: Sequence[tuple[float, float]], start: float, end: float) -> float:
    return statistics.quantiles([spent for moment, spent in taken if start <= moment < end], n=20)[-1] * 1000


def is_same(answer: list[list[Any]], wanted: list[list[Any]]) -> bool:
    """Whether an answer is what SQL says; an answer has 0 where SQL has no row of that fact."""
    pairs = [
        (a or 0, b or 0) for one, other in zip(answer, wanted, strict=True) for a, b in zip(one, other, strict=True)
    ]
    return all(a == b if isinstance(a, str) else math.isclose(float(a), float(b), abs_tol=1e-6) for a, b in pairs)


def judge(shop: Shop, seen: Observed, about: Json) -> Json:
    """The figures, and what is wrong."""
    wrong = list(dict.fromkeys(seen.failed))
    for run_id, answers in seen.rows.items():
        if len(answers) != 1:
            wrong.append(f"{len(answers)} different answers of run {run_id}")
        wanted = shop.expected(run_id)
        wrong += [f"not what SQL says of {run_id}" for text in answers if not is_same(json.loads(text), wanted)]
    marks = about["marks"]
    idle, busy = p95(seen.taken, marks["idle"], marks["busy"]), p95(seen.taken, marks["busy"], marks["end"])
    late = {run: seen.first_seen[run] - moment for run, moment in shop.moments.items() if run in seen.first_seen}
    if len(seen.rows) < 3:
        wrong.append(f"only {len(seen.rows)} runs were seen")
    if about["newest"] == about["answers after the rollback"]:
        wrong.append("the rollback changed nothing")
    counted = [moment for moment, _ in seen.taken]
    return {
        "calls": len(seen.taken),
        "idle_per_second": sum(marks["idle"] <= m < marks["busy"] for m in counted) / (marks["busy"] - marks["idle"]),
        "p95_idle": idle,
        "p95_busy": busy,
        "busy_seconds": marks["end"] - marks["busy"],
        "runs": len(seen.rows),
        "kept": len(run_ids(shop.published)),
        "slowest_to_see_a_run": max(late.values(), default=0.0),
        "memory": about["memory"],
        "peak": about["peak"],
        "wrong": wrong,
        "failed": len(seen.failed),
    }


def report(figures: Json) -> None:
    console = Console(width=120)
    table = Table("what", box=SIMPLE)
    for name in ("measured", "target", ""):
        table.add_column(name, justify="right")
    ratio = figures["p95_busy"] / figures["p95_idle"]
    rows = [
        ("calls", f"{figures['calls']:,}", "", None),
        ("calls in a second, idle", f"{figures['idle_per_second']:.0f}", "", None),
        ("runs that answered", figures["runs"], ">= 3", figures["runs"] >= 3),
        ("failed or mixed answers", len(figures["wrong"]), "0", not figures["wrong"]),
        ("p95, idle", f"{figures['p95_idle']:.0f} ms", "", None),
        ("p95, builds and rollback", f"{figures['p95_busy']:.0f} ms", "", None),
        ("their ratio", f"{ratio:.2f}", f"<= {P95_LIMIT:g}", ratio <= P95_LIMIT),
        ("a published run answers after", f"{figures['slowest_to_see_a_run']:.2f} s", f"<= {SEEN_LIMIT:g} s", None),
        (
            "memory, first and last",
            " ".join(f"{mb:.0f}" for _, mb in (figures["memory"][0], figures["memory"][-1])),
            "",
            None,
        ),
        ("peak memory", f"{figures['peak']:.0f} MB", "", None),
    ]
    for what, value, target, is_met in rows:
        table.add_row(what, str(value), target, "" if is_met is None else "met" if is_met else "MISSED")
    console.print(table)
    console.print("memory over seconds:", " ".join(f"{s:.0f}:{mb:.0f}" for s, mb in figures["memory"]))
    for line in figures["wrong"][:20]:
        console.print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=0.0, help="how long the load goes on afterwards")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gata_soak_") as folder:
        shop = Shop(Path(folder).resolve())
        asyncio.run(shop.gata("build", "--tenant", SLUG, today=FIRST))
        with Ops(shop.home / "ops.sqlite") as ops:
            token, _ = Access(ops).create(tenant=SLUG, name="soak")
        with serving(shop) as (port, pid):
            seen, about = asyncio.run(soak(shop, port, pid, token, arguments.minutes))
        figures = judge(shop, seen, about)
    if arguments.json:
        print(json.dumps(figures))
    else:
        report(figures)
    sys.exit(1 if figures["wrong"] else 0)


if __name__ == "__main__":
    main()
