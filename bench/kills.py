"""200 SIGKILLs by default over build, push, publish, rollback, forget, token and job: no row is lost or doubled.

`python -P -m bench.kills [--count N] [--minutes M] [--seed S]` kills a verb at a random moment, looks at what readers
see (the pointer, the run and its hashes, its numbers, ops.sqlite, every token that was shown), and goes on in the same
home. At the end it builds once, and compares the sums of star and sinks with those of a home that nobody killed. It
ends with 1 where they differ, or where a reader would have noticed anything.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.end_to_end.kills import VERBS, KilledHome

SEED = 20260301


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="How many kills.")
    parser.add_argument("--minutes", type=float, default=math.inf, help="Begin no kill after so many.")
    parser.add_argument("--seed", type=int, default=SEED, help="Seed of the moments.")
    arguments = parser.parse_args()
    found: list[str] = []
    kills, ends_at = 0, time.monotonic() + 60 * arguments.minutes
    with TemporaryDirectory(prefix="gata-kills-") as name:
        killed = KilledHome.of(Path(name, "killed"), arguments.seed)
        while kills < arguments.count and time.monotonic() < ends_at:
            verb = VERBS[kills % len(VERBS)]
            killed.kill(verb)
            found += [f"after kill {kills} ({verb}): {problem}" for problem in killed.problems()]
            kills += 1
        killed.finish()
        clean = KilledHome.of(Path(name, "clean"), 0)
        clean.bring_orders(killed.orders - 1)
        clean.finish()
        sums, expected = killed.sums(), clean.sums()
        differing = [key for key in {**sums, **expected} if sums.get(key) != expected.get(key)]
        found += [f"{key}: {sums.get(key)}, and {expected.get(key)} in a clean home" for key in differing]
    for sentence in found:
        print(sentence)
    interrupted = ", ".join(f"{verb} {count}" for verb, count in killed.killed.items())
    print(f"{kills} kills, of which before the end: {interrupted}; {len(expected)} sums; {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
