"""The process of one job: waits for the build lock, builds the tenant, and undoes every change after a failure.

    python -P -m server.orchestration.jobs.process JOB_ID [SOURCES]

SOURCES is what a replay of the quarantine is of, as JSON. The process continues when the server that started it stops.
Its settings are those of the server, which its environment holds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import Busy, ConfigError, GataError
from pipeline.settings import Settings
from pipeline.storage.build_lock import build_lock
from pipeline.storage.ops import Ops
from server.orchestration.jobs.job import Job, Jobs, State
from server.orchestration.jobs.tenants_edit_file import locked_tenants_file, undo_change
from server.orchestration.jobs.undo_record import read_undo_record

POLL_SECONDS = 0.5
STEPS: dict[str, State] = {
    "library": "ingesting",
    "words": "ingesting",
    "onboard": "ingesting",
    "land": "ingesting",
    "push": "transforming",
    "stars": "transforming",
    "gates": "validating",
    "publish": "validating",
}
"""The job state of each build step."""


def job_folder(settings: Settings) -> Path:
    """The folder of the lock files and logs of jobs."""
    return settings.home / "jobs"


def main(job_id: str, sources: str = "{}") -> int:
    """Run the job; the exit code is 0 when it is ready."""
    from structlog.contextvars import bound_contextvars

    from pipeline.log import configure_log

    settings = Settings()  # the server has put its own into the environment, layers and all
    configure_log(settings.event_files)
    with Ops(settings.ops) as ops:
        jobs = Jobs(ops, job_folder(settings))
        job = jobs.find(job_id)
        if job is None or job.is_over:
            return 1
        with bound_contextvars(job=job.id, tenant=job.tenant):
            return 0 if _run_job(job, jobs, settings, json.loads(sources)) else 1


def _run_job(job: Job, jobs: Jobs, settings: Settings, sources: Mapping[str, str | None]) -> bool:
    from pipeline.bug_reports import event_logger, internal_error_message, report_bug

    try:
        run_id = _build(job, jobs, settings, sources)
    except GataError as error:
        event_logger().error("job_failed", kind=job.kind, what=error.what, fix=error.fix)
        _fail(job, jobs, settings, error.what, error.fix)
        return False
    except BaseException as error:
        event_id = report_bug(error, call=f"job {job.id}")
        _fail(
            job,
            jobs,
            settings,
            internal_error_message(event_id),
            f"See {jobs.log_file(job.id).name} in the state folder.",
        )
        raise
    jobs.move(job, "ready", run_id=run_id)
    jobs.settle(job)
    return True


def _build(job: Job, jobs: Jobs, settings: Settings, sources: Mapping[str, str | None]) -> str | None:
    """Build the tenant and return its published run; tenants.yaml is read when the build lock is free.

    The run is None after a replay that found nothing in quarantine.

    Raises:
        GataError: The build failed.
    """
    _await_lock(settings)  # before what a build loads: a queue of jobs holds no memory, and reads nothing
    from server.orchestration import verbs
    from server.orchestration.build_context import open_build_context
    from server.orchestration.jobs.posted_tenant import check_still_there
    from server.orchestration.run_history.quarantine_replay import SourceChoice, replay_quarantine

    def watch(_: str, step: str) -> None:
        if state := STEPS.get(step):
            jobs.move(job, state)

    has_leftovers = bool(job.undo and read_undo_record(job.undo).leftovers)
    while True:
        try:
            if has_leftovers:
                _erase(job, settings)  # of a killed attempt
                has_leftovers = False
            context = open_build_context(settings)
            if job.kind == "replay":
                report = replay_quarantine(context, job.tenant, SourceChoice(**sources), watch=watch).build
            else:
                if job.kind == "onboard":
                    check_still_there(context.manifest.get(job.tenant), settings)
                report = verbs.build(context, [job.tenant], watch=watch)
        except Busy:
            _await_lock(settings)
            continue
        if report is None:
            return None
        (tenant,) = report.tenants
        if tenant.error:
            raise tenant.error
        return tenant.run_id


def _await_lock(settings: Settings) -> None:
    """Wait until nobody builds."""
    while True:
        try:
            with build_lock(settings.home, wait_seconds=0):
                return
        except Busy:
            time.sleep(POLL_SECONDS)


def _fail(job: Job, jobs: Jobs, settings: Settings, reason: str, fix: str) -> None:
    """Undo every change, then mark the job as failed with its reason."""
    remainder = undo_job(job, settings)
    if remainder is None and job.kind == "onboard":
        remainder = f"{job.tenant} was taken out of tenants.yaml: send the request again."
        while True:
            try:
                _erase(job, settings)
                break
            except Busy:
                time.sleep(POLL_SECONDS)
    jobs.move(job, "failed", reason=reason, fix=f"{fix} {remainder}" if remainder else fix)
    jobs.settle(job)


def undo_job(job: Job, settings: Settings) -> str | None:
    """Undo the job's change of tenants.yaml; where that fails, return a sentence with the remaining step."""
    if job.undo is None:
        return None
    stays = f"tenants.yaml was edited meanwhile and keeps the change of {job.tenant}: undo it there."
    try:
        change = read_undo_record(job.undo).change
        with locked_tenants_file(settings):
            is_undone = undo_change(change, job.tenant, is_new=job.kind == "onboard")
    except ConfigError as error:
        return str(error)
    except (GataError, OSError):
        return stays
    return None if is_undone else stays


def _erase(job: Job, settings: Settings) -> None:
    """Remove the data of a failed first build, if any: nothing of it was ever published.

    Raises:
        Busy: Another build is running.
    """
    from server.orchestration.forgetting import erase, is_known

    if not is_known(job.tenant, settings):
        return
    with build_lock(settings.home, wait_seconds=0), Ops(settings.ops) as ops:
        erase(job.tenant, settings)
        with ops.transaction() as database:
            database.execute("delete from onboarding where tenant = ?", (job.tenant,))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
