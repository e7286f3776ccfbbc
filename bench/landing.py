"""Landing by this checkout and by another, in turns: `python -P -m bench.landing --baseline CHECKOUT [--rounds N]`.

Each round makes the same year of the synthetic shop in a fresh state folder for each checkout, and lands it in its own
process. The figure is CPU seconds per million rows, as the ratio of the medians; the baseline's environment is `.venv`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from bench.measured import ROOT, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baseline", type=Path, required=True, help="Another checkout of gata.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=230_000)
    arguments = parser.parse_args()
    checkouts = {"baseline": arguments.baseline.resolve(), "this checkout": ROOT}
    seconds: dict[str, list[float]] = {name: [] for name in checkouts}
    for _ in range(arguments.rounds):
        for name, checkout in checkouts.items():
            seconds[name].append(_cpu_per_million(checkout, arguments.rows))
    medians = {name: median(found) for name, found in seconds.items()}
    for name, found in seconds.items():
        print(f"{name:<14} {medians[name]:6.2f} CPU s per million rows ({min(found):.2f} to {max(found):.2f})")
    print(f"ratio          {medians['this checkout'] / medians['baseline']:6.3f}")


def _cpu_per_million(checkout: Path, rows: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        size = ("--home", folder, "--rows", str(rows))
        for phase in ("prepare", "generate"):
            run("bench.phases", phase, *size, checkout=checkout)
        cost, found = run("bench.phases", "land", *size, checkout=checkout)
    return cost.cpu / int(found["rows"]) * 1e6


if __name__ == "__main__":
    main()
