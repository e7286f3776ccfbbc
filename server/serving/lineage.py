"""Lineage of a name of a published run, as the command line and REST give it."""

from __future__ import annotations

from collections import OrderedDict
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
    return {**_lineage_of(run, folder).of(name), "notes": _notes(run, folder, settings)}


_KNOWN: OrderedDict[tuple[Path, frozenset[str]], RunLineage] = OrderedDict()
"""The last lineages, by the folder of the run and the personal dimensions that are exposed."""


def _lineage_of(run: OpenRun, folder: Path) -> RunLineage:
    key = (folder, run.exposed)
    if (known := _KNOWN.get(key)) is not None:
        return known
    _KNOWN[key] = found = _read_lineage(run, folder)
    while len(_KNOWN) > RUNS_KEPT:
        _KNOWN.popitem(last=False)
    return found


def _read_lineage(run: OpenRun, folder: Path) -> RunLineage:
    from pipeline.publish.run_files import DEFINITIONS, MODELS
    from semantic.catalog.run_definitions import read_definitions
    from semantic.lineage.run_lineage import run_lineage
    from warehouse.lineage.built_models import read_run_models

    built = read_run_models(folder / MODELS)
    if built is None:
        raise AccessError(
            f"No SQL is kept with run {run.run_id} of {run.slug}.",
            f"Run `gata build --tenant {run.slug} --full`: a build keeps the SQL that it runs.",
        )
    definitions = read_definitions((folder / DEFINITIONS).read_bytes())
    return run_lineage(definitions, run.model.catalog, built, run.run_id)


def _notes(run: OpenRun, folder: Path, settings: Settings) -> list[str]:
    """What differs from the run that was asked for, or from what is built now."""
    notes = [run.note] if run.note else []
    if _is_rebuilt(folder, settings.stars(run.slug)):
        notes.append(
            f"The star of {run.slug} has been built with other SQL since: this is the lineage of run {run.run_id},"
            " which is served."
        )
    return notes


def _is_rebuilt(folder: Path, star: Path) -> bool:
    """Whether the models of the tenant's star are others than those of the run; not where there are none."""
    from pipeline.publish.run_files import MODELS
    from warehouse.lineage.built_models import STAR_MODELS, read_built_models, read_run_models

    now: BuiltModels | None = read_built_models(star.with_name(STAR_MODELS))
    published = read_run_models(folder / MODELS)
    return now is not None and published is not None and now != published.star
