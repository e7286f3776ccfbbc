"""Checks of the outputs of a tenant's last build: damaged or missing ones are built again, whatever the inputs.

Checked: the tenant's own star file (present, a DuckDB file, of the size at the end of its build), the pointer, and the
run it names (pipeline/publish/damage.py hashes its DuckDB files when they were written since the last check). Not
checked: runs that readers do not see, a byte that changed in a star file without its size, and one that changed in a
published DuckDB file without its time: `gata validate --full` finds these.
"""

from __future__ import annotations

from pipeline.config.slug import Slug
from pipeline.errors import PublishError
from pipeline.publish.damage import DUCKDB_MAGIC, Damage, find_damage, stamps
from pipeline.publish.pointer import POINTER, latest_run_id
from pipeline.settings import Settings
from server.orchestration.publishing import (
    FinishedStar,
    PublishedStar,
    read_finished,
    read_published_star,
    write_built,
)


def output_damage(settings: Settings, slug: Slug) -> tuple[str, ...]:
    """The damage to the outputs of a tenant's last build, as sentences; empty before its first publish."""
    built = read_published_star(settings, slug)
    if built is None:
        return ()
    return (*star_damage(settings, slug), *_run_damage(settings, slug, built))


def remember_undamaged(settings: Settings, slug: Slug) -> None:
    """Record the modification times of the files of the run that readers see: they were just found undamaged."""
    built, run_id = read_published_star(settings, slug), latest_run_id(settings.published(slug))
    if built and run_id:
        written_at = {f"{run_id}/{name}": stamp for name, stamp in stamps(settings.published(slug) / run_id).items()}
        if written_at != built.undamaged_at:
            write_built(settings, slug, built.model_copy(update={"undamaged_at": written_at}))


def unpublished_star(settings: Settings, slug: Slug, inputs: str) -> FinishedStar | None:
    """The note of a star that was finished with these inputs and is undamaged: only its publishing is left to do."""
    finished = read_finished(settings, slug)
    if finished is None or finished.inputs != inputs or finished.failures is None:
        return None
    return None if star_damage(settings, slug) else finished


def star_damage(settings: Settings, slug: Slug) -> tuple[str, ...]:
    stars, finished = settings.stars(slug), read_finished(settings, slug)
    try:
        offset, mark = DUCKDB_MAGIC
        with stars.open("rb") as content:
            is_duckdb = content.read(offset + len(mark))[offset:] == mark
        size = stars.stat().st_size
    except OSError as error:
        return (f"The star file {stars.name} cannot be read ({error.strerror}).",)
    if not is_duckdb:
        return (f"The star file {stars.name} is no DuckDB file.",)
    if finished is None:
        return (f"The star file {stars.name} was left unfinished.",)
    if finished.star_bytes not in (None, size):
        return (f"The star file {stars.name} has {size:,} bytes, its build left {finished.star_bytes:,}.",)
    return ()


def _run_damage(settings: Settings, slug: Slug, built: PublishedStar) -> tuple[str, ...]:
    folder = settings.published(slug)
    try:
        run_id = latest_run_id(folder)
    except PublishError:
        return (f"The pointer {POINTER} cannot be read.",)
    if run_id is None:
        return (f"The pointer {POINTER} is gone.",)
    prefix = f"{run_id}/"
    known = {name.removeprefix(prefix): stamp for name, stamp in built.undamaged_at.items() if name.startswith(prefix)}
    return tuple(_sentence(run_id, damage) for damage in find_damage(folder / run_id, known))


def _sentence(run_id: str, damage: Damage) -> str:
    return f"Run {run_id} is {damage.state}: {damage}."
