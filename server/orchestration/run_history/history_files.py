"""Files that a command leaves about its tenants when it ends: audit records and reports, kept for a while.

    runs/<run_id>/<tenant>/{audit/*.json, gates.json, reports/*.md}

They are written from the ledger and can be written again; so a disk that refuses them fails no build.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from pipeline.bug_reports import report_bug
from pipeline.config.slug import Slug
from pipeline.errors import GataError
from pipeline.log import log
from pipeline.publish.pointer import run_ids
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from server.orchestration.publishing import RUNS_KEPT
from server.orchestration.reports.report_files import tenants_of_run, write_reports
from server.orchestration.run_history.audit_files import write_audit_files


def keep_history(settings: Settings, ops: Ops, run_id: str, tenants: Collection[Slug]) -> None:
    """Write the files of a run that has ended, and remove what is kept of old runs. Fails no build."""
    try:
        write_audit_files(settings, ops, run_id, tenants)
        (run,) = (dict(row) for row in ops.connection.execute("select * from runs where run_id = ?", (run_id,)))
        write_reports(settings, ops, run, tenants_of_run(ops, run_id))
        prune_history(settings, ops)
    except OSError as error:
        log.warning("run_files_not_written", reason=error.strerror or str(error))
    except GataError as error:
        log.warning("run_files_not_written", reason=error.what)
    except Exception as error:  # noqa: BLE001  # files about a build are a convenience: a bug in them fails none
        report_bug(error, call="files of a run", run_id=run_id)


def prune_history(settings: Settings, ops: Ops) -> tuple[str, ...]:
    """Remove files and audit records of runs older than GATA_RUN_DAYS, but the newest ones; returns the ids of files.

    Runs and their steps stay: a line each.
    """
    oldest = datetime.now(UTC) - timedelta(days=settings.run_days)
    folder = settings.home / "runs"
    old = tuple(run_id for run_id in run_ids(folder)[:-RUNS_KEPT] if _began(run_id) < oldest)
    for run_id in old:
        shutil.rmtree(folder / run_id, ignore_errors=True)
    newest = [run["run_id"] for run in ops.runs(limit=RUNS_KEPT)]
    ops.prune_audit_records(before=min([f"{oldest:%Y%m%dT%H%M%S%fZ}", *newest]))
    return old


def _began(run_id: str) -> datetime:
    return datetime.strptime(run_id.partition("_")[0] + "+0000", "%Y%m%dT%H%M%S%fZ%z")
