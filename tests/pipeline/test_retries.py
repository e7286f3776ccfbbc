"""What is tried again, and when: classes of failure by type and code, and waits by a clock that nobody waits for."""

from __future__ import annotations

import errno
import pickle
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import duckdb
import pytest

from pipeline.errors import (
    BuildError,
    Busy,
    ConfigError,
    GataError,
    GateFailed,
    HubInUse,
    LandError,
    PublishError,
    StarInUse,
    StateError,
)
from pipeline.retries import FailureClass, RetryPolicy, RetryQueue, call_with_retries, failure_class
from pipeline.settings import Settings
from pipeline.storage import ops_database
from pipeline.storage.hub import write_hub
from pipeline.storage.ops import Ops
from tests.pipeline.fake_clock import FakeClock

MINUTE = 60.0


class Answered(Exception):
    """An error of an HTTP client."""

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code


class OfResponse(Exception):
    """An error of an HTTP client that keeps the response."""

    def __init__(self, status_code: int) -> None:
        self.response = Answered(status_code)


def caused(error: GataError, cause: BaseException) -> GataError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(errno.EBUSY, "busy"), FailureClass.TRANSIENT),
        (OSError(errno.EAGAIN, "again"), FailureClass.TRANSIENT),
        (OSError(errno.EHOSTUNREACH, "no route"), FailureClass.TRANSIENT),
        (ConnectionResetError(errno.ECONNRESET, "reset"), FailureClass.TRANSIENT),
        (TimeoutError(), FailureClass.TRANSIENT),
        (Busy("b", "f"), FailureClass.TRANSIENT),
        (HubInUse("b", "f"), FailureClass.TRANSIENT),
        (StarInUse("b", "f"), FailureClass.TRANSIENT),
        (caused(PublishError("p", "f"), OSError(errno.EBUSY, "busy")), FailureClass.TRANSIENT),
        (Answered(503), FailureClass.TRANSIENT),
        (OfResponse(504), FailureClass.TRANSIENT),
        (Answered(429), FailureClass.QUOTA),
        (caused(LandError("l", "f"), OfResponse(429)), FailureClass.QUOTA),
        (GateFailed("g", "f"), FailureClass.SCHEMA),
        (ConfigError("c", "f"), FailureClass.SCHEMA),
        (OSError(errno.ENOSPC, "full"), FailureClass.LOGIC),
        (OSError(errno.EACCES, "no"), FailureClass.LOGIC),
        (caused(StateError("s", "f"), OSError(errno.ENOSPC, "full")), FailureClass.LOGIC),
        (Answered(401), FailureClass.LOGIC),
        (BuildError("the table is locked and busy, timeout 429", "f"), FailureClass.LOGIC),
        (duckdb.IOException("Could not set lock on file"), FailureClass.LOGIC),
        (ValueError("busy"), FailureClass.LOGIC),
    ],
    ids=lambda value: str(value) if isinstance(value, FailureClass) else repr(value)[:40],
)
def test_a_failure_is_classed_by_its_type_and_code_and_those_of_its_causes(
    error: BaseException, expected: FailureClass
) -> None:
    assert failure_class(error) is expected


def test_a_state_database_that_another_process_writes_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops_database, "BUSY_SECONDS", 0.05)
    with Ops(tmp_path / "ops.sqlite") as ops:
        ops.connection.execute("PRAGMA busy_timeout = 0")
        with sqlite3.connect(tmp_path / "ops.sqlite", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StateError) as refused:
                ops.start_run("*")
        other.close()
    assert failure_class(refused.value) is FailureClass.TRANSIENT


def test_a_class_that_another_process_found_out_outlives_the_loss_of_its_cause() -> None:
    error = caused(LandError("l", "f"), OSError(errno.EBUSY, "busy"))
    assert failure_class(pickle.loads(pickle.dumps(error))) is FailureClass.LOGIC
    error.failure = failure_class(error)
    assert failure_class(pickle.loads(pickle.dumps(error))) is FailureClass.TRANSIENT


def test_a_hub_that_this_process_cannot_make_is_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file", encoding="utf-8")
    with pytest.raises(LandError) as refused, write_hub(Settings(home=tmp_path / "home")):
        pass
    assert failure_class(refused.value) is FailureClass.LOGIC


@pytest.mark.parametrize(("environment", "minutes"), [("local", [1]), ("dev", [2, 4]), ("prod", [5, 10, 20])], ids=str)
def test_an_environment_waits_as_its_table_says_and_then_gives_up(environment: str, minutes: list[int]) -> None:
    clock, calls = FakeClock(), list[float]()

    def fail() -> NoReturn:
        calls.append(clock.now)
        raise TimeoutError

    with pytest.raises(TimeoutError):
        call_with_retries(fail, Settings(env=environment).retry_policy, sleep=clock.sleep, on_retry=lambda *_: None)
    assert [seconds / MINUTE for seconds in clock.slept] == minutes
    assert len(calls) == 1 + len(minutes)


def test_a_wait_grows_no_longer_than_the_longest() -> None:
    policy = RetryPolicy(attempts=8, delay_seconds=300, backoff=True, max_delay_seconds=1800)
    assert [policy.wait_after(attempt, TimeoutError()) for attempt in range(1, 9)] == [
        *(300, 600, 1200, 1800, 1800, 1800, 1800),
        None,
    ]


@pytest.mark.parametrize("error", [GateFailed("g", "f"), ConfigError("c", "f"), BuildError("b", "f"), KeyError("k")])
def test_what_a_person_has_to_mend_is_tried_once(error: Exception) -> None:
    clock = FakeClock()

    def fail() -> NoReturn:
        raise error

    with pytest.raises(type(error)):
        call_with_retries(fail, Settings(env="prod").retry_policy, sleep=clock.sleep, on_retry=lambda *_: None)
    assert clock.slept == []


def test_a_call_that_succeeds_in_the_end_says_each_wait_before_it() -> None:
    clock, said = FakeClock(), list[tuple[int, float, str]]()
    failures = iter([TimeoutError(), Answered(429)])

    def work() -> str:
        for error in failures:
            raise error
        return "done"

    policy = Settings(env="dev").retry_policy
    told: Callable[[int, float, BaseException], object] = lambda *wait: said.append((*wait[:2], type(wait[2]).__name__))  # noqa: E731
    assert call_with_retries(work, policy, sleep=clock.sleep, on_retry=told) == "done"
    assert said == [(1, 120.0, "TimeoutError"), (2, 240.0, "Answered")]


def test_a_queue_counts_each_wait_from_its_own_failure() -> None:
    clock = FakeClock()
    queue = RetryQueue(Settings(env="prod").retry_policy, clock)
    assert queue.put_off("a", "land", TimeoutError()) == 300
    clock.now += 200  # the others go on
    assert queue.put_off("b", "push", TimeoutError()) == 300
    assert "a" in queue
    assert [each.name for each in queue.next_due()] == ["a"]
    assert clock.slept == [100]
    assert "a" not in queue
    assert [(each.name, each.step) for each in queue.next_due()] == [("b", "push")]
    assert clock.slept == [100, 200]
    assert queue.next_due() == ()


def test_a_queue_counts_attempts_by_step_and_gives_up_after_the_last() -> None:
    clock = FakeClock()
    queue = RetryQueue(Settings(env="dev").retry_policy, clock)
    waits = []
    for _ in range(3):
        waits.append(queue.put_off("a", "land", TimeoutError()))
        queue.next_due()
    assert waits == [120, 240, None]
    assert queue.attempt("a", "push") == 1
    assert queue.put_off("a", "push", BuildError("b", "f")) is None
