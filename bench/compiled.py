"""Cost of a changed small tenant by the SQL that dbt compiled, and through dbt: `python -P -m bench.compiled [--json]`.

A tenant of 16,000 records is built, and the next day of its exports arrives. That build runs in copies of the state
folder, in turn: as it is, and with what is kept of dbt removed, so that dbt compiles and runs all of it as a first
build does. The tables of each pair of stars must be equal, row for row.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.measured import run
from bench.shop import SLUG, TODAY, write_tenants

ROWS, DAYS = 16_000, 20
WAYS = ("kept SQL", "through dbt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS, help="records of the tenant, before the next day")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--work", choices=WORK, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--day", type=date.fromisoformat, default=TODAY, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        print(json.dumps(WORK[arguments.work](arguments.home, arguments.day)))
        return
    with tempfile.TemporaryDirectory(prefix="gata_bench_") as folder:
        figures = measure(Path(folder), arguments.rows, arguments.rounds)
    if arguments.json:
        print(json.dumps(figures))
    else:
        report(figures)


def measure(folder: Path, rows: int, rounds: int) -> list[dict[str, Any]]:  # Any: JSON values
    """Each round's build of the next day, by kept SQL and through dbt."""
    first = folder / "first"
    write_tenants(first, rows, DAYS)
    for work in ("library", "build"):
        run("bench.compiled", "--work", work, "--home", str(first), "--day", str(TODAY - timedelta(days=1)))
    figures = []
    for turn in range(rounds):
        rows_of = {}
        for way in WAYS if turn % 2 else reversed(WAYS):
            home = folder / way.replace(" ", "_")
            shutil.copytree(first, home)
            if way == "through dbt":
                for kept in (home / "dbt" / SLUG).glob("*.json.gz"):
                    kept.unlink()
            cost, built = run("bench.compiled", "--work", "build", "--home", str(home))
            _, rows_of[way] = run("bench.compiled", "--work", "rows", "--home", str(home))
            if built["imported_dbt"] != (way == "through dbt"):
                raise SystemExit(f"{way}: dbt was {'' if built['imported_dbt'] else 'not '}imported.")
            figures.append(
                {"way": way, "cpu": cost.cpu, "wall": cost.wall, "peak_mb": cost.peak_mb, "others": cost.others} | built
            )
            shutil.rmtree(home)
        if rows_of[WAYS[0]] != rows_of[WAYS[1]]:
            raise SystemExit(f"The tables differ: {rows_of}")
    return figures


def library(home: Path, day: date) -> dict[str, Any]:
    from server.orchestration.verbs import library as prepare

    return {"nodes": len(prepare(_open(home, day)))}


def build(home: Path, day: date) -> dict[str, Any]:
    import sys

    from server.orchestration.verbs import build as build_all

    result = build_all(_open(home, day))
    if result.exit_code:
        raise SystemExit(json.dumps(result.to_dict(), default=str))
    return {"imported_dbt": "dbt.cli.main" in sys.modules}


def rows(home: Path, day: date) -> dict[str, Any]:
    """By table of the star, its rows and the sum of their hashes."""
    import duckdb

    with duckdb.connect(str(_open(home, day).settings.stars(SLUG)), read_only=True) as star:
        names = star.execute("select table_name from duckdb_tables() where regexp_matches(table_name, '^(fct|dim)_')")
        return {
            name: star.execute(f"select count(*), sum(hash(t))::varchar from {name} as t").fetchall()
            for (name,) in sorted(names.fetchall())
        }


WORK: dict[str, Callable[[Path, date], dict[str, Any]]] = {"library": library, "build": build, "rows": rows}


def report(figures: list[dict[str, Any]]) -> None:
    table = Table(box=SIMPLE)
    for heading in ("build of a changed tenant", "CPU s", "runs", "wall s", "peak MB", "others"):
        table.add_column(heading, justify="left" if heading == "build of a changed tenant" else "right")
    medians = {}
    for way in WAYS:
        own = [figure for figure in figures if figure["way"] == way]
        medians[way] = statistics.median(figure["cpu"] for figure in own)
        table.add_row(
            way,
            f"{medians[way]:.2f}",
            ", ".join(f"{figure['cpu']:.1f}" for figure in own),
            f"{statistics.median(figure['wall'] for figure in own):.1f}",
            f"{max(figure['peak_mb'] for figure in own):.0f}",
            f"{max(figure['others'] for figure in own):.0%}",
        )
    Console().print(table)
    print(f"kept SQL / through dbt: {medians[WAYS[0]] / medians[WAYS[1]]:.2f}; the tables are equal in every round")


def _open(home: Path, day: date) -> Any:  # Any: a BuildContext, whose libraries the measuring process does not load
    from pipeline.settings import Settings
    from server.orchestration.build_context import open_build_context

    return open_build_context(Settings(home=home, tenants=home / "tenants.yaml", today=day))


if __name__ == "__main__":
    main()
