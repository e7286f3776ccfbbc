"""Cost of the gates within a build: `python -P -m bench.gates [--rows N] [--json]`.

The same exports are built to a published run with every gate on, and with all but the tests of the star off, by turns,
each in a process of its own and an empty state folder. A build may take at most a tenth longer for its gates.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path
from statistics import median

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.measured import Cost, run
from pipeline.gate_rules.gate_registry import GATES

MOST_SHARE = 0.10
VARIABLE = "GATA_GATES"
OFF = json.dumps(
    {gate.id: {"severity": "off"} for gate in GATES.values() if gate.threshold is not None and not gate.is_fixed}
)
WAYS = {"on": "{}", "off": OFF}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="about how many records the shop exports")
    parser.add_argument("--days", type=int, default=365, help="in how many days")
    parser.add_argument("--rounds", type=int, default=3, help="builds of each kind, by turns")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gata_bench_") as folder:
        costs = measure(Path(folder), arguments.rows, arguments.days, arguments.rounds)
    spent = {way: median(cost.cpu for cost in listed) for way, listed in costs.items()}
    share = (spent["on"] - spent["off"]) / spent["on"]
    if arguments.json:
        figures = {way: [cost.cpu for cost in listed] for way, listed in costs.items()}
        print(json.dumps({"rows": arguments.rows, "cpu": figures, "share": share, "most": MOST_SHARE}))
    else:
        report(costs, share)


def measure(folder: Path, rows: int, days: int, rounds: int) -> dict[str, list[Cost]]:
    """CPU seconds of whole builds, by turns with gates on and off."""
    made = folder / "made"
    for phase in ("prepare", "generate", "library"):
        run("bench.phases", phase, "--home", str(made), "--rows", str(rows), "--days", str(days))
    costs: dict[str, list[Cost]] = {way: [] for way in WAYS}
    for number in range(rounds):
        for way, gates in WAYS.items():
            home = folder / f"{way}_{number}"
            shutil.copytree(made, home)
            os.environ[VARIABLE] = gates
            cost, built = run("bench.phases", "build", "--home", str(home), "--days", str(days))
            if built["status"] != "published":
                raise SystemExit(f"The build with gates {way} came out as {built['status']}: {built.get('failures')}")
            costs[way].append(cost)
            shutil.rmtree(home)
    del os.environ[VARIABLE]
    return costs


def report(costs: dict[str, list[Cost]], share: float) -> None:
    table = Table("gates", box=SIMPLE)
    for name in ("CPU s", "wall s", "peak MB", "others"):
        table.add_column(name, justify="right")
    for way, listed in costs.items():
        for cost in listed:
            table.add_row(way, f"{cost.cpu:.2f}", f"{cost.wall:.2f}", f"{cost.peak_mb:.0f}", f"{cost.others:.0%}")
    console = Console(width=110)
    console.print(table)
    verdict = "met" if share <= MOST_SHARE else "MISSED"
    console.print(f"Gates are {share:.1%} of the CPU of a build (median); wanted at most {MOST_SHARE:.0%}: {verdict}.")


if __name__ == "__main__":
    main()
