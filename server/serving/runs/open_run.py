"""Opening of a published run: read-only, sandboxed, and the last undamaged one where the newest is damaged."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.bug_reports import event_logger
from pipeline.config.slug import Slug
from pipeline.errors import AccessError, DamagedRun, PublishError
from pipeline.settings import Settings
from server.serving.audit.call_record import report_call_bug
from server.serving.runs.answer_cache import AnswerCache

if TYPE_CHECKING:  # imported when the first run is opened: a stdio server answers `initialize` before that
    import duckdb

    from pipeline.publish.run_manifest import RunManifest
    from semantic.answering.semantic_model import SemanticModel


@dataclass(frozen=True)
class OpenRun:
    """One open published run of one tenant. `note` is set when it is not the newest, or lacks a file."""

    slug: Slug
    manifest: RunManifest
    model: SemanticModel
    rolled: SemanticModel
    """The model that reads the run's rollups where they give the same result; `model` where there are none."""
    exposed: frozenset[str]
    """The exposed personal dimensions."""
    connection: duckdb.DuckDBPyConnection = field(repr=False)
    spill: Path = field(repr=False)
    answers: AnswerCache = field(repr=False)
    note: str | None = None

    @property
    def run_id(self) -> str:
        return self.manifest.run_id

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for one query; it can be interrupted from another thread."""
        cursor = self.connection.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def close(self) -> None:
        self.connection.close()
        shutil.rmtree(self.spill, ignore_errors=True)


def open_newest(
    settings: Settings,
    slug: Slug,
    exposed: frozenset[str],
    answers: AnswerCache,
    damaged: Mapping[str, DamagedRun],
) -> OpenRun:
    """Open the run that a tenant's pointer names; when that is damaged, the last one before it, with a note.

    Args:
        settings: Where the runs are, and what a query may use.
        slug: The tenant.
        exposed: The personal dimensions that it exposes now.
        answers: The cache of its answers.
        damaged: Runs that must not be opened, with their damage.

    Raises:
        AccessError: There is no run.
        PublishError: No run can be opened; names the newest, and the step that makes another.
    """
    from pipeline.publish.pointer import earlier_runs, fallback_note, latest_readable, latest_run_id, nothing_to_serve

    folder = settings.published(slug)
    try:
        return _open_undamaged(damaged, settings, slug, exposed, answers, run_id=latest_run_id(folder))
    except AccessError:
        raise
    except Exception as error:  # noqa: BLE001  # after any error an earlier run may answer
        first = error
    reason = _reason(first, slug, latest_readable(folder))
    for run_id in earlier_runs(folder, latest_readable(folder)):
        with suppress(PublishError):
            opened = _open_undamaged(damaged, settings, slug, exposed, answers, run_id=run_id)
            newest = latest_readable(folder)
            event_logger().error("earlier_run_answers", tenant=slug, newest=newest, answered_by=run_id, reason=reason)
            return replace(opened, note=" ".join([fallback_note(reason, run_id), opened.note or ""]).strip())
    if isinstance(first, PublishError):
        raise nothing_to_serve(folder, reason) from first
    raise first


def _open_undamaged(
    damaged: Mapping[str, DamagedRun],
    settings: Settings,
    slug: Slug,
    exposed: frozenset[str],
    answers: AnswerCache,
    *,
    run_id: str | None,
) -> OpenRun:
    if run_id is not None and run_id in damaged:
        raise damaged[run_id]
    return open_run(settings, slug, exposed, answers, run_id=run_id)


def open_run(
    settings: Settings, slug: Slug, exposed: frozenset[str], answers: AnswerCache, *, run_id: str | None = None
) -> OpenRun:
    """Open the run that a tenant's pointer names, sandboxed: no write, no file but its own, no extension, no setting.

    With `run_id` it opens that run. A run that lacks only optional files is opened, with a note.

    Raises:
        AccessError: There is no run.
        DamagedRun: The run is not what was published, or it is another tenant's.
        PublishError: This version cannot read its definitions.
    """
    from pipeline.publish.damage import fatal, find_damage
    from pipeline.publish.pointer import damage_notes, latest_run_id
    from pipeline.publish.run_files import ROLLUPS
    from pipeline.publish.run_manifest import read_manifest
    from semantic.answering.rollups import with_rollups
    from semantic.answering.semantic_model import load_model

    folder = settings.published(slug)
    run_id = run_id or latest_run_id(folder)
    if run_id is None:
        raise not_built(slug)
    run_dir = folder / run_id
    damage = find_damage(run_dir)
    if worst := fatal(damage):
        raise worst.error(run_dir)
    manifest = read_manifest(run_dir)
    model = load_model(run_dir, expose=exposed)
    spill = settings.home / "tmp" / f"{run_id}_{os.getpid()}"
    with suppress(OSError):  # a state folder that is read-only, or full: a query that has to spill says so
        spill.parent.mkdir(parents=True, exist_ok=True)
    has_rollups = settings.rollups and ROLLUPS not in {each.file for each in damage}
    rolled = with_rollups(model, manifest.rollups.rollups) if has_rollups and manifest.rollups else model
    connection = _connect(run_dir, settings, spill, has_rollups=rolled is not model)
    note = " ".join(damage_notes(run_id, damage)) or None
    return OpenRun(slug, manifest, model, rolled, exposed, connection, spill, answers, note)


def _connect(run_dir: Path, settings: Settings, spill: Path, *, has_rollups: bool) -> duckdb.DuckDBPyConnection:
    """Connect to the star and its rollups, then lock the DuckDB configuration.

    Raises:
        DamagedRun: DuckDB cannot open one of them.
    """
    import duckdb

    from pipeline.publish.run_files import ROLLUPS, STARS
    from pipeline.publish.run_manifest import manifest_mismatch
    from semantic.answering.rollups import attach
    from semantic.answering.sandboxed_star import lock_sandbox, sandbox_config

    file = STARS
    try:
        connection = duckdb.connect(str(run_dir / STARS), read_only=True, config=sandbox_config(settings, spill))
        if has_rollups:
            file = ROLLUPS
            attach(connection, run_dir / ROLLUPS)
    except (duckdb.IOException, duckdb.SerializationException) as error:
        raise manifest_mismatch(run_dir, f"{file} cannot be opened ({str(error).splitlines()[0]})") from error
    lock_sandbox(connection)
    return connection


def _reason(error: Exception, slug: Slug, run_id: str | None) -> str:
    """Log why the newest run cannot be opened, and return a sentence for callers: without a path."""
    if isinstance(error, DamagedRun):
        event_logger().warning("damaged_run", tenant=slug, what=error.what)
        return f"Run {run_id} is {error.state}: {error.difference}."
    if run_id is None:
        event_logger().warning("damaged_pointer", tenant=slug, what=str(error))
        return "The pointer to the newest run cannot be read."
    report_call_bug(error, call=f"open_run {slug}")
    return f"Run {run_id} cannot be opened."


def not_built(slug: Slug) -> AccessError:
    """The error for a tenant without a published run."""
    return AccessError(f"{slug} is not built yet.", f"Run `gata build --tenant {slug}`.")
