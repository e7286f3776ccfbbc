"""Faults of a disk in a home, 1,000 by default: one byte of one file changes, or a file is cut.

`python -P -m bench.byte_faults [--count N] [--minutes M] [--seed S]` builds a small shop, spoils a copy of it at a
time, asks every metric, runs status, plan and build, and asks again. It prints what became of the faults of each place,
and ends with 1 when a number was silently another or an error was no error of ours. Each fault is judged in a process
of its own kind: a library that dies of a damaged file is counted as a traceback.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import track

from bench.outcomes import outcome_table
from tests.end_to_end.byte_faults import ByteFault, Outcome, SoundHome, byte_faults, judge_fault, sound_home
from tests.end_to_end.project_fixture import Project, open_project
from tests.end_to_end.small_shop import SMALL_TENANT, write_shop

SEED = 20260301
PER_PROCESS = 50
BAD = (Outcome.WRONG, Outcome.BUG)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000, help="How many faults.")
    parser.add_argument("--minutes", type=float, default=math.inf, help="Begin no fault after so many.")
    parser.add_argument("--seed", type=int, default=SEED, help="Seed of the faults.")
    arguments = parser.parse_args()
    outcomes: dict[str, Counter[Outcome]] = {}
    bad = []
    started = time.perf_counter()
    with TemporaryDirectory() as folder:
        sound = sound_home(_whole(Path(folder, "whole")))
        faults = list(byte_faults(sound.project.settings.home, arguments.count, arguments.seed))
        console = Console(stderr=True)
        judged = _judged(sound, Path(folder, "spoilt"), faults)
        for fault, (outcome, said) in track(judged, "Spoiling", total=len(faults), console=console, transient=True):
            outcomes.setdefault(fault.place, Counter()).update([outcome])
            bad += [f"{outcome.value}: {fault}: {said}"] if outcome in BAD else []
            if time.perf_counter() - started > 60 * arguments.minutes:
                break
    Console().print(outcome_table("place", Outcome, outcomes))
    judged_faults = sum(counts.total() for counts in outcomes.values())
    print(f"{judged_faults} faults, {len(sound.sums)} sums each, {time.perf_counter() - started:.0f} seconds")
    for sentence in sorted(bad):
        print(sentence)
    return 1 if bad else 0


def _whole(folder: Path) -> Project:
    write_shop(folder)
    whole = open_project(folder, SMALL_TENANT, rollup_rows=1)
    whole.build()
    return whole


def _judged(sound: SoundHome, folder: Path, faults: list[ByteFault]) -> Iterator[tuple[ByteFault, tuple[Outcome, str]]]:
    context = multiprocessing.get_context("spawn")
    pool = _pool(context)
    for fault in faults:
        try:
            yield fault, pool.submit(judge_fault, sound, folder, fault).result()
        except BrokenProcessPool:
            pool = _pool(context)
            yield fault, (Outcome.BUG, "the process died")
    pool.shutdown()


def _pool(context: Any) -> ProcessPoolExecutor:  # Any: multiprocessing's own
    return ProcessPoolExecutor(1, mp_context=context, initializer=_quiet, max_tasks_per_child=PER_PROCESS)


def _quiet() -> None:
    """Send events nowhere: each fault logs some."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # before the first build sets the log up, it goes to stdout
    os.dup2(nowhere, 2)


if __name__ == "__main__":
    sys.exit(main())
