"""10,000 calls of two tenants and their agency, alike and at once: `python -P -m bench.isolation [--calls N]`.

What is asked, and what must not come back, is in `tests/server/isolation.py`, whose tests run a part of it. Ends with 1
when anything of one tenant was told to the other, or a call failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.serving import served
from tests.server.isolation import Crossings, cross, publish_marked
from tests.server.published_fixture import new_published_home

SEED = 2026


def measure(calls: int, seed: int, workers: int) -> tuple[Crossings, float]:
    """What crossed, and the CPU seconds of the clients, with the server's where it is one worker in this process."""
    with tempfile.TemporaryDirectory(prefix="gata_isolation_") as folder:
        home = new_published_home(Path(folder))
        publish_marked(home)
        began = time.process_time()
        if workers == 1:
            with home.serving() as address:
                found = asyncio.run(cross(home, address, calls // 3, seed))
        else:
            with served(home, GATA_WORKERS=str(workers)) as (port, _):
                found = asyncio.run(cross(home, f"http://127.0.0.1:{port}", calls // 3, seed))
        return found, time.process_time() - began


def report(found: Crossings, seconds: float) -> None:
    table = Table("interface", box=SIMPLE)
    table.add_column("calls", justify="right")
    table.add_column("answers with the caller's own canary", justify="right")
    for interface, calls in sorted(found.calls.items()):
        table.add_row(interface, f"{calls:,}", f"{found.own[interface]:,}")
    console = Console(width=120)
    console.print(table)
    console.print(f"handles sent: {dict(found.taken)}; statuses: {dict(sorted(found.statuses.items()))}")
    console.print(f"{found.calls.total():,} calls in {seconds:.0f} CPU s: {len(found.crossed)} crossed,", end=" ")
    console.print(f"{len(found.failed)} failed.")
    for line in (*found.crossed[:20], *found.failed[:20]):
        console.print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=1, help="processes behind the port")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found, seconds = measure(arguments.calls, arguments.seed, arguments.workers)
    if arguments.json:
        counts = {"calls": dict(found.calls), "own": dict(found.own), "taken": dict(found.taken), "cpu": seconds}
        print(json.dumps(counts | {"crossed": found.crossed, "failed": found.failed}))
    else:
        report(found, seconds)
    sys.exit(1 if found.crossed or found.failed else 0)


if __name__ == "__main__":
    main()
