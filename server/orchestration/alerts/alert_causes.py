"""Causes of alerts: what is wrong now with tenants, by the same status that `gata status` shows, and with the disk.

A text names the tenant, the step, the error by its kind, the source and days; never a row, a value, a path or a secret.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.config.slug import slugs_among
from pipeline.settings import Settings
from pipeline.storage.disk import nearest_folder

ALL = "*"
"""The tenant of an alert about the installation."""


@dataclass(frozen=True)
class AlertCause:
    """Something that needs an operator; tenant, kind and cause tell it from every other."""

    tenant: str
    kind: str
    """failed, held, stale, damaged, refused or disk."""
    cause: str
    text: str
    next_step: str
    since: str | None = None


def alert_causes(
    statuses: Iterable[Mapping[str, Any]],  # Any: JSON values
    last_run: Mapping[str, Any] | None,
    settings: Settings,
) -> list[AlertCause]:
    """What needs an operator now; `statuses` as `gata status` has them, `last_run` is the newest row of the ledger."""
    found = [cause for status in statuses for cause in _causes_of(status["tenant"], status["attention"])]
    if last_run and last_run["status"] == "failed" and last_run["detail"]:
        step = f"Run `gata runs {last_run['run_id']}`."
        found.append(AlertCause(ALL, "failed", "run", "The last command failed for all tenants.", step))
    first: dict[tuple[str, str, str], AlertCause] = {}
    for each in found:
        first.setdefault((each.tenant, each.kind, each.cause), each)
    return [*first.values(), *_disk(settings)]


def _causes_of(name: str, attention: Iterable[Mapping[str, Any]]) -> Iterator[AlertCause]:  # Any: JSON values
    """The causes of a tenant; `name` is the path and line of an entry of tenants.yaml that says no valid slug."""
    slug = next(slugs_among([name]), None)
    for each in attention:
        kind = each["kind"]
        cause = _CAUSES.get(kind) or str(each["cause"])
        text, next_step = _TEXTS[kind]
        names = {"slug": slug or "its tenant", "cause": cause, "what": each["text"] if kind == "stale" else ""}
        yield AlertCause(slug or ALL, kind, cause, text.format(**names), next_step.format(**names), each["since"])


_CAUSES = {"damaged": "run", "refused": "entry"}
"""By kind: the cause, where that of the status is a sentence or a place."""


_TEXTS = {
    "failed": ("The step {cause} of {slug} failed; readers keep the last run.", "Run `gata runs --tenant {slug}`."),
    "held": (
        "A gate holds {slug} at the step {cause}; readers keep the last run.",
        "Run `gata status`, mend the source, then build again.",
    ),
    "stale": ("{slug}: {what}", "See why the source delivers nothing, or write `ended:` in tenants.yaml."),
    "damaged": (
        "An output of {slug} is damaged; where it was the run that readers see, an earlier one answers.",
        "Run `gata build --tenant {slug}`.",
    ),
    "refused": (
        "An entry of tenants.yaml is wrong: builds refuse {slug}; readers keep the last run.",
        "Run `gata status`, which names the line, and correct it.",
    ),
}


def _disk(settings: Settings) -> Iterator[AlertCause]:
    usage = shutil.disk_usage(nearest_folder(settings.home))
    if usage.free < settings.alert_disk_bytes:
        text = f"The disk of GATA_HOME has {usage.free // 1_000_000:,} MB left of {usage.total // 1_000_000:,} MB."
        yield AlertCause(ALL, "disk", "home", text, "Free some: `gata status` says which tenants are offboarded.")
