"""Cost of serving: CPU per call, calls in a second, sizes, a hundred tenants: `python -P -m bench.serving [--json]`.

Clients and server are two processes on one machine, so that calls in a second are those of both together; CPU
milliseconds are the server's alone. Every call is a new question, and no answer is cached, but where a row
says so. `--part load`, `sizes` or `tenants` measures one of the three.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.clients import LEGACY, MODERN, Arguments, Client, Legacy, Modern, Rest, Sse, Stdio
from bench.measured import ROOT
from pipeline.config.slug import slug_of
from pipeline.storage.ops import Ops
from server.serving.access import Access
from tests.server import published_fixture
from tests.server.published_fixture import PublishedHome, new_published_home

TICK = os.sysconf("SC_CLK_TCK")
CAMPAIGNS = 40
NO_LIMITS = {"GATA_RATE_PER_MINUTE": "0", "GATA_CALLS_AT_ONCE": "0", "GATA_STREAMS_AT_ONCE": "0"}
NO_CACHE = {"GATA_ANSWER_CACHE": "0MB"}
FRESH = count(1)
TENANTS = 100
LIMITS = {"100 x 5": 9_000, "1,000 x 5": 85_000}
Json = dict[str, Any]  # Any: JSON values


def question(rows: int, *, again: bool = False) -> Arguments:
    """Five columns; `again`: the same as ever, else one with a number that no call has sent."""
    least = 0 if again else next(FRESH)
    return {
        "metrics": ["spend", "impressions", "clicks"],
        "dimensions": ["date", "campaign_name"],
        "filters": [{"name": "spend", "op": ">", "value": least / 10_000_000}],
        "limit": rows,
    }


def wide_home(home: Path) -> PublishedHome:
    """Alpha with 42 campaigns on 59 days, names of 12 letters."""
    published = new_published_home(home)
    published.publish(
        "alpha",
        alter=f"""
        insert into fct_alpha__ad_performance by name
            select * exclude n replace (
                report_date::varchar || 'n' || n as performance_key, 'c' || n as campaign_key, 'c' || n as campaign_id,
                (7 * n + dayofyear(report_date)) * 1.37 as spend, 1000 + n as impressions, 10 + n % 7 as clicks)
            from (from fct_alpha__ad_performance where campaign_key = 'ALPHAXCANARY-1'), range({CAMPAIGNS}) as many(n);
        insert into dim_alpha__campaigns by name
            select * exclude n replace (
                'c' || n as campaign_key, 'c' || n as campaign_id, 'Prospects ' || n as campaign_name)
            from (from dim_alpha__campaigns limit 1), range({CAMPAIGNS}) as many(n);
        """,
    )
    return published


@contextmanager
def served(published: PublishedHome, **settings: str) -> Iterator[tuple[int, int]]:
    """`gata serve` as a process; gives its port and its process id."""
    own = {"GATA_HOME": str(published.settings.home), "GATA_TENANTS": str(published.settings.tenants)}
    command = [str(Path(sys.executable).with_name("gata")), "serve", "--port", "0"]
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **own, "GATA_TODAY": "2026-03-01", **NO_LIMITS, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr
        for line in server.stderr:
            if "Serving on" in line:
                break
        else:
            sys.exit("The server does not start.")
        port = int(line.split("127.0.0.1:")[1].split()[0])
        asyncio.run(_until_it_answers(Rest(port, published.tokens["alpha"])))
        yield port, server.pid
    finally:
        server.terminate()
        server.communicate(timeout=40)


async def _until_it_answers(client: Client) -> None:
    for _ in range(100):
        try:
            await client.open()
            await client.ask(question(1))
            await client.close()
        except OSError:
            await asyncio.sleep(0.1)
        else:
            return


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_mb(pid: int, what: str = "VmRSS:") -> float:
    return int(Path(f"/proc/{pid}/status").read_text().partition(what)[2].split()[0]) / 1024


@dataclass(frozen=True)
class Load:
    """Calls in a second, milliseconds of a call, and the server's CPU milliseconds for one."""

    each_second: float
    p50: float
    p99: float
    cpu: float


async def load(clients: Sequence[Client], pid: Callable[[], int], ask: Callable[[], Arguments], seconds: float) -> Load:
    """All clients ask without pause for so long."""
    taken: list[float] = []

    async def loop(client: Client, until: float) -> None:
        while (began := time.perf_counter()) < until:
            await client.ask(ask())
            taken.append(time.perf_counter() - began)

    for client in {id(client): client for client in clients}.values():
        await client.open()
    await asyncio.gather(*(client.ask(ask()) for client in clients))
    before, began = cpu_seconds(pid()), time.perf_counter()
    await asyncio.gather(*(loop(client, began + seconds) for client in clients))
    spent, lasted = cpu_seconds(pid()) - before, time.perf_counter() - began
    for client in {id(client): client for client in clients}.values():
        await client.close()
    parts = statistics.quantiles(taken, n=100, method="inclusive")
    return Load(len(taken) / lasted, parts[49] * 1000, parts[98] * 1000, spent / len(taken) * 1000)


def measure_load(published: PublishedHome, seconds: float, crowds: Sequence[int]) -> Json:
    """Every interface, with so many clients; 100 rows a call; with one client also 1,000, and a cached answer."""
    token = published.tokens["alpha"]
    figures: Json = {}
    cases = [("100 rows", 100, False, crowds), ("1,000 rows", 1000, False, (1,)), ("100 rows, cached", 100, True, (1,))]
    interfaces: dict[str, Callable[[int], Client]] = {
        "REST": lambda port: Rest(port, token),
        "streamable HTTP, 2026-07-28": lambda port: Modern(port, token),
        "streamable HTTP, 2025-11-25": lambda port: Legacy(port, token),
        "SSE": lambda port: Sse(port, token),
    }
    for what, rows, again, sizes in cases:

        def ask(rows: int = rows, again: bool = again) -> Arguments:
            return question(rows, again=again)

        variables = {} if again else NO_CACHE
        for era in (MODERN, LEGACY):
            for size in sizes:
                os.environ.update(variables or {"GATA_ANSWER_CACHE": "64MB"})
                pipe = Stdio(published.settings.home.parent, era)
                found = asyncio.run(load([pipe] * size, pipe.pid, ask, seconds))
                figures.setdefault(f"stdio, {era}", {})[f"{what}, {size}"] = asdict(found)
        with served(published, **variables) as (port, pid):
            for interface, make in interfaces.items():
                for size in sizes:
                    found = asyncio.run(load([make(port) for _ in range(size)], lambda: pid, ask, seconds))
                    figures.setdefault(interface, {})[f"{what}, {size}"] = asdict(found)
    return figures


async def _one(client: Client, arguments: Arguments) -> bytes:
    await client.open()
    answer = await client.ask(arguments)
    await client.close()
    return answer


def measure_sizes(published: PublishedHome) -> Json:
    """Bytes of one answer over stdio, both halves and all that is around them."""
    found = {}
    for what, rows in (("100 x 5", None), ("1,000 x 5", 1000)):
        arguments = {name: value for name, value in question(rows or 0).items() if rows or name != "limit"}
        answer = asyncio.run(_one(Stdio(published.settings.home.parent, MODERN), arguments))
        result = json.loads(answer)["result"]
        shape = result["structuredContent"]
        assert (len(shape["rows"]), len(shape["columns"])) == (rows or 100, 5)
        assert json.loads(result["content"][0]["text"]) == shape
        found[what] = len(answer)
    return found


def measure_tenants(home: Path, tenants: int) -> Json:
    """Memory of one process that has asked every tenant's newest run something."""
    slugs = [slug_of(f"tenant_{n}") for n in range(tenants)]
    published = new_published_home(home)
    for slug in slugs:
        published_fixture.CANARY[slug], published_fixture.CURRENCY[slug] = slug, "USD"
    lines = [f"  - {{slug: {slug}, business_name: {slug}, status: pending, currency: USD}}" for slug in slugs]
    published.settings.tenants.write_text(
        "\n".join(["tenants:", *lines, "  - {slug: alpha, business_name: A, status: pending}"])
    )
    published.publish("alpha")
    with Ops(published.settings.ops) as ops:
        tokens = {slug: Access(ops).create(tenant=slug, name=slug)[0] for slug in slugs}
    for slug in slugs:
        published.publish(slug)
    with served(published) as (port, pid):
        at_start, before = memory_mb(pid), cpu_seconds(pid)
        asked = {"metrics": ["spend", "roas"], "dimensions": ["campaign_name"]}
        for slug in slugs:
            asyncio.run(_one(Rest(port, tokens[slug], slug), asked))
        opened, each = memory_mb(pid), (cpu_seconds(pid) - before) / tenants * 1000
        for _ in range(3):
            for slug in slugs:
                asyncio.run(_one(Modern(port, tokens[slug]), {**asked, "dimensions": ["date"]}))
        return {
            "tenants": tenants,
            "at start": at_start,
            "all open": opened,
            "after three rounds": memory_mb(pid),
            "peak": memory_mb(pid, "VmHWM:"),
            "cpu of a first answer": each,
        }


def report(figures: Json) -> None:
    console = Console(width=140)
    if "load" in figures:
        cases = list(dict.fromkeys(case for interface in figures["load"].values() for case in interface))
        for case in cases:
            table = Table(case, box=SIMPLE)
            for name in ("calls/s", "p50 ms", "p99 ms", "server CPU ms"):
                table.add_column(name, justify="right")
            for interface, found in figures["load"].items():
                if case in found:
                    one = found[case]
                    table.add_row(interface, *(f"{one[name]:.2f}" for name in ("each_second", "p50", "p99", "cpu")))
            console.print(table)
    for what, size in figures.get("sizes", {}).items():
        console.print(f"{what}: {size:,} bytes, < {LIMITS[what]:,}: {'met' if size < LIMITS[what] else 'MISSED'}")
    if "tenants" in figures:
        console.print({name: round(value, 1) for name, value in figures["tenants"].items()}, "MB; < 1,500 wanted")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["load", "sizes", "tenants"])
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each crowd asks")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--tenants", type=int, default=TENANTS)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures: Json = {}
    with tempfile.TemporaryDirectory(prefix="gata_serving_") as folder:
        if arguments.part != "tenants":
            published = wide_home(Path(folder) / "wide")
        if arguments.part in {None, "sizes"}:
            figures["sizes"] = measure_sizes(published)
        if arguments.part in {None, "load"}:
            figures["load"] = measure_load(published, arguments.seconds, arguments.clients)
        if arguments.part in {None, "tenants"}:
            figures["tenants"] = measure_tenants(Path(folder) / "many", arguments.tenants)
    if arguments.json:
        print(json.dumps(figures))
    else:
        report(figures)


if __name__ == "__main__":
    main()
