"""The files of reports: `runs/<run_id>/<tenant>/reports/<NAME>.md`, and pages beside them where somebody asks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline.config.slug import Slug, slug_of
from pipeline.settings import Settings
from pipeline.storage.ops import Ops, Row
from server.orchestration.reports.quality_reports import REPORTS, quality_report
from server.orchestration.reports.report_page import report_page
from server.orchestration.reports.run_facts import read_run_facts


def write_reports(
    settings: Settings, ops: Ops, run: Row, tenants: Iterable[Slug], *, pages: bool = False
) -> list[Path]:
    """Write the reports of tenants in a run, from the ledger as it is now; returns the files, pages where asked for.

    Raises:
        OSError: The disk refuses.
    """
    written = []
    for tenant in tenants:
        facts = read_run_facts(settings, ops, run, tenant)
        folder = settings.run_folder(run["run_id"], tenant) / "reports"
        folder.mkdir(parents=True, exist_ok=True)
        for kind in REPORTS:
            text = quality_report(kind, facts)
            path = folder / f"{kind.name}.md"
            path.write_text(text, encoding="utf-8")
            if pages:
                path = path.with_suffix(".html")
                path.write_text(report_page(text), encoding="utf-8")
            written.append(path)
    return written


def tenants_of_run(ops: Ops, run_id: str) -> list[Slug]:
    """The tenants of which a run has audit records."""
    found = ops.connection.execute("select distinct tenant from audit_records where run_id = ? order by 1", (run_id,))
    return [slug_of(row["tenant"]) for row in found.fetchall()]
