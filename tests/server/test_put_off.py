"""A step that fails for a while comes again; meanwhile the other tenants go through all of theirs."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import duckdb
import pytest

from pipeline.errors import BuildError, GataError, LandError
from pipeline.log import configure_log
from pipeline.settings import Settings
from server.orchestration.build_command import BuildCommand, open_command
from server.orchestration.build_context import BuildContext, Selection, open_build_context
from server.orchestration.steps import land_all
from server.orchestration.worker_pool import WorkerPool
from tests.pipeline.fake_clock import FakeClock

Step = Callable[[BuildCommand], object]
SLUGS = ("first", "second", "third")
TENANTS = "tenants:\n" + "\n".join(
    f"  - {{slug: {slug}, business_name: A, domains: [ecommerce],"
    f" sources: {{shopify: {{enabled: true, read: {{kind: files, objects: {{orders: 'none/*.csv'}}}}}}}}}}"
    for slug in SLUGS
)


class Failing:
    """A step that fails, per tenant, with the given errors first; it keeps who came through when."""

    def __init__(self, name: str, seen: list[str], **errors: list[Exception]) -> None:
        self.name, self.seen, self.errors = name, seen, errors

    def __call__(self, command: BuildCommand) -> None:
        for tenant in command.open:
            with command.step(tenant, self.name) as report:
                if left := self.errors.get(tenant.slug):
                    self.seen.append(f"{tenant.slug} fails {self.name}")
                    raise left.pop(0)
                self.seen.append(f"{tenant.slug} {self.name} {report.attempts}")


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> BuildContext:
    folder = tmp_path_factory.mktemp("put_off")
    (folder / "tenants.yaml").write_text(TENANTS, encoding="utf-8")
    return open_build_context(Settings(home=folder / "state", tenants=folder / "tenants.yaml", env="prod"))


@contextmanager
def command_of(context: BuildContext, clock: FakeClock, watch: list[tuple[str, str]]) -> Iterator[BuildCommand]:
    context = replace(context, clock=clock)
    with open_command(context, Selection(context.manifest.tenants), 0.0, lambda *step: watch.append(step)) as command:
        yield command


def run(
    context: BuildContext, *steps: Step, clock: FakeClock | None = None
) -> tuple[BuildCommand, list[tuple[str, str]], FakeClock]:
    clock, watched = clock or FakeClock(), list[tuple[str, str]]()
    with command_of(context, clock, watched) as command:
        command.run(steps)
    return command, watched, clock


def busy() -> Exception:
    return OSError(errno.EBUSY, "busy")


def test_a_tenant_that_waits_holds_nobody_up_and_goes_on_where_it_failed(context: BuildContext) -> None:
    seen: list[str] = []
    command, _, clock = run(
        context, Failing("land", seen), Failing("push", seen, second=[busy(), busy()]), Failing("stars", seen)
    )
    assert seen == [
        *("first land 1", "second land 1", "third land 1"),
        *("first push 1", "second fails push", "third push 1"),
        *("first stars 1", "third stars 1"),
        "second fails push",
        *("second push 3", "second stars 1"),
    ]
    assert clock.slept == [300, 600]
    assert {slug: report.status for slug, report in command.reports.items()} == dict.fromkeys(SLUGS, "done")


def test_two_that_wait_at_different_steps_each_go_on_at_their_own(context: BuildContext) -> None:
    seen: list[str] = []
    run(
        context,
        Failing("land", seen, first=[busy()]),
        Failing("push", seen, third=[TimeoutError()]),
        clock=FakeClock(),
    )
    assert seen[-3:] == ["first land 2", "first push 1", "third push 2"]
    assert seen[:-3] == ["first fails land", "second land 1", "third land 1", "second push 1", "third fails push"]


def test_one_that_fails_to_the_end_fails_with_its_error_and_one_record(context: BuildContext) -> None:
    seen: list[str] = []
    in_use = [LandError("It is busy.", "Wait.") for _ in range(4)]
    for error in in_use:
        error.__cause__ = busy()
    command, _, clock = run(context, Failing("land", seen, first=list(in_use)))
    assert clock.slept == [300, 600, 1200]
    report = command.reports[SLUGS[0]]
    assert (report.status, report.error, report.attempts) == ("failed", in_use[3], 4)
    with command_of(context, FakeClock(), []) as later:
        recorded = later.ops.connection.execute(
            "SELECT status, detail FROM steps WHERE run_id = ? AND tenant = 'first'", (command.run_id,)
        ).fetchall()
    assert [tuple(row) for row in recorded] == [("failed", "It is busy. Wait.")]


def test_what_somebody_has_to_mend_fails_at_once(context: BuildContext) -> None:
    seen: list[str] = []
    command, _, clock = run(context, Failing("land", seen, first=[BuildError("No.", "Mend it.")]))
    assert clock.slept == []
    assert command.reports[SLUGS[0]].status == "failed"


def test_whoever_watches_and_the_log_hear_how_long_a_step_waits(
    context: BuildContext, capfd: pytest.CaptureFixture[str]
) -> None:
    configure_log()
    _, watched, _ = run(context, Failing("land", [], second=[busy()]))
    assert ("second", "land, again in 300 s") in watched
    (event,) = (json.loads(line) for line in capfd.readouterr().err.splitlines() if "step_waits" in line)
    assert {name: event[name] for name in ("tenant", "step", "attempt", "seconds", "failure")} == {
        "tenant": "second",
        "step": "land",
        "attempt": 1,
        "seconds": 300.0,
        "failure": "transient",
    }


def test_an_interrupt_while_a_step_waits_ends_the_build_at_once(context: BuildContext) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    clock, seen = FakeClock(interrupt), list[str]()
    with pytest.raises(KeyboardInterrupt):
        run(context, Failing("land", seen, first=[busy()]), clock=clock)
    assert "first land 2" not in seen
    assert len(clock.slept) == 1


def test_a_step_that_all_need_waits_for_all(context: BuildContext) -> None:
    failures, clock = [busy(), busy()], FakeClock()

    def prepare() -> str:
        if failures:
            raise failures.pop()
        return "ready"

    with command_of(context, clock, watched := []) as command:
        assert command.for_all("library", prepare) == "ready"
    assert clock.slept == [300, 600]
    assert watched == [("*", "library"), ("*", "library, again in 300 s"), ("*", "library, again in 600 s")]


def fails_as_busy(*_: object) -> None:
    raise LandError("It is busy.", "Wait.") from OSError(errno.EBUSY, "busy")


def test_a_process_of_the_pool_says_the_class_of_a_failure_whose_cause_it_keeps(context: BuildContext) -> None:
    with WorkerPool(context.blueprints, context.settings) as pool:
        outcome = pool.submit(fails_as_busy).result()
    assert isinstance(outcome, GataError)
    assert outcome.failure == "transient"


PUSH_LEDGER = """
create table platform_ops__push_ledger (tenant_slug text, source_platform text, source_object text, load_id text)
"""  # nothing is pushed: what landing reads of the library
HOLD = """
import fcntl, sys
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_hub_that_another_process_has_open_is_landed_in_when_it_is_free(context: BuildContext) -> None:
    hub = context.settings.hub
    with duckdb.connect(str(hub)) as made:
        made.execute(PUSH_LEDGER)
    holder = subprocess.Popen(
        [sys.executable, "-S", "-c", HOLD, str(hub)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        clock = FakeClock(while_asleep=holder.communicate)
        command, _, _ = run(context, land_all, clock=clock)
    finally:
        holder.kill()
        holder.wait()
    assert clock.slept[0] == pytest.approx(300, abs=5)
    reports = command.reports.values()
    assert {report.status for report in reports} == {"done"}
    assert {report.attempts for report in reports} == {2}
