"""Benchmark of one tenant end to end, phase by phase, beside the floor: `python -P -m bench.end_to_end [--json]`.

A year of a synthetic shop goes from generated files to a published run, each phase in a process of its own; then the
same in one `gata build`, and once more with nothing new. The floor makes the same facts from the same files by plain
DuckDB SQL; when its sums are not gata's, the bench fails.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.measured import Cost, run

STEPS = ("generate", "library", "land", "push", "stars", "publish", "ask")
STATUS = {"first build": "published", "nothing new": "unchanged"}  # how a whole build has to come out


@dataclass(frozen=True)
class Line:
    """One phase: seconds of the work and of the libraries it loads; the cost is of its whole process."""

    phase: str
    rows: int | None
    seconds: float
    cost: Cost | None = None

    @property
    def rows_per_second(self) -> float | None:
        return self.rows / self.seconds if self.rows else None


Lines = dict[str, Line]
Sums = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Target:
    """What the issue asks for, and what was measured."""

    what: str
    wanted: str
    unit: str
    measured: float
    is_met: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=230_000, help="about how many records the shop exports")
    parser.add_argument("--days", type=int, default=365, help="in how many days")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gata_bench_") as folder:
        lines, sums = measure(Path(folder), arguments.rows, arguments.days)
    targets = judge(lines)
    if arguments.json:
        print(json.dumps({"phases": _plain(lines), "targets": [asdict(each) for each in targets], "sums": sums}))
    else:
        report(lines, targets, sums)
    if sums["gata"] != sums["floor"]:
        sys.exit("The floor and gata disagree: one of them is wrong.")


def measure(folder: Path, rows: int, days: int) -> tuple[Lines, Sums]:
    """Every phase once, in order, and the sums of gata and of the floor."""
    stepwise, at_once = folder / "stepwise", folder / "at_once"
    for home in (stepwise, at_once):
        run("bench.phases", "prepare", "--home", str(home), "--rows", str(rows), "--days", str(days))
    lines: Lines = {}
    for phase in (*STEPS, "floor"):
        lines |= _phase(phase, phase, stepwise, days)
    _phase("generate", "generate", at_once, days)
    lines |= _phase("first build", "build", at_once, days)
    lines |= _phase("nothing new", "build", at_once, days)
    landed = lines["land"].rows
    for name in ("generate", "push", "stars", "floor", "first build"):
        lines[name] = Line(name, landed, lines[name].seconds, lines[name].cost)
    _, sums = run("bench.phases", "compare", "--home", str(stepwise))
    return lines, {side: sums[side] for side in ("gata", "floor")}


def _phase(name: str, phase: str, home: Path, days: int) -> Lines:
    """The line of a phase, and of each step of a build."""
    cost, found = run("bench.phases", phase, "--home", str(home), "--days", str(days))
    if found.get("failures"):
        sys.exit(f"{name}: {found['failures']}")
    if found.get("status") != STATUS.get(name):
        sys.exit(f"{name} came out as {found['status']}.")
    lines = {name: Line(name, found.get("rows"), found["seconds"], cost)}
    if name == "first build":
        for (step, began), (_, ended) in pairwise(found["steps"].items()):
            lines[f"- {step}"] = Line(f"- {step}", None, ended - began)
    return lines


def judge(lines: Lines) -> list[Target]:
    """The targets of the issue against the figures; push and stars as they follow each other in one build."""
    generate, land = lines["generate"].seconds, lines["land"].rows_per_second or 0.0
    push_and_stars = lines["- push"].seconds + lines["- stars"].seconds
    again = 100 * lines["nothing new"].seconds / lines["first build"].seconds
    return [
        Target("generate", "< 3", "s", generate, generate < 3),
        Target("land", ">= 100,000", "rows/s", land, land >= 100_000),
        Target("push + stars", "< 10", "s", push_and_stars, push_and_stars < 10),
        Target("nothing new / first build", "< 25", "%", again, again < 25),
    ]


def report(lines: Lines, targets: list[Target], sums: Sums) -> None:
    console = Console(width=110)
    console.print(_phases(lines))
    table = _table("target", "wanted", "measured", "")
    for each in targets:
        verdict = "met" if each.is_met else "MISSED"
        table.add_row(each.what, f"{each.wanted} {each.unit}", f"{each.measured:,.1f} {each.unit}", verdict)
    console.print(table)
    table = _table("sum", "gata", "floor", "")
    for name, ours in sums["gata"].items():
        table.add_row(name, ours, sums["floor"][name], "equal" if ours == sums["floor"][name] else "DIFFERENT")
    console.print(table)


def _phases(lines: Lines) -> Table:
    table = _table("phase", "rows", "work s", "process s", "CPU s", "rows/s", "peak MB", "CPU / floor", "others")
    floor = lines["floor"].cost
    for line in lines.values():
        rows = f"{line.rows:,}" if line.rows else ""
        pace = f"{line.rows_per_second:,.0f}" if line.rows_per_second else ""
        cells = [rows, f"{line.seconds:.2f}", "", "", pace]
        if line.cost and floor:
            cells[2:4] = f"{line.cost.wall:.2f}", f"{line.cost.cpu:.2f}"
            cells += [f"{line.cost.peak_mb:.0f}", f"{line.cost.cpu / floor.cpu:.1f}", f"{line.cost.others:.0%}"]
        table.add_row(line.phase, *cells)
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(first, box=SIMPLE)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _plain(lines: Lines) -> dict[str, Any]:  # Any: JSON values
    return {name: asdict(line) | {"rows_per_second": line.rows_per_second} for name, line in lines.items()}


if __name__ == "__main__":
    main()
