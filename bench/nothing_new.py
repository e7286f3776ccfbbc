"""CPU of a run with nothing new, of `gata plan` and of `gata status`, as tenants become more: the slope per tenant.

    python -P -m bench.nothing_new [--tenants 1 10 100] [--files 24] [--profile]

One small shop is really built; the others are clones of it: their files, ledgers, notes and published run are its own
under another name, but the sinks hold no records of theirs. `step by step` is the first run that finds nothing new
since somebody wrote the hub, `unchanged` every run after that.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from bench.measured import ROOT
from tests.end_to_end.cloned_tenants import TODAY, clone_tenants, make_original, settings_of

COMMANDS = (
    ("step by step", ("build", "--json")),
    ("unchanged", ("build", "--json")),
    ("plan", ("plan", "--json")),
    ("status", ("status", "--json")),
)
CLI = "import sys; from server.cli.app import main; sys.exit(main())"
PROFILED = "import cProfile; from server.cli.app import main; cProfile.run('main()', {path!r})"


def cpu_seconds(folder: Path, *arguments: str, profile: Path | None = None) -> float:
    """User and system seconds of one command, its children included; every tenant must be unchanged."""
    settings = settings_of(folder)
    environment = {
        **os.environ,
        "GATA_HOME": str(settings.home),
        "GATA_TENANTS": str(settings.tenants),
        "GATA_TODAY": str(TODAY),
    }
    code = CLI if profile is None else PROFILED.format(path=str(profile))
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *arguments], env=environment, cwd=ROOT, check=False, capture_output=True
    )
    after = os.times()
    if done.returncode or (arguments[0] == "build" and profile is None and _changed(done.stdout)):
        raise SystemExit(f"{arguments}: {done.stdout[-2000:]!r} {done.stderr[-2000:]!r}")
    return after.children_user + after.children_system - before.children_user - before.children_system


def _changed(printed: bytes) -> list[str]:
    return [each["tenant"] for each in json.loads(printed)["tenants"] if each["status"] != "unchanged"]


def figures(folder: Path, counts: Sequence[int], files: int, *, profile: bool) -> Iterator[dict[str, float]]:
    """The CPU seconds of each command for each number of tenants; the least first, as they grow in one home."""
    make_original(folder, files)
    for count in sorted(counts):
        clone_tenants(folder, count)
        cpu_seconds(folder, "build", "--json")  # writes the projects of the clones
        (settings_of(folder).home / "hub.seen.json").unlink(missing_ok=True)
        taken = {name: cpu_seconds(folder, *command) for name, command in COMMANDS}
        yield {"tenants": count, **taken}
        if profile:
            cpu_seconds(folder, "build", "--json", profile=folder / f"{count}.prof")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tenants", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--files", type=int, default=24)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gata-nothing-") as scratch:
        base = options.folder or Path(scratch)
        rows = []
        for row in figures(base, options.tenants, options.files, profile=options.profile):
            rows.append(row)
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()
        for fewer, more in pairwise(rows):
            tenants = more["tenants"] - fewer["tenants"]
            each = {name: round((more[name] - fewer[name]) / tenants, 4) for name, _ in COMMANDS}
            sys.stdout.write(json.dumps({"each more, up to": more["tenants"], **each}) + "\n")


if __name__ == "__main__":
    main()
