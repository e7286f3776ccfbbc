"""What definitions cost to derive and validate: `python -P -m bench.generation [--home HOME] [--json]`.

The bench's shop is built once; its newest run is derived and validated again, as it is and widened to 40 tables and
800 columns (wide_star.py). CPU seconds of the work, of all its threads; `load` is what the libraries cost, which a
build loads for the key figures too. With --home the shop is built once and used again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from bench.measured import run

TABLES, COLUMNS = 40, 800
MOST_SECONDS, MOST_SHARE = 3.0, 0.05
PARTS = ("load", "find", "derive", "validate")
Figures = dict[str, Any]  # Any: JSON values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="a state folder that is kept")
    parser.add_argument("--rows", type=int, default=230_000, help="about how many records the shop exports")
    parser.add_argument("--days", type=int, default=365, help="in how many days")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--of", choices=("own", "wide"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.of:
        print(json.dumps(derived(arguments.home, is_wide=arguments.of == "wide")))
        return
    with tempfile.TemporaryDirectory(prefix="gata_bench_") as folder:
        figures = measure(arguments.home or Path(folder), arguments.rows, arguments.days)
    print(json.dumps(figures)) if arguments.json else report(figures)
    if not all(target["is_met"] for target in figures["targets"]):
        sys.exit(1)


def measure(home: Path, rows: int, days: int) -> Figures:
    """Build the shop where it is not, then derive its definitions twice, each in a process of its own."""
    kept = home / "first_build.json"
    if not kept.exists():
        run("bench.phases", "prepare", "--home", str(home), "--rows", str(rows), "--days", str(days))
        run("bench.phases", "generate", "--home", str(home), "--days", str(days))
        cost, _ = run("bench.phases", "build", "--home", str(home), "--days", str(days))
        kept.write_text(json.dumps(cost.cpu), encoding="utf-8")
    whole = json.loads(kept.read_text(encoding="utf-8"))
    _, own = run("bench.generation", "--of", "own", "--home", str(home))
    _, wide = run("bench.generation", "--of", "wide", "--home", str(home))
    share = _work(own) / whole
    targets = [
        {
            "what": f"find and derive, {wide['tables']} tables and {wide['columns']} columns",
            "measured": wide["find"] + wide["derive"],
            "is_met": wide["find"] + wide["derive"] < MOST_SECONDS,
        },
        {"what": "find, derive and validate / first build", "measured": share, "is_met": share < MOST_SHARE},
    ]
    return {"first_build": whole, "own": own, "wide": wide, "targets": targets}


def _work(found: Figures) -> float:
    return float(sum(found[part] for part in PARTS if part != "load"))


def derived(home: Path, *, is_wide: bool) -> Figures:
    """CPU seconds of each part for a copy of the newest run, and what came out."""
    began = [time.process_time()]
    from bench.shop import open_shop
    from bench.wide_star import widen
    from pipeline.publish.pointer import latest_run_id
    from pipeline.publish.run_files import DEFINITIONS, STARS
    from semantic.answering.validate import validate_run
    from semantic.definitions import derive as _derive  # noqa: F401  # loaded ahead, as in a build
    from semantic.definitions.found import find_tables as _find  # noqa: F401  # as above
    from semantic.sql.fact_aggregate import load_compiler
    from server.orchestration.publishing import derive_definitions, tables_of

    load_compiler()
    began.append(time.process_time())
    shop, tenant = open_shop(home)
    published = shop.settings.published(tenant.slug)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        copy = Path(folder, str(latest_run_id(published)))
        shutil.copytree(published / copy.name, copy)
        if is_wide:
            widen(copy / STARS, tenant.slug, tables=TABLES, columns=COLUMNS)
        parts = [time.process_time()]
        tables = tables_of(tenant, copy / STARS)
        parts.append(time.process_time())
        text = derive_definitions(tenant, copy / STARS, tables)
        parts.append(time.process_time())
        (copy / DEFINITIONS).unlink()
        (copy / DEFINITIONS).write_text(text, encoding="utf-8")
        model = validate_run(copy)
        parts.append(time.process_time())
    seconds = [after - before for before, after in (*pairwise(began), *pairwise(parts))]
    return {
        **dict(zip(PARTS, seconds, strict=True)),
        "tables": len(tables.tables),
        "columns": sum(len(table.columns) for table in tables.tables),
        "metrics": len(model.catalog.metrics),
        "dimensions": len(model.catalog.dimensions),
        "joins": len(model.relationships),
        "candidates": len(tables.candidates),
    }


def report(figures: Figures) -> None:
    listed = Table(*("star", *PARTS, "tables", "columns", "metrics", "dimensions", "joins", "candidates"), box=SIMPLE)
    for name in ("own", "wide"):
        found = figures[name]
        seconds = (f"{found[part]:.2f}" for part in PARTS)
        listed.add_row(name, *seconds, *(str(found[column.header]) for column in listed.columns[len(PARTS) + 1 :]))
    console = Console()
    console.print(listed)
    console.print(f"first build: {figures['first_build']:.1f} CPU s")
    for target in figures["targets"]:
        console.print(f"{target['what']}: {target['measured']:.3f}, {'met' if target['is_met'] else 'missed'}")


if __name__ == "__main__":
    main()
