"""What the run that readers see was published with: the history that gates of the next run compare with."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.config.slug import Slug
from pipeline.gates.finding import Finding, read_findings
from pipeline.gates.run_measures import RunMeasures, read_measures
from pipeline.publish.pointer import latest_readable
from pipeline.publish.run_files import FINDINGS, MEASURES
from pipeline.settings import Settings


@dataclass(frozen=True)
class RunHistory:
    """Findings and measures of a run; none where an earlier release published it, or a file is damaged."""

    findings: tuple[Finding, ...] = ()
    measures: RunMeasures = field(default_factory=RunMeasures)


def published_run(settings: Settings, slug: Slug) -> RunHistory:
    """The history of the run that readers of a tenant see; an empty one before the first."""
    folder = settings.published(slug)
    run = folder / str(latest_readable(folder))
    findings: tuple[Finding, ...] = ()
    measures = RunMeasures()
    try:
        findings = read_findings((run / FINDINGS).read_bytes())
        measures = read_measures((run / MEASURES).read_bytes())
    except (OSError, ValueError):
        pass
    return RunHistory(findings, measures)
