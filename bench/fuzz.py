"""Fuzzed questions, 10,000 by default: each is answered right or refused with a repair.

`python -P -m bench.fuzz [--count N] [--first SEED]` asks the hand-written shop of the tests, compares what it can with
the reference evaluator, prints counts, and ends with 1 when anything else came of a question.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from tests.semantic.fuzz_cases import wild
from tests.semantic.fuzzing import Outcome, ask, shop_truth
from tests.semantic.hand_star import covered_hand_shop


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="How many questions.")
    parser.add_argument("--first", type=int, default=0, help="The seed of the first.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shop = covered_hand_shop(Path(folder))
        truth = shop_truth(shop)
        outcomes: dict[int, Outcome] = {}
        broken: Counter[str] = Counter()
        for seed in range(arguments.first, arguments.first + arguments.count):
            try:
                outcomes[seed] = ask(shop, wild(seed), truth)
            except Exception as error:  # noqa: BLE001  # what a question breaks is counted
                broken[type(error).__name__] += 1
                print(f"seed {seed}: {''.join(traceback.format_exception_only(error)).strip()[:300]}", file=sys.stderr)
            else:
                if outcomes[seed].wrong:
                    print(f"seed {seed}: {outcomes[seed].wrong[:300]}", file=sys.stderr)
        shop.close()
    kinds = Counter(outcome.kind for outcome in outcomes.values())
    wrong = sum(bool(outcome.wrong) for outcome in outcomes.values())
    print(f"questions  {arguments.count}")
    compared = sum(outcome.compared for outcome in outcomes.values())
    print(f"answered   {kinds['answered']}, of which {compared} compared with the reference")
    print(f"refused    {kinds['refused']}, each with a repair")
    print(f"wrong      {wrong}")
    print(f"broken     {sum(broken.values())} {dict(broken) or ''}")
    for seed, outcome in sorted(outcomes.items(), key=lambda one: -one[1].cpu_seconds)[:3]:
        print(f"slow       seed {seed}: {outcome.cpu_seconds:.2f} CPU s, {outcome.seconds:.2f} s")
    return 1 if wrong or broken else 0


if __name__ == "__main__":
    sys.exit(main())
