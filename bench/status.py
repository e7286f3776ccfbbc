"""CPU of `gata status` over `gata --help`, in a home of many tenants and runs that is made without building any.

    python -P -m bench.status [--tenants 1000] [--runs 10000]

Each tenant has a published run of one small table, its notes, and steps in the ledger; one in fifty has failed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from pipeline.config.slug import Slug, slug_of
from pipeline.publish.run_store import commit, stage
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from pipeline.storage.run_id import new_run_id
from server.orchestration.publishing import PublishedStar, finish_star, write_built
from warehouse.build.star import StarBuild

NOW = datetime.now(UTC)
TENANTS_OF_RUN = 10
SOURCES = "{facebook_ads: {enabled: true}, shopify: {enabled: true}, google_analytics: {enabled: true}}"


def make_home(home: Path, tenants: int, runs: int) -> Settings:
    """A home with so many tenants and runs."""
    home.mkdir(parents=True)
    slugs = [slug_of(f"tenant_{number:04d}") for number in range(tenants)]
    entries = "".join(f"  - {{slug: {slug}, business_name: Shop, sources: {SOURCES}}}\n" for slug in slugs)
    (home / "tenants.yaml").write_text(f"tenants:\n{entries}", encoding="utf-8")
    settings = Settings(home=home, tenants=home / "tenants.yaml")
    _record(settings, slugs, runs)  # first: a home of runs without an operations database is a damaged one
    for slug in slugs:
        _publish(settings, slug)
    return settings


def _publish(settings: Settings, slug: Slug) -> None:
    stars = settings.stars(slug)
    stars.parent.mkdir(parents=True)
    with duckdb.connect(str(stars)) as star:
        star.execute(f"create table fct_{slug}__orders as select 1 as order_key")
    staged = stage(stars, settings.published(slug), new_run_id(NOW), slug, {f"fct_{slug}__orders": ("order_key",)})
    published = commit(staged, "metrics: []\n", now=NOW)
    finish_star(settings, slug, "inputs", (), StarBuild(nodes=()))
    rows = {f"fct_{slug}__orders": 1}
    write_built(settings, slug, PublishedStar(inputs="inputs", run_id=published.run_id, rows=rows))


def _record(settings: Settings, slugs: list[Slug], runs: int) -> None:
    with Ops(settings.ops) as ops, ops.transaction() as database:
        for number in range(runs):
            at = NOW - timedelta(minutes=runs - number)
            run_id, text = new_run_id(at), at.isoformat()
            database.execute("insert into runs values (?, '*', 'done', null, ?, ?)", (run_id, text, text))
            first = number * TENANTS_OF_RUN
            database.executemany(
                "insert into steps (run_id, tenant, step, status, rows_out, seconds, at, detail, failure)"
                " values (?, ?, ?, ?, 10, 0.1, ?, ?, ?)",
                [
                    (
                        run_id,
                        slug,
                        step,
                        *(("failed", text, "It broke.", "LandError") if is_bad else ("done", text, None, None)),
                    )
                    for slug in (slugs[(first + offset) % len(slugs)] for offset in range(TENANTS_OF_RUN))
                    for step in ("land", "push", "stars", "publish")
                    for is_bad in (step == "publish" and int(slug[-4:]) % 50 == 0,)
                ],
            )


def cpu_seconds(settings: Settings, *arguments: str, times: int = 3) -> float:
    """User and system seconds of one command; the least of several times."""
    environment = {**os.environ, "GATA_HOME": str(settings.home), "GATA_TENANTS": str(settings.tenants)}
    command = [sys.executable, "-P", "-c", "import sys; from server.cli.app import main; sys.exit(main())", *arguments]
    taken = []
    for _ in range(times):
        child = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, cwd=Path(__file__).parents[1])
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise SystemExit(f"gata {' '.join(arguments)} ended with exit code {child.returncode}")
        taken.append(usage.ru_utime + usage.ru_stime)
    return min(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gata-status-") as folder:
        settings = make_home((options.home or Path(folder)) / "home", options.tenants, options.runs)
        figures = {"help": cpu_seconds(settings, "--help")}
        figures["first status"] = cpu_seconds(settings, "status", times=1)
        figures["status"] = cpu_seconds(settings, "status")
        figures["status --json"] = cpu_seconds(settings, "status", "--json")
        figures["runs"] = cpu_seconds(settings, "runs")
        over = figures["status"] - figures["help"]
        sys.stdout.write(json.dumps({**figures, "status over help": over}) + "\n")


if __name__ == "__main__":
    main()
