"""The room on the disk that a build needs, estimated before it starts from new exports, last stars and the hub.

What does not fit is refused while nothing is written: tenant by tenant, in their order, and the whole build where no
tenant fits. Estimates are meant to be upper bounds, and are no promises: a disk that fills up meanwhile still fails
the tenant that meets it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import duckdb

from pipeline.config.accounts import Read
from pipeline.config.tenant import Tenant
from pipeline.errors import LandError, NoRoom
from pipeline.ingest.admission.known_contents import KnownContents
from pipeline.ingest.admission.limits import most_unpacked
from pipeline.ingest.admission.matched_files import matched_files
from pipeline.ingest.formats.zip_file import archive_of
from pipeline.ingest.landing_tables import dataset
from pipeline.settings import Settings
from pipeline.storage.disk import nearest_folder
from pipeline.storage.hub import read_hub

FreeBytes = Callable[[Path], int]
"""The free bytes of the disk that a folder is, or will be, on."""

MEGABYTE = 1 << 20
OF_A_BUILD = 16 * MEGABYTE
"""Projects, logs and ops.sqlite, whatever is built."""
OF_A_NEW_BYTE = 4
"""Bronze, landing parts, landing tables and sinks, per unpacked byte of an export."""
OF_A_STAR_BYTE = 2
"""The star that is rebuilt and the copy that is published; a part of both is linked where it is unchanged."""
OF_A_PACKED_BYTE = 20
"""What texts unpack to, for each packed byte."""
SHARE_OF_HUB = 0.1
"""The blocks of the hub that a push writes anew before it frees the old ones."""
PACKED = (".gz", ".zip")
IN_PARTS = -1
"""In place of the size of an archive of which a file landed: it is taken for the same one."""


def free_bytes(folder: Path) -> int:
    """The free bytes of the disk of a folder, or of the nearest one above it that exists."""
    return shutil.disk_usage(nearest_folder(folder)).free


def bytes_needed(tenant: Tenant, settings: Settings, *, is_changed: bool) -> int:
    """What the build of a tenant needs, without its share of the hub; nothing where nothing is new.

    Args:
        is_changed: Its star is rebuilt even without new exports.

    Raises:
        LandError: A folder of exports may not be read.
    """
    new = sum(_unpacked(path, size) for path, size in _new_exports(tenant, settings))
    if not new and not is_changed:
        return 0
    star = settings.stars(tenant.slug)
    size = star.stat().st_size if star.is_file() else 0
    return OF_A_BUILD + OF_A_NEW_BYTE * new + OF_A_STAR_BYTE * max(size, new)


def hub_needs(settings: Settings) -> int:
    """What writing to the hub needs beside the new rows."""
    return int(settings.hub.stat().st_size * SHARE_OF_HUB) if settings.hub.is_file() else OF_A_BUILD


def no_room(who: str, needed: int, free: int, home: Path) -> NoRoom:
    """The refusal of a tenant, or of a whole build."""
    return NoRoom(
        f"{who} needs about {_shown(needed)} on the disk of {home}, and {_shown(free)} are free: nothing was begun.",
        "Make room there, or set GATA_HOME to a larger disk, and build again; readers keep the runs they have.",
    )


def _shown(size: int) -> str:
    return f"{max(size, 0) / MEGABYTE:,.0f} MB"


def _new_exports(tenant: Tenant, settings: Settings) -> Iterator[tuple[Path, int]]:
    """The export files of a tenant that did not land as they are, with their sizes."""
    landed, known = _landed(tenant, settings), KnownContents.of_tenant(settings, tenant.slug)
    for source in tenant.enabled:
        for account in source.accounts:
            for path in _files(account.read, known):
                with suppress(OSError):  # one that is gone, or may not be read, is quarantined by its name
                    size = path.stat().st_size
                    if landed.get(str(path)) not in (size, IN_PARTS):
                        yield path, size


def _files(read: Read, known: KnownContents) -> Iterator[Path]:
    for patterns in read.objects.values():
        for pattern in patterns:
            yield from (file.path for file in matched_files(pattern, known) if not file.refused)
    if read.kind == "files" and read.folder is not None:
        for parent, _, names in os.walk(read.folder):
            yield from (path for name in names if (path := Path(parent, name)).is_file() and not path.is_symlink())


def _landed(tenant: Tenant, settings: Settings) -> dict[str, int]:
    """The size of each file as it landed last, IN_PARTS of an archive; none where there is no hub."""
    if not settings.hub.is_file():
        return {}
    newest = f"select path, arg_max(bytes, _dlt_load_id) from {dataset(tenant)}.landed_files group by path"
    try:
        with read_hub(settings) as hub:
            found = hub.execute(newest).fetchall()
    except (LandError, duckdb.CatalogException):  # in use, or nothing of this tenant landed yet
        return {}
    archives = {str(archive): IN_PARTS for path, _ in found if (archive := archive_of(Path(path)))}
    return {**dict(found), **archives}


def _unpacked(path: Path, size: int) -> int:
    if path.suffix.lower() not in PACKED:
        return size
    return min(OF_A_PACKED_BYTE * size, most_unpacked(size))
