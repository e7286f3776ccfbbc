"""One build of 100 tenants by default, of which a fifth are hostile: the others are published, and those named.

`python -P -m bench.hostile [--tenants N] [--apart]` writes exports of every hostile kind (links, FIFOs, bombs, records
of 20,000 fields, folders that cannot be read, entries that are wrong), builds once with two processes, and prints what
is not as it must be. It ends with 1 where there is something, or where the build does not end with exit code 2.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from server.orchestration.verbs import build
from tests.end_to_end.hostile_tenants import (
    FAILING,
    HEALTHY_REVENUE,
    IN_FILES,
    MENDED,
    REFUSED,
    problems,
    write_hostile_home,
)
from tests.end_to_end.project_fixture import open_project


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=100, help="How many tenants in all.")
    parser.add_argument("--apart", action="store_true", help="A tenant for each kind of hostile export.")
    arguments = parser.parse_args()
    others = len(MENDED) + len(FAILING) + len(REFUSED) + 1 + (len(IN_FILES) if arguments.apart else 1)
    with TemporaryDirectory(prefix="gata-hostile-") as name:
        folder = Path(name)
        hostile = write_hostile_home(folder, max(1, arguments.tenants - others), apart=arguments.apart)
        project = open_project(folder, (folder / "tenants.yaml").read_text(encoding="utf-8"), threads=2)
        started, worked = time.monotonic(), time.process_time()
        report = build(project.context)
        seconds, cpu = time.monotonic() - started, time.process_time() - worked
        found = problems(report.to_dict(), hostile)
        found += [f"exit code {report.exit_code}, not 2"] if report.exit_code != 2 else []
        for slug in hostile.healthy:
            revenue = Decimal(project.number(slug, "order_revenue"))
            found += [f"{slug} has a revenue of {revenue}"] if revenue != Decimal(HEALTHY_REVENUE) else []
    here, pool = (resource.getrusage(who).ru_maxrss >> 10 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    for sentence in found:
        print(sentence)
    print(
        f"{len(hostile.healthy)} tenants published beside {others} hostile ones in {seconds:.0f} s,"
        f" {cpu:.0f} CPU seconds here; peak {here:,} MB here and {pool:,} MB in a process of the pool;"
        f" {len(found)} problems"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
