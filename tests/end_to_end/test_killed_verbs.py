"""Twenty SIGKILLs over every verb that writes: no row is lost or doubled, and readers see a whole run at any time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.kills import VERBS, KilledHome

pytestmark = pytest.mark.long  # kills builds

KILLS = 20


def test_verbs_that_are_killed_at_random_lose_nothing_and_the_next_build_is_as_a_clean_one(tmp_path: Path) -> None:
    killed = KilledHome.of(tmp_path / "killed", seed=20260301)
    for number in range(KILLS):
        verb = VERBS[number % len(VERBS)]
        killed.kill(verb)
        assert killed.problems() == [], f"after {verb}, number {number}"
    killed.finish()
    clean = KilledHome.of(tmp_path / "clean", seed=0)
    clean.bring_orders(killed.orders - 1)
    clean.finish()
    assert killed.sums() == clean.sums()
    assert sum(killed.killed.values()) >= KILLS // 4, killed.killed
