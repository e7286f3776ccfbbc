"""Whatever byte of a home changes, wherever a file ends early: no number is silently another, nothing is a bug."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.byte_faults import ByteFault, Outcome, byte_faults, judge_fault, sound_home
from tests.end_to_end.project_fixture import Project, copy_project

FAULTS = 50


@pytest.mark.long
def test_each_fault_is_harmless_detected_or_refused(small: Project, tmp_path: Path) -> None:
    whole = copy_project(small, tmp_path / "whole", rollup_rows=1)
    whole.build()
    sound = sound_home(whole)
    assert len(sound.sums) >= 30
    results = {}
    for fault in byte_faults(whole.settings.home, FAULTS, seed=20260301):
        results[fault] = judge_fault(sound, tmp_path / "spoilt", fault)
    worst = {str(fault): said for fault, (outcome, said) in results.items() if outcome in (Outcome.WRONG, Outcome.BUG)}
    assert worst == {}
    assert {outcome for outcome, _ in results.values()} >= {Outcome.HARMLESS, Outcome.DETECTED, Outcome.REFUSED}


def test_a_fault_is_what_it_says_and_the_same_seed_gives_the_same_ones(small: Project, tmp_path: Path) -> None:
    faults = list(byte_faults(small.settings.home, 40, seed=1))
    assert faults == list(byte_faults(small.settings.home, 40, seed=1))
    assert len({fault.place for fault in faults}) > 5
    (tmp_path / "file").write_bytes(b"abc")
    ByteFault("hub", "file", 1, 0).spoil(tmp_path)
    assert (tmp_path / "file").read_bytes() == b"a"
    ByteFault("hub", "file", 0, 3).spoil(tmp_path)
    assert (tmp_path / "file").read_bytes() == b"b"
