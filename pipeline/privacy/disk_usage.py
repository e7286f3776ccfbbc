"""Bytes of the state folder by place and tenant: the data of `gata du`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.config.slug import Slug
from pipeline.privacy.holdings import PLACES, Content, HeldFile, held_files


@dataclass(frozen=True)
class PlaceUsage:
    """What one place holds of one tenant; without a tenant, of everybody."""

    place: str
    tenant: Slug | None
    holds: Content
    files: int
    bytes: int


@dataclass(frozen=True)
class DiskUsage:
    """What the state folder holds, and the files in it that are of no place."""

    places: tuple[PlaceUsage, ...]
    unknown: tuple[HeldFile, ...]

    @property
    def bytes(self) -> int:
        return sum(usage.bytes for usage in self.places) + sum(file.status.st_size for file in self.unknown)


def disk_usage(home: Path) -> DiskUsage:
    """The files and bytes of each place and tenant; a file under several names counts once, at its first name."""
    counts: dict[tuple[str, Slug | None], tuple[Content, int, int]] = {}
    unknown = []
    seen: set[tuple[int, int]] = set()
    for file in held_files(home):
        if file.place is None:
            unknown.append(file)
            continue
        inode = (file.status.st_dev, file.status.st_ino)
        size = 0 if inode in seen else file.status.st_size
        seen.add(inode)
        key = (file.place.name, file.tenant)
        _, files, total = counts.get(key, (file.place.holds, 0, 0))
        counts[key] = (file.place.holds, files + 1, total + size)
    order = list(dict.fromkeys(place.name for place in PLACES))
    usages = [PlaceUsage(name, tenant, *counted) for (name, tenant), counted in counts.items()]
    usages.sort(key=lambda usage: (order.index(usage.place), usage.tenant or ""))
    return DiskUsage(tuple(usages), tuple(unknown))
