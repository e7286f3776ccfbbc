"""Faults in export files of every contract and layout, 2,000 by default: no number becomes a silent zero.

`python -P -m bench.faults [--count N] [--seed S]` spoils one measure at a time (another name, another place, emptied,
another type, another spelling of the number, in all records or in one), reads the file as a landing does, and compares
the canonical rows of its engine with those of the whole file. It prints what became of each kind of fault and every
silently wrong number, and ends with 1 when there is one. `--count 0` runs all of them, about 16,000.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import track

from bench.outcomes import outcome_table
from tests.pipeline.fault_injection import FaultInjector, Outcome, sample, trials

SEED = 20260301


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000, help="How many faults; 0 for all.")
    parser.add_argument("--seed", type=int, default=SEED, help="Seed of the sample.")
    arguments = parser.parse_args()
    chosen = sample(arguments.count, arguments.seed) if arguments.count else list(trials())
    outcomes: dict[str, Counter[Outcome]] = {}
    wrong = []
    started = time.process_time()
    with TemporaryDirectory() as folder:
        injector = FaultInjector(Path(folder))
        for trial in track(chosen, "Spoiling files", console=Console(stderr=True), transient=True):
            outcome, said = injector.judge(trial)
            outcomes.setdefault(trial.fault, Counter()).update([outcome])
            wrong += [f"{trial}: {said}"] if outcome is Outcome.WRONG else []
    seconds = time.process_time() - started
    Console().print(outcome_table("the measure is", Outcome, outcomes))
    print(f"{len(chosen)} faults, {seconds / len(chosen) * 100:.1f} CPU seconds per hundred")
    for sentence in sorted(wrong):
        print(sentence)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
