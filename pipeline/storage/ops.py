"""Build records in ops.sqlite, which every process may read and write at any time, also while a build holds the hub.

Runs, their steps and audit records, quarantine counts and dbt's artifacts as they arrive. The server keeps its own rows
in the same file, through `transaction` and `connection`; every table is created by pipeline/storage/ops_migrations.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pipeline.config.slug import Slug, slug_of
from pipeline.storage.build_lock import build_lock
from pipeline.storage.ops_database import OpsDatabase, Row
from pipeline.storage.run_counts import StepCounts, TableCounts
from pipeline.storage.run_id import new_run_id

__all__ = ["Ops", "Row", "build_lock"]

_OLD_ARTIFACTS = """
    DELETE FROM artifacts WHERE run_id < ?1 AND artifact_id NOT IN (
        SELECT artifact_id FROM (
            SELECT artifact_id, dense_rank() OVER (
                PARTITION BY tenant, json_extract(node, '$.kind') LIKE '%test' ORDER BY run_id DESC
            ) AS age FROM artifacts
        ) WHERE age = 1
    ) AND EXISTS (SELECT 1 FROM artifacts WHERE run_id < ?1)
"""
_KEPT_OUT = ("platform", "account", "object", "path", "reason")


class Ops(OpsDatabase):
    """Records of builds in ops.sqlite: runs, steps, quarantine, artifacts and onboarding phases."""

    def start_run(self, tenant: str) -> str:
        """Record the start of a run of the tenant; returns its run id."""
        run_id = new_run_id(self._now())
        self._insert("runs", {"run_id": run_id, "tenant": tenant, "status": "running", "started_at": self._timestamp()})
        return run_id

    def step(
        self,
        run_id: str,
        tenant: str,
        *,
        step: str,
        status: str,
        counts: StepCounts = StepCounts(),  # noqa: B008  # frozen
        attempts: int = 1,
        seconds: float | None = None,
        detail: str | None = None,
        failure: str | None = None,
    ) -> None:
        """Record the result of a step: `detail` says why it failed or was skipped, `failure` names the error."""
        values = {"run_id": run_id, "tenant": tenant, "step": step, "status": status, "attempts": attempts}
        result = {**asdict(counts), "seconds": seconds, "detail": detail, "failure": failure}
        self._insert("steps", {**values, **result, "at": self._timestamp()})

    def skip_all(self, run_id: str, tenants: Iterable[str], *, step: str, detail: str) -> None:
        """Record that a step was not run for some tenants, and why not."""
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO steps (run_id, tenant, step, status, seconds, detail, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(run_id, tenant, step, "skipped", 0.0, detail, self._timestamp()) for tenant in tenants],
            )

    def add_audit_records(self, run_id: str, tenant: str, tables: Iterable[TableCounts], seconds: float) -> None:
        """Record what came through a step that took so long, one row per table and partition."""
        at = self._timestamp()
        for table in tables:
            values = asdict(table) | {"quality_checks_passed": int(table.quality_checks_passed)}
            del values["is_within_gates"]
            record = {"run_id": run_id, "tenant": tenant, **values, "execution_time_seconds": seconds, "timestamp": at}
            self._insert("audit_records", record)

    def audit_records(self, run_id: str, tenant: str | None = None) -> list[Row]:
        """The audit records of a run, of one tenant or of all, in the order they were made."""
        rows = self._rows(
            "SELECT * FROM audit_records WHERE run_id = ?1 AND (?2 IS NULL OR tenant = ?2) ORDER BY audit_id",
            (run_id, tenant),
        )
        return [{**row, "quality_checks_passed": bool(row["quality_checks_passed"])} for row in rows]

    def prune_audit_records(self, before: str) -> None:
        """Remove the audit records of runs before a run id, and alerts that were over by then.

        Of dbt's results those of each tenant's newest runs stay, however old they are.
        """
        with self.transaction() as connection:
            connection.execute("DELETE FROM audit_records WHERE run_id < ?", (before,))
            connection.execute(_OLD_ARTIFACTS, (before,))
            moment = datetime.strptime(before.partition("_")[0] + "+0000", "%Y%m%dT%H%M%S%fZ%z").isoformat()
            connection.execute("DELETE FROM alerts WHERE resolution_sent_at < ?", (moment,))

    def finish_run(self, run_id: str, status: str, detail: str | None = None) -> None:
        """Record the end of a run."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE runs SET status = ?, detail = ?, finished_at = ? WHERE run_id = ?",
                (status, detail, self._timestamp(), run_id),
            )

    def close_interrupted(self) -> int:
        """Mark runs and phases of dead processes as interrupted; returns the number of runs. Needs the build lock."""
        with self.transaction() as connection:
            interrupted = "SET status = 'interrupted', finished_at = ? WHERE status = 'running'"
            connection.execute(f"UPDATE onboarding {interrupted}", (self._timestamp(),))
            return connection.execute(f"UPDATE runs {interrupted}", (self._timestamp(),)).rowcount

    def runs(self, tenant: str | None = None, limit: int = 20) -> list[Row]:
        """The newest runs, of one tenant or of all."""
        return self._rows(
            "SELECT * FROM runs WHERE ?1 IS NULL OR tenant = ?1 ORDER BY run_id DESC LIMIT ?2", (tenant, limit)
        )

    def steps(self, run_id: str, tenant: str | None = None) -> list[Row]:
        """The steps of a run, of one tenant or of all, in the order they were taken."""
        return self._rows(
            "SELECT * FROM steps WHERE run_id = ?1 AND (?2 IS NULL OR tenant = ?2) ORDER BY step_id", (run_id, tenant)
        )

    def add_quarantine(
        self,
        run_id: str,
        tenant: str,
        *,
        platform: str,
        account: str,
        object: str,  # noqa: A002 - the column's name
        path: str,
        reason: str,
        count: int,
    ) -> None:
        """Record that `count` records of a file were quarantined for one reason. The records are in the hub only."""
        source = {"platform": platform, "account": account, "object": object, "path": path}
        values = {"run_id": run_id, "tenant": tenant, "reason": reason, "count": count, "at": self._timestamp()}
        self._insert("quarantine", source | values)

    def set_quarantine(self, run_id: str, tenant: str, counts: Iterable[Mapping[str, Any]]) -> None:
        """Make the quarantine records of a tenant those that are so now; one that stays keeps its run and its time."""
        known = {tuple(row[name] for name in _KEPT_OUT): row for row in self.quarantine(slug_of(tenant))}
        now = {tuple(count[name] for name in _KEPT_OUT): count["count"] for count in counts}
        with self.transaction() as connection:
            connection.executemany(
                "DELETE FROM quarantine WHERE quarantine_id = ?",
                [(row["quarantine_id"],) for key, row in known.items() if key not in now],
            )
            connection.executemany(
                "UPDATE quarantine SET count = ? WHERE quarantine_id = ?",
                [(count, known[key]["quarantine_id"]) for key, count in now.items() if key in known],
            )
        for key, count in now.items():
            if key not in known:
                self.add_quarantine(run_id, tenant, **dict(zip(_KEPT_OUT, map(str, key), strict=True)), count=count)

    def quarantine(self, tenant: Slug) -> list[Row]:
        """The quarantine records of a tenant, newest first."""
        return self._rows("SELECT * FROM quarantine WHERE tenant = ? ORDER BY quarantine_id DESC", (tenant,))

    def save_artifacts(
        self, run_id: str, tenant: str, nodes: Iterable[Mapping[str, Any]], at: str | None = None
    ) -> None:
        """Save the results of dbt nodes; one that is there already, by `invocation_id` and `node_id`, stays as it is.

        Args:
            run_id: Of the command, or of the dbt run by hand.
            tenant: Its slug, or * for the library.
            nodes: The results.
            at: When they were recorded (UTC, ISO 8601); now, when left out.
        """
        with self.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO artifacts (run_id, tenant, node, at, invocation_id, node_id)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(run_id, tenant, json.dumps(node, default=str), at or self._timestamp()),
                        *(node.get("invocation_id"), node.get("node_id")),
                    )
                    for node in nodes
                ],
            )

    def newest_artifacts(self) -> str:
        """The id of the newest run with saved artifacts; empty before the first."""
        return str(self._rows("SELECT coalesce(max(run_id), '') AS newest FROM artifacts", ())[0]["newest"])

    def artifact_runs(self, tenant: Slug, limit: int) -> list[str]:
        """The newest runs with artifacts of a tenant, newest first."""
        query = "SELECT DISTINCT run_id FROM artifacts WHERE tenant = ? ORDER BY run_id DESC LIMIT ?"
        return [str(row["run_id"]) for row in self._rows(query, (tenant, limit))]

    def artifacts(self, run_id: str | None = None, tenant: str | None = None) -> list[Row]:
        """Artifacts in the order they arrived, each with its `node` as it was saved."""
        rows = self._rows(
            "SELECT * FROM artifacts WHERE (?1 IS NULL OR run_id = ?1) AND (?2 IS NULL OR tenant = ?2)"
            " ORDER BY artifact_id",
            (run_id, tenant),
        )
        return [{**row, "node": json.loads(row["node"])} for row in rows]

    @contextmanager
    def phase(self, tenant: Slug, phase: int, name: str, version: str) -> Iterator[None]:
        """Record the start, the end and the status of a phase of a tenant's onboarding.

        Args:
            version: The version of the onboarded content: a phase that is done for another one must run again.
        """
        values = {"tenant": tenant, "phase": phase, "name": name, "version": version, "status": "running"}
        record = self._insert("onboarding", {**values, "started_at": self._timestamp()})
        status, detail = "interrupted", None
        try:
            yield
            status = "done"
        except Exception as error:
            status, detail = "failed", str(error)
            raise
        finally:
            with self.transaction() as connection:
                connection.execute(
                    "UPDATE onboarding SET status = ?, detail = ?, finished_at = ? WHERE onboarding_id = ?",
                    (status, detail, self._timestamp(), record),
                )

    def onboarding(self, tenant: Slug) -> list[Row]:
        """The newest record of each phase of a tenant's onboarding, in the order of the phases."""
        return self._rows(
            "SELECT phase, name, version, status, started_at, finished_at, detail FROM onboarding"
            " WHERE onboarding_id IN (SELECT max(onboarding_id) FROM onboarding WHERE tenant = ? GROUP BY phase)"
            " ORDER BY phase",
            (tenant,),
        )
