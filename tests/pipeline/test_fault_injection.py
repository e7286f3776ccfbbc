"""A spoilt measure is read right, unknown, withheld or told: never a silent zero, never another number."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.pipeline import fault_injection
from tests.pipeline.fault_injection import FaultInjector, Outcome, Trial, sample, trials
from tests.warehouse.engine_fixture import render

SEED = 20260301
FEW = 160
MANY = 2_000


def wrong(chosen: list[Trial], folder: Path) -> list[str]:
    injector = FaultInjector(folder)
    judged = [(trial, *injector.judge(trial)) for trial in chosen]
    return [f"{trial}: {said}" for trial, outcome, said in judged if outcome is Outcome.WRONG]


def test_every_object_with_measures_is_spoilt_in_every_form_and_way() -> None:
    assert len(list(trials())) > MANY
    assert {trial.some for trial in trials()} == {True, False}


@pytest.mark.long
def test_no_fault_of_a_sample_is_a_silent_zero(tmp_path: Path) -> None:
    assert wrong(sample(FEW, SEED), tmp_path) == []


@pytest.mark.long
def test_no_fault_of_many_is_a_silent_zero(tmp_path: Path) -> None:
    assert wrong(sample(MANY, SEED + 1), tmp_path) == []


def test_an_engine_that_takes_an_absent_number_for_zero_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The injector itself, with a contract that promises nothing and an engine that reads nothing as 0."""
    (trial,) = [
        each for each in trials() if str(each) == "facebook_ads.facebook_insights as jsonl: spend as another word"
    ]
    injector = FaultInjector(tmp_path)
    assert injector.judge(trial)[0] is Outcome.WITHHELD
    monkeypatch.setattr(trial.subject.contract, "measures", ())
    assert injector.judge(trial)[0] is Outcome.UNKNOWN

    def careless(macro: str, arguments: Mapping[str, object]) -> str:
        return f"select * replace (coalesce(spend, 0) as spend) from ({render(macro, arguments)})"

    monkeypatch.setattr(fault_injection, "render", careless)
    assert injector.judge(trial)[0] is Outcome.WRONG
