"""One phase of a build in this process: `python -P -m bench.phases PHASE --home HOME`. end_to_end.py runs them.

Prints a JSON object: `seconds` (the work, with the libraries it loads on its way), `rows`, and what the phase found.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.shop import generate_files, open_shop, write_tenants
from pipeline.log import configure_log

Found = dict[str, Any]  # Any: JSON values


@dataclass(frozen=True)
class PhaseInput:
    """Input of a phase: the state folder, and the size of the shop to make."""

    home: Path
    rows: int
    days: int


def prepare(phase: PhaseInput) -> Found:
    write_tenants(phase.home, phase.rows, phase.days)
    return {}


def generate(phase: PhaseInput) -> Found:
    files = generate_files(phase.home, phase.days)
    return {"bytes": sum(path.stat().st_size for paths in files.values() for path in paths)}


def library(phase: PhaseInput) -> Found:
    from warehouse.build.hub_library import prepare_hub

    shop, _tenant = open_shop(phase.home)
    prepare_hub(shop.blueprints, shop.settings)
    return {"sinks": len(shop.blueprints)}


def land(phase: PhaseInput) -> Found:
    from pipeline.ingest.land import land_tenant

    shop, tenant = open_shop(phase.home)
    landing = land_tenant(tenant, shop.blueprints, shop.settings)
    return {"rows": sum(table.rows for table in landing.tables)}


def push(phase: PhaseInput) -> Found:
    from warehouse.build.push import push, sink_rows

    shop, tenant = open_shop(phase.home)
    push(tenant, shop.blueprints, shop.settings)
    return {"rows": sum(sink_rows(tenant, shop.settings, shop.blueprints).values())}


def stars(phase: PhaseInput) -> Found:
    from warehouse.build.star import build_star

    shop, tenant = open_shop(phase.home)
    star = build_star(tenant, shop.blueprints, shop.settings)
    return {"failures": star.failures}


def publish(phase: PhaseInput) -> Found:
    from server.orchestration.publishing import publish_star
    from warehouse.build.inputs import star_inputs

    shop, tenant = open_shop(phase.home)
    built = publish_star(tenant, shop.settings, star_inputs(tenant, shop.blueprints, shop.settings))
    return {"rows": sum(built.rows.values())}


def ask(phase: PhaseInput) -> Found:
    from semantic.planning.query import read_query
    from server.serving import tools
    from server.serving.runs.published_runs import PublishedRuns

    shop, tenant = open_shop(phase.home)
    query = read_query({"metrics": ["roas", "spend", "sessions"], "dimensions": ["campaign_name"]})
    runs = PublishedRuns(shop.settings)
    with runs.run(tenant.slug) as run, run.cursor() as cursor:
        answer = tools.query(run, query, cursor, shop.settings).to_dict()
    runs.close()
    return {"rows": len(answer["rows"])}


def build(phase: PhaseInput) -> Found:
    from server.orchestration.verbs import build

    shop, _tenant = open_shop(phase.home)
    began: dict[str, float] = {}

    def watch(_tenant: str, step: str) -> None:
        began.setdefault(step, time.perf_counter())

    (report,) = build(shop, watch=watch).tenants
    if report.error:
        raise report.error
    failures = [found for found in report.findings if " says fail" in found]
    return {"status": report.status, "failures": failures, "steps": began | {"end": time.perf_counter()}}


def floor(phase: PhaseInput) -> Found:
    from bench.floor import build_floor

    return {"rows": sum(build_floor(phase.home).values())}


def compare(phase: PhaseInput) -> Found:
    from bench.floor import sums_of_floor, sums_of_gata

    shop, tenant = open_shop(phase.home)
    return {"gata": sums_of_gata(shop.settings.published(tenant.slug)), "floor": sums_of_floor(phase.home)}


PHASES: dict[str, Callable[[PhaseInput], Found]] = {
    each.__name__: each for each in (prepare, generate, library, land, push, stars, publish, ask, build, floor, compare)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("phase", choices=PHASES)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=230_000)
    parser.add_argument("--days", type=int, default=365)
    arguments = parser.parse_args()
    configure_log()
    started = time.perf_counter()
    found = PHASES[arguments.phase](PhaseInput(arguments.home, arguments.rows, arguments.days))
    print(json.dumps({"seconds": time.perf_counter() - started, **found}))


if __name__ == "__main__":
    main()
