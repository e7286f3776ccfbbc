"""What goes wrong in the work for one tenant is that tenant's failure, foreseen or not; the others go on."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from pipeline.config.tenant import Tenant
from pipeline.errors import ConfigError, FileError, GateFailed, LandError, StateError, Unforeseen
from pipeline.ingest.exports import export_targets
from server.orchestration.build_command import BuildCommand, open_command, unobserved
from server.orchestration.forgetting import erase_with_record
from server.orchestration.overview import plan_builds
from server.orchestration.run_history.status_snapshots import known_statuses
from server.orchestration.worker_pool import WorkerPool
from tests.end_to_end.project_fixture import Project, open_project
from tests.rights import may_not_read

if TYPE_CHECKING:
    from pipeline.contracts.registry import Blueprints
    from pipeline.settings import Settings

SOURCES = "{facebook_ads: {enabled: true}, shopify: {enabled: true}, google_analytics: {enabled: true}}"
TWO = "tenants:\n" + "".join(
    f"  - {{slug: {slug}, business_name: {slug}, sources: {SOURCES}}}\n" for slug in ("bad", "good")
)


@pytest.fixture
def command(tmp_path: Path) -> Iterator[BuildCommand]:
    context = open_project(tmp_path, TWO, bare=True).context
    with open_command(context, context.select(None), 0.0, unobserved) as opened:
        yield opened


def fail(command: BuildCommand, error: BaseException) -> None:
    """Run a step of both tenants, in which the error meets the one called bad."""
    for tenant in command.open:
        with command.step(tenant, "land"):
            if tenant.slug == "bad":
                raise error


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (ValueError("a value that no code of ours foresaw"), Unforeseen, 1),
        (MemoryError(), Unforeseen, 1),
        (UnicodeEncodeError("utf-8", "\udcfc", 0, 1, "surrogates not allowed"), Unforeseen, 1),
        (LandError("The export is wrong.", "Mend it."), LandError, 2),
        (PermissionError(errno.EACCES, "Permission denied", "/data/published/bad"), FileError, 2),
        (GateFailed("A gate failed.", "Mend it."), GateFailed, 3),
    ],
)
def test_any_error_in_a_step_is_the_failure_of_its_tenant_alone(
    command: BuildCommand, error: Exception, kind: type[Exception], code: int
) -> None:
    fail(command, error)
    bad, good = command.reports.values()
    assert (type(bad.error), bad.status, bad.failed_step) == (kind, "failed", "land")
    assert good.is_open
    assert command.report().exit_code == code
    recorded = {row["tenant"]: (row["status"], row["detail"]) for row in command.ops.steps(command.run_id)}
    assert recorded == {"bad": ("failed", str(bad.error)), "good": ("done", None)}


def test_a_bug_is_named_by_its_event_and_keeps_its_frames_in_the_log(command: BuildCommand) -> None:
    with capture_logs() as events:
        fail(command, ValueError("a row of somebody"))
    error = command.reports[command.tenants[0].slug].error
    assert isinstance(error, Unforeseen)
    assert error.event_id in error.what
    logged = [event for event in events if error.event_id in str(event)]
    assert "test_tenant_boundary.py" in str(logged)
    assert "a row of somebody" not in str(logged)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), StateError("ops.sqlite is full.", "Make room.")])
def test_an_interrupt_and_what_concerns_everybody_stop_the_command(command: BuildCommand, error: BaseException) -> None:
    with pytest.raises(type(error)):
        fail(command, error)


def test_an_interrupt_in_the_guise_of_a_library_s_error_stops_the_command(command: BuildCommand) -> None:
    disguised = RuntimeError("INTERRUPT Error: Interrupted!")
    disguised.__cause__ = KeyboardInterrupt()
    with pytest.raises(RuntimeError, match="Interrupted"):
        fail(command, disguised)


def test_work_between_steps_is_recorded_where_it_fails(command: BuildCommand) -> None:
    bad, good = command.tenants
    with command.check(bad, "compare"):
        raise ZeroDivisionError
    with command.check(good, "compare"):
        pass
    assert command.open == (good,)
    assert [(row["tenant"], row["step"]) for row in command.ops.steps(command.run_id)] == [("bad", "compare")]


def divided(tenant: Tenant, _: Blueprints, __: Settings) -> float:
    return 1 / (len(tenant.slug) - len("bad"))


def test_an_error_in_the_worker_pool_is_a_result_of_that_tenant(command: BuildCommand) -> None:
    (_, bad), (_, good) = command.pool.each(divided, command.tenants, "stars")
    assert isinstance(bad, Unforeseen)
    assert good == 1.0


def ends_its_process(tenant: Tenant, _: Blueprints, __: Settings) -> str:
    if tenant.slug == "bad":
        os._exit(137)
    return tenant.slug


@pytest.mark.long  # starts processes, which load dbt
def test_a_process_of_the_pool_that_the_system_ends_fails_its_tenant_alone(tmp_path: Path) -> None:
    context = open_project(tmp_path, TWO, bare=True, threads=2).context
    with WorkerPool(context.blueprints, context.settings) as pool:
        found = {
            tenant.slug: result for tenant, result in pool.each(ends_its_process, context.manifest.active, "stars")
        }
    assert found["good"] == "good"  # type: ignore[index]  # a slug by its text
    assert "ended by the operating system" in str(found["bad"])  # type: ignore[index]


def test_the_exports_of_one_tenant_that_cannot_be_found_do_not_stop_prefetching(command: BuildCommand) -> None:
    command.pool.prefetch(export_targets, command.tenants)
    command.pool.wait_for(export_targets, command.tenants)


@pytest.fixture
def home_of_anybody() -> Iterator[Project]:
    """A project that every user of the machine may write to: a test may give up the rights of root."""
    folder = Path(tempfile.mkdtemp(prefix="gata-boundary-"))
    project = open_project(folder, TWO, bare=True)
    for slug in ("bad", "good"):
        (project.settings.home / "published" / slug).mkdir(parents=True)
    project.settings.hub.touch()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777)
    yield project
    shutil.rmtree(folder)


def test_status_and_plan_name_the_tenant_whose_state_may_not_be_read_and_show_the_others(
    home_of_anybody: Project,
) -> None:
    context = home_of_anybody.context
    with may_not_read(context.settings.home / "published" / "bad"):
        statuses = {line["tenant"]: line for line in known_statuses(context.settings)}
        plans = {line["tenant"]: line for line in plan_builds(context)}
    assert "published/bad" in statuses["bad"]["findings"][0]
    assert "permission denied" in statuses["bad"]["findings"][0]
    assert statuses["good"]["findings"] == []
    assert plans["bad"]["action"] == "broken"
    assert "permission denied" in plans["bad"]["reasons"][0]
    assert plans["good"]["reasons"] == ["it has never been published"]


def test_a_refused_tenant_whose_state_may_not_be_read_does_not_hide_the_others(home_of_anybody: Project) -> None:
    settings = home_of_anybody.settings
    settings.tenants.write_text(TWO.replace("{slug: bad,", "{slug: bad, currency: XXQ,", 1), encoding="utf-8")
    with may_not_read(settings.home / "published" / "bad"):
        statuses = {line["tenant"]: line for line in known_statuses(settings)}
    assert [statuses[slug]["status"] for slug in ("good", "bad")] == ["active", "refused"]
    assert "currency is 'XXQ'" in statuses["bad"]["findings"][0]
    assert "permission denied" in statuses["bad"]["findings"][1]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"run_id": 7}'])
def test_a_pointer_that_says_nothing_is_a_finding_of_its_tenant(command: BuildCommand, content: str) -> None:
    settings = command.context.settings
    settings.published(command.tenants[0].slug).mkdir(parents=True)
    (settings.published(command.tenants[0].slug) / "_latest.json").write_text(content, encoding="utf-8")
    (bad, good) = known_statuses(settings)
    assert "pointer to the newest run cannot be read" in str(bad["findings"])
    assert good["findings"] == []


def test_an_entry_that_is_wrong_is_reported_beside_the_tenants_that_are_built(tmp_path: Path) -> None:
    wrong = "  - {slug: wrong, business_name: Wrong, currency: XXQ}\n  - {business_name: No Slug}\n"
    context = open_project(tmp_path, TWO + wrong, bare=True).context
    with open_command(context, context.select(None), 0.0, unobserved) as command:
        assert [tenant.slug for tenant in command.open] == ["bad", "good"]
        report = command.report()
    refused = {tenant.tenant: str(tenant.error) for tenant in report.tenants if tenant.status == "refused"}
    assert refused.keys() == {"wrong", f"{tmp_path}/tenants.yaml:5"}
    assert f"{tmp_path}/tenants.yaml:4: currency is 'XXQ'" in refused["wrong"]
    assert report.exit_code == 2
    statuses = {line["tenant"]: line for line in known_statuses(context.settings)}
    assert statuses["wrong"]["findings"] == [refused["wrong"]]
    assert {line["tenant"]: line["action"] for line in plan_builds(context)}["wrong"] == "refused"


def test_only_the_named_tenants_are_asked_for(tmp_path: Path) -> None:
    context = open_project(
        tmp_path, TWO + "  - {slug: wrong, business_name: Wrong, currency: XXQ}\n", bare=True
    ).context
    assert context.select(["good"]).refused == ()
    both = context.select(["good", "wrong"])
    assert ([tenant.slug for tenant in both.tenants], [entry.slug for entry in both.refused]) == (["good"], ["wrong"])
    with pytest.raises(ConfigError, match="currency is 'XXQ'"):
        context.select(["wrong"])
    with pytest.raises(ConfigError, match="wrong is refused in"):
        erase_with_record(context, "wrong")
