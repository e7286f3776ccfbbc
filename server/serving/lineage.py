"""Lineage of a name of a published run, as the command line and REST give it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import AccessError
from pipeline.settings import Settings
from server.serving.runs.open_run import OpenRun

if TYPE_CHECKING:
    from semantic.lineage.run_lineage import RunLineage
    from warehouse.lineage.built_models import BuiltModels

Payload = dict[str, Any]  # Any: JSON values
RUNS_KEPT = 8
"""Lineages of runs that stay in memory: a run never changes."""


def lineage(run: OpenRun, name: str, settings: Settings) -> Payload:
    """The way from payload fields to a metric, a dimension or a column, and on to the metrics made of it.

    Args:
        run: Whose name it is.
        name: As `semantic.lineage.run_lineage.RunLineage.of` takes it.
        settings: Where the run is.

    Returns:
        As `RunLineage.of`, with `notes`.

    Raises:
        UnknownName, QueryError: As for `RunLineage.of`.
        AccessError: An earlier release published the run, and kept no SQL with it.
    """
    folder = settings.published(run.slug) / run.run_id
    followed, star = _followed(folder, run.exposed)
    return {**followed.of(name), "notes": _notes(run, star, settings)}


@lru_cache(maxsize=RUNS_KEPT)
def _followed(folder: Path, exposed: frozenset[str]) -> tuple[RunLineage, BuiltModels]:
    """The lineage of the run in a folder, and the models that made its star."""
    from pipeline.publish.run_files import DEFINITIONS, MODELS
    from semantic.catalog.catalog import read_catalog
    from semantic.catalog.run_definitions import read_definitions
    from semantic.lineage.run_lineage import run_lineage
    from warehouse.lineage.built_models import read_run_models

    definitions = read_definitions((folder / DEFINITIONS).read_bytes())
    built = read_run_models(folder / MODELS)
    if built is None:
        raise AccessError(
            f"No SQL is kept with run {folder.name} of {definitions.tenant}.",
            f"Run `gata build --tenant {definitions.tenant} --full`: a build keeps the SQL that it runs.",
        )
    return run_lineage(definitions, read_catalog(definitions, expose=exposed), built, folder.name), built.star


def _notes(run: OpenRun, star: BuiltModels, settings: Settings) -> list[str]:
    """What differs from the run that was asked for, or from what is built now."""
    notes = [run.note] if run.note else []
    if _is_rebuilt(star, settings.stars(run.slug)):
        notes.append(
            f"The star of {run.slug} has been built with other SQL since: this is the lineage of run {run.run_id},"
            " which is served."
        )
    return notes


def _is_rebuilt(published: BuiltModels, star: Path) -> bool:
    """Whether the models of the tenant's star are others than those of the run; not where there are none."""
    from warehouse.lineage.built_models import STAR_MODELS, read_built_models

    now = read_built_models(star.with_name(STAR_MODELS))
    return now is not None and now != published
