"""10,000 random questions, compared with plain Python row by row: `python -P -m bench.random_questions [--times N]`.

The random tests of tests/semantic, each with N times the examples that `make test` tries: standard metrics, what no
source covers, comparisons of like days, cumulative sums, made-up catalogs, rollups, and the effects of explain_change.
Prints how many examples each tried, and ends with 1 when an answer of one differs.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from tests.semantic.examples import TIMES

FILES = tuple(f"tests/semantic/test_{name}.py" for name in ("against_reference", "rollups", "explain"))
_TESTED = re.compile(r"^\S+::(\w+):$(.*?)(?=^\S+::|\Z)", re.MULTILINE | re.DOTALL)
_PASSING = re.compile(r"(\d+) passing")


def examples_by_test(output: str) -> dict[str, int]:
    """How many examples passed, by the name of the test, from Hypothesis' own statistics."""
    return {name: sum(map(int, _PASSING.findall(told))) for name, told in _TESTED.findall(output)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=21)
    given = parser.parse_args()
    command = (sys.executable, "-P", "-m", "pytest", "-q", "--hypothesis-show-statistics", *FILES)
    done = subprocess.run(
        command, env={**os.environ, TIMES: str(given.times)}, capture_output=True, text=True, check=False
    )
    tried = examples_by_test(done.stdout)
    table = Table("test", box=SIMPLE)
    table.add_column("examples", justify="right")
    for name, count in tried.items():
        table.add_row(name.removeprefix("test_").replace("_", " "), f"{count:,}")
    console = Console(width=140)
    console.print(table)
    console.print(f"{sum(tried.values()):,} examples; {'none wrong' if done.returncode == 0 else 'WRONG'}.")
    if done.returncode:
        console.print(done.stdout[-8000:], done.stderr[-2000:], markup=False, highlight=False)
    return min(done.returncode, 1)


if __name__ == "__main__":
    sys.exit(main())
