"""Replay of an earlier logic version over current records: an unpublished run, hidden until it is published.

    tenants/<slug>/runs/<run_id>/{stars.duckdb, semantic.yml, run.json}

The star that builds publish and tenants.yaml stay unchanged: the next build with changed inputs publishes the current
logic again.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.errors import PublishError, shorten
from pipeline.gates.landing_gates import enforce
from pipeline.publish.pointer import run_ids
from pipeline.publish.run_files import DEFINITIONS, STARS
from pipeline.publish.run_store import Published
from pipeline.settings import Settings
from pipeline.storage.disk import explain_os_error
from pipeline.storage.run_id import new_run_id
from server.orchestration.build_context import BuildContext
from server.orchestration.isolation.boundary import attempt
from server.orchestration.publishing import (
    RUNS_KEPT,
    BuildNote,
    derive_definitions,
    publish_file,
    read_landed,
    read_note,
    tables_of,
    write_note,
)
from warehouse.build.build_paths import BuildPaths, projects_folder
from warehouse.build.hub_metadata import collect_waiting, earlier_logic
from warehouse.build.star import build_star
from warehouse.projects.logic_versions import with_logic
from warehouse.run_dbt import Node

RUN = "run.json"


class Replayed(BuildNote):
    """The note of an unpublished run: its logic version."""

    run_id: str
    tenant: Slug
    logic_version: str
    definitions_sha256: str | None = None
    """Of its definitions file; None for a run that an earlier release made."""


def replay(tenant: Tenant, context: BuildContext, version: str) -> tuple[Replayed, tuple[Node, ...]]:
    """Build an unpublished run of the tenant with an earlier logic version; return its note and the dbt nodes.

    Raises:
        ConfigError: The tenant never had that version.
        BuildError: A model failed, or a check in strict mode; nothing is kept.
    """
    settings = context.settings
    versioned = with_logic(tenant, earlier_logic(tenant, version, settings))
    run_id = new_run_id(settings.now())
    folder = unpublished(settings, tenant.slug) / run_id
    paths = BuildPaths(projects_folder(settings, tenant.slug) / "replay", folder / STARS)
    try:
        star = build_star(versioned, context.blueprints, settings, paths)
        failures = enforce(tenant.slug, star.failures, strict=settings.strict)
        text = derive_definitions(versioned, paths.file, tables_of(versioned, paths.file))
        (folder / DEFINITIONS).write_text(text, encoding="utf-8")
        run = Replayed(
            run_id=run_id,
            tenant=tenant.slug,
            logic_version=version,
            definitions_sha256=hashlib.sha256(text.encode()).hexdigest(),
            findings=(*star.findings, *failures),
            measured=star.measured,
        )
        write_note(run, folder / RUN)
    except BaseException:
        attempt(partial(collect_waiting, settings), tenant=tenant.slug, step="records")  # what dbt did stays
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _prune(settings, tenant.slug)
    return run, star.nodes


def unpublished(settings: Settings, slug: Slug) -> Path:
    """The folder of a tenant's unpublished runs."""
    return settings.stars(slug).with_name("runs")


def replayed(settings: Settings, slug: Slug) -> list[Replayed]:
    """A tenant's unpublished runs, oldest first."""
    notes = (
        read_note(Replayed, unpublished(settings, slug) / run_id / RUN)
        for run_id in run_ids(unpublished(settings, slug))
    )
    return [run for run in notes if run is not None]


@dataclass(frozen=True)
class UnpublishedRun:
    """An unpublished run and its tenant."""

    tenant: Tenant
    run: Replayed


def find_unpublished(context: BuildContext, tenants: tuple[Tenant, ...], run_id: str) -> UnpublishedRun:
    """Find an unpublished run by its id.

    Raises:
        PublishError: No unpublished run has the id; names the existing ones.
    """
    waiting = [UnpublishedRun(tenant, run) for tenant in tenants for run in replayed(context.settings, tenant.slug)]
    for candidate in waiting:
        if candidate.run.run_id == run_id:
            return candidate
    for tenant in tenants:
        if run_id in run_ids(context.settings.published(tenant.slug)):
            raise PublishError(
                f"Run {run_id} of {tenant.slug} is published already.",
                f"Run `gata rollback --tenant {tenant.slug} --to {run_id}` to let readers see it.",
            )
    known = ", ".join(f"{candidate.run.run_id} ({candidate.tenant.slug})" for candidate in waiting)
    raise PublishError(
        f"There is no unpublished run {shorten(run_id, 60)!r}.",
        f"Choose one of: {known}." if known else "Make one with `gata transform --tenant SLUG --logic-version HASH`.",
    )


def publish_replayed(waiting: UnpublishedRun, context: BuildContext) -> Published:
    """Publish an unpublished run, under its own id and with its own definitions.

    Raises:
        PublishError: The run is damaged, or the disk refuses; readers keep the run they have.
    """
    tenant, run = waiting.tenant, waiting.run
    folder = unpublished(context.settings, tenant.slug) / run.run_id
    with explain_os_error(folder, tenant.slug):
        definitions = (folder / DEFINITIONS).read_bytes()
    if run.definitions_sha256 not in (None, hashlib.sha256(definitions).hexdigest()):
        raise PublishError(
            f"The definitions of run {run.run_id} of {tenant.slug} are damaged.",
            f"Make it again with `gata transform --tenant {tenant.slug} --logic-version {run.logic_version}`.",
        )
    landed = read_landed(context.settings, tenant.slug)
    known = (*landed.findings, *run.measured)
    new = publish_file(
        tenant,
        context.settings,
        folder / STARS,
        run.run_id,
        definitions.decode(),
        known=known,
        delivered=landed.delivered,
    )
    shutil.rmtree(folder)
    return new.published


def _prune(settings: Settings, slug: Slug) -> None:
    """Remove all but the newest unpublished runs."""
    folder = unpublished(settings, slug)
    for run_id in run_ids(folder)[:-RUNS_KEPT]:
        shutil.rmtree(folder / run_id)
