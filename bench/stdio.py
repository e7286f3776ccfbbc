"""`gata mcp` as a client meets it: start, first and warm answers: `python -P -m bench.stdio [--home HOME] [--json]`.

Speaks both eras of the protocol over plain pipes: 2025-11-25 (`initialize` first) and 2026-07-28 (no handshake). Beside
each warm answer stands the same SQL, by a plain DuckDB cursor on the same file in this process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.measured import ROOT, run
from bench.shop import SLUG, TODAY

SHAPES: dict[str, dict[str, Any]] = {  # Any: JSON values
    "one fact": {
        "metrics": ["sessions", "conversion_rate"],
        "dimensions": ["traffic_source"],
        "filters": [{"name": "device_category", "value": "mobile"}],
    },
    "two facts": {"metrics": ["spend", "sessions", "roas"], "dimensions": ["campaign_name"]},
}
LEGACY, MODERN = "2025-11-25", "2026-07-28"
CLIENT = {"name": "bench", "version": "1"}
STARTS: dict[str, tuple[str, float | None]] = {
    "greeted_wall": ("start to first reply", 700),
    "greeted_cpu": ("the same, CPU", None),
    "answered_wall": ("start to first answer", None),
    "answered_cpu": ("the same, CPU", 1600),
}


class Server:
    """A stdio server, and one client that speaks to it, a line at a time."""

    def __init__(self, home: Path, era: str, **more: str) -> None:
        """`more` are settings by their variables, such as GATA_ROLLUPS."""
        self._era, self._asked = era, 0
        gata = Path(sys.executable).with_name("gata")
        settings = {"GATA_HOME": str(home), "GATA_TENANTS": str(home / "tenants.yaml"), "GATA_TODAY": TODAY.isoformat()}
        self._process = subprocess.Popen(
            [gata, "mcp", "--tenant", SLUG],
            cwd=ROOT,
            env=os.environ | settings | more,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._in, self._out = self._process.stdin, self._process.stdout

    def call(self, method: str, **params: object) -> dict[str, Any]:  # Any: JSON values
        """The result of one request."""
        self.send(method, **params)
        return self.receive()

    def send(self, method: str, **params: object) -> None:
        """Send a request, and do not wait for its result."""
        self._asked += 1
        if self._era == MODERN:
            client_meta = {"protocolVersion": MODERN, "clientCapabilities": {}, "clientInfo": CLIENT}
            params["_meta"] = {f"io.modelcontextprotocol/{name}": value for name, value in client_meta.items()}
        self._write({"jsonrpc": "2.0", "id": self._asked, "method": method, "params": params})

    def receive(self) -> dict[str, Any]:  # Any: JSON values
        """The next result."""
        reply = json.loads(self._out.readline())
        if "error" in reply or reply["result"].get("isError"):
            sys.exit(f"{reply}")
        return dict(reply["result"])

    def greet(self) -> None:
        """The first exchange of the era."""
        if self._era == MODERN:
            self.call("server/discover")
            return
        self.call("initialize", protocolVersion=LEGACY, capabilities={}, clientInfo=CLIENT)
        self._write({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def query(self, question: dict[str, Any]) -> dict[str, Any]:
        return dict(self.call("tools/call", name="query", arguments=question)["structuredContent"])

    def cpu_seconds(self) -> float:
        """Of all its threads, to the nanosecond: the clock that clock_getcpuclockid(3) names on Linux."""
        return time.clock_gettime(~self._process.pid << 3 | 2)

    def peak_mb(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def close(self) -> None:
        self._in.close()
        self._process.wait(timeout=10)
        self._out.close()

    def _write(self, message: dict[str, Any]) -> None:
        self._in.write(json.dumps(message) + "\n")
        self._in.flush()


@contextmanager
def serving(home: Path, era: str, **more: str) -> Iterator[Server]:
    server = Server(home, era, **more)
    try:
        yield server
    finally:
        server.close()


@dataclass(frozen=True)
class Start:
    """Wall and CPU seconds from the start of the process."""

    greeted_wall: float
    greeted_cpu: float
    answered_wall: float
    answered_cpu: float


@dataclass(frozen=True)
class Warm:
    """Milliseconds of a call, and server CPU per call."""

    median: float
    p95: float
    cpu: float


def start(home: Path, era: str) -> Start:
    began = time.perf_counter()
    with serving(home, era) as server:
        server.greet()
        greeted = time.perf_counter() - began, server.cpu_seconds()
        server.query(SHAPES["two facts"])
        return Start(*greeted, time.perf_counter() - began, server.cpu_seconds())


def warm(server: Server, shape: dict[str, Any], calls: int) -> tuple[Warm, dict[str, Any]]:
    """Answers of a shape that has been asked before, each with days of its own; and the last one, with its SQL."""
    server.query(shape | {"time_range": days(0)})
    before = server.cpu_seconds()
    taken = timed(calls, lambda place: server.query(shape | {"time_range": days(place + 1)}))
    cpu = (server.cpu_seconds() - before) / calls * 1000
    return Warm(*taken, cpu), server.query(shape | {"time_range": days(0), "include_sql": True})


def floor(home: Path, sql: str, calls: int) -> Warm:
    """The same statement, its days replaced each time, without a server."""
    import duckdb

    from pipeline.publish.pointer import latest_run_id

    published = home / "published" / SLUG
    known = days(0)
    with duckdb.connect(str(published / str(latest_run_id(published)) / "stars.duckdb"), read_only=True) as connection:

        def ask(place: int) -> None:
            fresh = days(place + 1)
            text = sql.replace(known["start"], fresh["start"]).replace(known["end"], fresh["end"])
            connection.cursor().execute(text).fetchall()

        ask(0)
        before = time.process_time()
        taken = timed(calls, ask)
        return Warm(*taken, (time.process_time() - before) / calls * 1000)


def timed(calls: int, work: Callable[[int], object]) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds."""
    taken = []
    for place in range(calls):
        began = time.perf_counter()
        work(place)
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def days(place: int) -> dict[str, str]:
    """A range of days that no other place has."""
    first = date(2025, 12, 1) + timedelta(days=place)
    return {"start": first.isoformat(), "end": (first + timedelta(days=60 + place % 7)).isoformat()}


def measure(home: Path, calls: int, starts: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for era in (LEGACY, MODERN):
        tries = [start(home, era) for _ in range(starts)]
        middle = {name: statistics.median(asdict(each)[name] for each in tries) for name in asdict(tries[0])}
        with serving(home, era) as server:
            server.greet()
            shapes = {}
            for name, shape in SHAPES.items():
                ours, answer = warm(server, shape, calls)
                shapes[name] = {"gata": asdict(ours), "floor": asdict(floor(home, answer["sql"][0], calls))}
            figures[era] = {"start": middle, "warm": shapes, "peak_mb": server.peak_mb()}
    return figures


def report(figures: dict[str, Any]) -> None:
    table = Table("protocol", "what", box=SIMPLE)
    for name in ("measured", "target", "", "p95", "server CPU", "plain SQL", "its p95", "ratio"):
        table.add_column(name, justify="right")
    for era, found in figures.items():
        for what, (name, limit) in STARTS.items():
            table.add_row(era, name, *_judged(found["start"][what] * 1000, limit))
        for name, sides in found["warm"].items():
            ours, plain = sides["gata"], sides["floor"]
            beside = [f"{value:.1f} ms" for value in (ours["p95"], ours["cpu"], plain["median"], plain["p95"])]
            ratio = f"{ours['median'] / plain['median']:.1f}"
            table.add_row(era, f"warm, {name}", *_judged(ours["median"], 20), *beside, ratio)
        table.add_row(era, "server's peak memory", f"{found['peak_mb']:.0f} MB")
    Console(width=120).print(table)


def _judged(measured: float, limit: float | None) -> tuple[str, str, str]:
    """A time in milliseconds, its target and the verdict."""
    if limit is None:
        return f"{measured:.0f} ms", "", ""
    return f"{measured:.1f} ms", f"< {limit} ms", "met" if measured < limit else "MISSED"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="a state folder this shop is built in; else it is built")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gata_bench_") as folder:
        home = arguments.home or Path(folder)
        if not arguments.home:
            for phase in ("prepare", "generate", "build"):
                run("bench.phases", phase, "--home", str(home))
        figures = measure(home.resolve(), arguments.calls, arguments.starts)
    if arguments.json:
        print(json.dumps(figures))
    else:
        report(figures)


if __name__ == "__main__":
    main()
