"""Stamps of the files that a tenant's build reads and checks, without opening one of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.config.accounts import Read
from pipeline.config.tenant import Tenant
from pipeline.ingest.admission.known_contents import is_settled, stamp_of
from pipeline.ingest.admission.matched_files import listed_files
from pipeline.ingest.recognition.folder import listed_folder
from pipeline.publish.pointer import POINTER, latest_readable
from pipeline.settings import Settings
from pipeline.storage.bronze.batches import bronze_folder
from pipeline.storage.bronze.manifest import MANIFEST
from warehouse.build.build_paths import projects_folder

Stamps = list[tuple[str, str]]
"""Paths, each with the stamp of what is there."""
NOTES = ("built.json", "finished.json", "landed.json")
_OF_DBT = ("target", "logs")


class UnsettledFile(Exception):
    """A file was written so recently that a later change might leave the same stamp."""


def source_stamps(tenant: Tenant, settings: Settings) -> Stamps:
    """The stamps of all files that the sources of a tenant read, and of what says anything about them.

    Raises:
        UnsettledFile: One was just written.
        LandError: A folder may not be read.
    """
    found, now = Stamps(), time.time_ns()
    for path in _source_files(tenant, settings):
        status = _status(path)
        if isinstance(status, os.stat_result) and not is_settled(status, now):
            raise UnsettledFile(str(path))
        found.append((str(path), stamp_of(status) if isinstance(status, os.stat_result) else status))
    return found


def output_stamps(tenant: Tenant, settings: Settings) -> Stamps:
    """The stamps of what builds left of a tenant: its star, the run that readers see, its bronze, its push project."""
    folder, run_id = settings.published(tenant.slug), latest_readable(settings.published(tenant.slug))
    run = sorted((folder / run_id).glob("*")) if run_id else []
    own = [settings.stars(tenant.slug), folder / POINTER, *run]
    return _stamps((*own, *_partitions(bronze_folder(settings, tenant.slug)), *_project(tenant, settings)))


def note_stamps(tenant: Tenant, settings: Settings) -> Stamps:
    """The stamps of the notes about a tenant's landing, star and run."""
    return _stamps(settings.stars(tenant.slug).with_name(name) for name in NOTES)


def _source_files(tenant: Tenant, settings: Settings) -> Iterator[Path]:
    if tenant.rates is not None:
        yield tenant.rates
    for source in tenant.enabled:
        for account in source.accounts:
            yield from _files_of(account.read, tenant, settings)


def _files_of(read: Read, tenant: Tenant, settings: Settings) -> Iterator[Path]:
    folders = set[Path]()
    for pattern in (pattern for patterns in read.objects.values() for pattern in patterns):
        paths = listed_files(pattern)
        folders.update(path.parent for path in (*paths, Path(pattern)))
        yield from paths
    if read.kind == "files" and read.folder is not None:
        paths = sorted(listed_folder(Path(read.folder)))
        folders.update(path.parent for path in paths)
        yield from paths
    if read.kind == "bronze":
        yield from _below(Path(str(read.folder), tenant.slug))
    if read.kind == "synthetic":
        yield from _below(settings.home / "synthetic" / tenant.slug)
    for folder in sorted(folders):
        yield from sorted(folder.glob(f"*{MANIFEST}"))


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(parent, name) for name in sorted(names))


def _partitions(bronze: Path) -> Iterator[Path]:
    """The folders of a bronze down to its days: the time of one changes with every batch that comes or goes."""
    yield from sorted(bronze.glob("*/*/*"))
    yield from sorted(bronze.glob("*/*/*/ingest_dt=*"))


def _project(tenant: Tenant, settings: Settings) -> Iterator[Path]:
    """The generated files of the push project, which builds mend; without what dbt keeps beside them."""
    folder = projects_folder(settings, tenant.slug) / "push"
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not (parent == str(folder) and name in _OF_DBT))
        yield from (Path(parent, name) for name in sorted(names) if name != ".user.yml")


def _stamps(paths: Iterable[Path]) -> Stamps:
    statuses = ((path, _status(path)) for path in paths)
    return [
        (str(path), stamp_of(status) if isinstance(status, os.stat_result) else status) for path, status in statuses
    ]


def _status(path: Path) -> os.stat_result | str:
    """What a path leads to, or why it leads to nothing."""
    try:
        return path.stat()
    except OSError as error:
        return error.strerror or str(error)
