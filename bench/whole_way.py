"""The whole way of one tenant, phase by phase, beside the floor: `python -m bench.whole_way [--json]`.

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
from pathlib import Path
from typing import Any

from bench.measured import Cost, run

STEPS = ("generate", "library", "land", "push", "stars", "publish", "ask")
STATUS = {"first build": "published", "nothing new": "unchanged"}  # how a whole build has to come out


@dataclass(frozen=True)
class Line:
    """One phase. `seconds` are of the work and the libraries it loads; the cost is of its whole process."""

    phase: str
    rows: int | None
    seconds: float
    cost: Cost

    @property
    def rows_per_second(self) -> float | None:
        return self.rows / self.seconds if self.rows else None


@dataclass(frozen=True)
class Target:
    """What the issue asks for, and what was measured."""

    what: str
    wanted: str
    measured: float
    unit: str
    is_met: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=230_000, help="about how many records the shop exports")
    parser.add_argument("--days", type=int, default=365, help="in how many days")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gata_bench_") as folder:
        lines, sums = measure(Path(folder), arguments.rows, arguments.days)
    report(lines, judge(lines), sums, as_json=arguments.json)
    if sums["gata"] != sums["floor"]:
        sys.exit("The floor and gata disagree: one of them is wrong.")


def measure(folder: Path, rows: int, days: int) -> tuple[dict[str, Line], dict[str, dict[str, str]]]:
    """Every phase once, in order, and the sums of gata and of the floor."""
    stepwise, at_once = folder / "stepwise", folder / "at_once"
    for home in (stepwise, at_once):
        run("bench.phases", "prepare", "--home", str(home), "--rows", str(rows), "--days", str(days))
    lines: dict[str, Line] = {}
    for phase in (*STEPS, "floor"):
        lines[phase] = _phase(phase, phase, stepwise, days)
    landed = lines["land"].rows
    _phase("generate", "generate", at_once, days)
    lines["first build"] = _phase("first build", "build", at_once, days)
    lines["nothing new"] = _phase("nothing new", "build", at_once, days)
    _, sums = run("bench.phases", "compare", "--home", str(stepwise))
    for name in ("generate", "push", "stars", "first build", "floor"):
        lines[name] = Line(name, landed, lines[name].seconds, lines[name].cost)
    return lines, {side: sums[side] for side in ("gata", "floor")}


def _phase(name: str, phase: str, home: Path, days: int) -> Line:
    cost, found = run("bench.phases", phase, "--home", str(home), "--days", str(days))
    if found.get("failures"):
        sys.exit(f"{name}: {found['failures']}")
    if found.get("status") != STATUS.get(name):
        sys.exit(f"{name} came out as {found['status']}.")
    return Line(name, found.get("rows"), found["seconds"], cost)


def judge(lines: dict[str, Line]) -> list[Target]:
    """The targets of the issue against the figures."""
    land = lines["land"].rows_per_second or 0.0
    push_and_stars = lines["push"].seconds + lines["stars"].seconds
    again = 100 * lines["nothing new"].cost.wall / lines["first build"].cost.wall
    generate = lines["generate"].seconds
    return [
        Target("generate", "< 3", generate, "s", generate < 3),
        Target("land", ">= 100,000", land, "rows/s", land >= 100_000),
        Target("push + stars", "< 10", push_and_stars, "s", push_and_stars < 10),
        Target("nothing new / first build", "< 25", again, "%", again < 25),
    ]


def report(lines: dict[str, Line], targets: list[Target], sums: dict[str, dict[str, str]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"phases": _plain(lines), "targets": [asdict(target) for target in targets], "sums": sums}))
        return
    floor = lines["floor"]
    print(
        f"{'phase':14}{'rows':>10}{'work s':>9}{'process s':>11}{'CPU s':>8}{'rows/s':>11}{'peak MB':>9}"
        f"{'CPU / floor':>13}{'others':>8}"
    )
    for line in lines.values():
        speed = f"{line.rows_per_second:,.0f}" if line.rows_per_second else ""
        print(
            f"{line.phase:14}{line.rows or '':>10}{line.seconds:9.2f}{line.cost.wall:11.2f}{line.cost.cpu:8.2f}"
            f"{speed:>11}{line.cost.peak_mb:9.0f}{line.cost.cpu / floor.cost.cpu:13.1f}{line.cost.others:8.0%}"
        )
    print()
    for target in targets:
        verdict = "met" if target.is_met else "MISSED"
        print(f"{target.what:28}{target.wanted:>12} {target.unit:8}{target.measured:>12,.1f}   {verdict}")
    print()
    print(f"{'sum':18}{'gata':>16}{'floor':>16}")
    for name, value in sums["gata"].items():
        print(f"{name:18}{value:>16}{sums['floor'][name]:>16}{'' if value == sums['floor'][name] else '   DIFFERENT'}")


def _plain(lines: dict[str, Line]) -> dict[str, Any]:  # Any: JSON values
    return {name: asdict(line) | {"rows_per_second": line.rows_per_second} for name, line in lines.items()}


if __name__ == "__main__":
    main()
