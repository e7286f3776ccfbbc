"""Peak memory and CPU of a build under GATA_BUILD_MEMORY: `python -P -m bench.memory [--rows N] [--memory MB ...]`.

The shop of `shop.py` is built once without a setting and once under each limit, in processes of their own; each time
the sums must be those of the floor. Ends with 1 where a build holds more than its limit and a fifth.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.measured import Cost, run

VARIABLE = "GATA_BUILD_MEMORY"
OVER = 1.2


@dataclass(frozen=True)
class Build:
    """A first build: its limit in MB, None without one, and what it cost."""

    limit: int | None
    cost: Cost

    @property
    def is_within(self) -> bool:
        return self.limit is None or self.cost.peak_mb * 1.048576 <= OVER * self.limit


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--memory", nargs="*", type=int, default=[2_000, 1_000], help="limits in MB")
    given = parser.parse_args()
    builds = []
    for limit in (None, *given.memory):
        with tempfile.TemporaryDirectory(prefix="gata_memory_") as folder:
            builds.append(first_build(Path(folder), given.rows, given.days, limit))
    table = Table("limit MB", "peak MB", "CPU s", "wall s", "CPU / without", box=SIMPLE)
    for each in builds:
        cost = each.cost
        ratio = cost.cpu / builds[0].cost.cpu
        figures = (f"{cost.peak_mb:,.0f}", f"{cost.cpu:.1f}", f"{cost.wall:.1f}", f"{ratio:.2f}")
        table.add_row(f"{each.limit:,}" if each.limit else "none", *figures)
    Console(width=100).print(table)
    return 0 if all(each.is_within for each in builds) else 1


def first_build(home: Path, rows: int, days: int, limit: int | None) -> Build:
    """Build the shop in an empty home under a limit, and compare its sums with the floor's."""
    size = ("--home", str(home), "--rows", str(rows), "--days", str(days))
    for phase in ("prepare", "generate", "library"):
        run("bench.phases", phase, *size)
    if limit is not None:
        os.environ[VARIABLE] = f"{limit}MB"
    try:
        cost, found = run("bench.phases", "build", *size)
    finally:
        os.environ.pop(VARIABLE, None)
    if found.get("failures"):
        raise SystemExit(f"The build under {limit} MB failed: {found['failures']}")
    run("bench.phases", "floor", *size)
    _, sums = run("bench.phases", "compare", *size)
    if sums["gata"] != sums["floor"]:
        raise SystemExit(f"The build under {limit} MB has other sums than the floor.")
    return Build(limit, cost)


if __name__ == "__main__":
    sys.exit(main())
