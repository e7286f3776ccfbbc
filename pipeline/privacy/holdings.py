"""The places of the state folder, in one list: what each holds, of whom, how it is erased, backed up and restored.

Erasure, `gata backup`, `gata restore`, `gata du` and `gata doctor` work from it. Whoever writes a new file into the
state folder adds its place here; a test builds and serves, and fails for a file of no place.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from pipeline.config.slug import Slug, slugs_among
from pipeline.storage.bronze.batches import FILE_MODE

Content = Literal["rows", "secrets", "records", "derived", "working"]
"""`rows`: records of tenants or what is made of them; `secrets`: also hashes of tokens; `records`: what was done, by
whom; `derived`: made again by the next build; `working`: locks and what a killed process leaves."""
Erasing = Literal["removed", "rewritten", "blanked", "kept"]
"""What an erasure does: `removed` the files of a tenant, or each file of a place of everybody; `rewritten` without the
rows; `blanked` in place, as other processes append to the file; `kept` as it holds nothing of a tenant."""
Saving = Literal["copied", "snapshot", "left out"]
"""What a backup does; `snapshot`: copied by the database itself, while others write."""

PRIVATE_FOLDER: Final = 0o700
WRITE_BITS: Final = 0o222
ERASURES: Final = "erasures.jsonl"
UNFINISHED: Final = "forgetting"
REPLACED_HUB: Final = "hub.duckdb.replaced"


@dataclass(frozen=True)
class StatePlace:
    """Files of the state folder with one purpose."""

    name: str
    pattern: str
    """Its path in the state folder. `{tenant}` is a slug, `*` any part of a name; a last `/` takes everything below."""
    holds: Content
    erased: Erasing
    backup: Saving
    way_back: str
    """Where its content comes from when it is lost and no backup has it."""
    mode: int | None = None
    """The permissions of the file or folder itself, where they do not rest on those of the state folder."""
    file_mode: int | None = None
    """The permissions of each file below it, where no file is written again once it is whole."""

    @property
    def is_of_tenant(self) -> bool:
        return "{tenant}" in self.pattern

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        escaped = re.escape(self.pattern).replace(r"\{tenant\}", "(?P<tenant>[^/]+)").replace(r"\*", "[^/]*")
        return re.compile(escaped + (".+" if self.pattern.endswith("/") else ""))

    def tenant_of(self, relative: str) -> tuple[bool, Slug | None]:
        """Whether a path in the state folder is of this place, and the tenant that it names."""
        match = self._expression.fullmatch(relative)
        if match is None or not self.is_of_tenant:
            return match is not None, None
        slug = next(slugs_among([match["tenant"]]), None)
        return slug is not None, slug


_BUILD, _BRONZE, _LOST = "gata build", "gata build --from bronze", "nothing"
_BY_HAND = "gata dbt TENANT stars -- build"

PLACES: Final = (
    StatePlace("hub", "hub.duckdb", "rows", "rewritten", "copied", _BRONZE),
    StatePlace("hub", "hub.duckdb.wal", "rows", "rewritten", "copied", _BRONZE),
    StatePlace("hub as it was left", "hub.seen.json", "derived", "kept", "left out", _BUILD),
    StatePlace("replaced hub", REPLACED_HUB, "rows", "removed", "left out", _LOST),
    StatePlace("work", ".hub.duckdb.fresh*", "working", "removed", "left out", _LOST),
    StatePlace("work", "hub.duckdb.tmp/", "working", "removed", "left out", _LOST),
    StatePlace("operations", "ops.sqlite", "secrets", "rewritten", "snapshot", _LOST),
    StatePlace("operations", "ops.sqlite-*", "secrets", "rewritten", "left out", _LOST),
    StatePlace("erasures", ERASURES, "records", "kept", "copied", _LOST, mode=0o600),
    StatePlace("unfinished erasures", UNFINISHED + "/", "secrets", "kept", "left out", _LOST, mode=PRIVATE_FOLDER),
    StatePlace("bronze drafts", "bronze/{tenant}/*/*/*/.draft_*/", "working", "removed", "left out", _LOST),
    StatePlace("bronze", "bronze/{tenant}/", "rows", "removed", "copied", "the exports", file_mode=FILE_MODE),
    StatePlace("staged runs", "published/{tenant}/.staging-*/", "working", "removed", "left out", _LOST),
    StatePlace("locks", "published/{tenant}/.lock", "working", "removed", "left out", _LOST),
    StatePlace("published runs", "published/{tenant}/", "rows", "removed", "copied", _BUILD),
    StatePlace("work", "tenants/{tenant}/stars.duckdb.tmp/", "working", "removed", "left out", _LOST),
    StatePlace("sandbox", "tenants/{tenant}/sandbox.duckdb*", "rows", "removed", "left out", _BY_HAND),
    StatePlace("sandbox", "tenants/{tenant}/sandbox.duckdb.tmp/", "working", "removed", "left out", _LOST),
    StatePlace("stars", "tenants/{tenant}/", "rows", "removed", "copied", _BUILD),
    StatePlace("synthetic exports", "synthetic/{tenant}/", "rows", "removed", "copied", _BUILD),
    StatePlace("recognised files", "recognised/{tenant}/", "derived", "removed", "left out", _BUILD),
    StatePlace("landing parts", "landing/{tenant}/", "working", "removed", "left out", _LOST),
    StatePlace("loader", "dlt/land_{tenant}/", "working", "removed", "left out", _LOST),
    StatePlace("loader", "dlt/", "working", "kept", "left out", _BUILD),
    StatePlace("dbt projects", "dbt/{tenant}/", "derived", "removed", "left out", _BUILD),
    StatePlace("dbt projects", "dbt/", "derived", "kept", "left out", _BUILD),
    StatePlace("records of runs", "runs/*/{tenant}/", "records", "removed", "copied", _LOST),
    StatePlace("log files", "logs/", "records", "kept", "left out", _LOST),
    StatePlace("digest of the code", "code.json", "derived", "kept", "left out", _BUILD),
    StatePlace("format", "format.json", "records", "kept", "copied", _BUILD),
    StatePlace("jobs", "jobs/", "records", "removed", "left out", _LOST),
    StatePlace("audit", "audit/", "records", "blanked", "copied", _LOST, mode=PRIVATE_FOLDER),
    StatePlace("work", "tmp/", "working", "kept", "left out", _LOST),
    StatePlace("locks", "*.lock", "working", "kept", "left out", _LOST),
    StatePlace("locks", "build.lock.json", "working", "kept", "left out", _LOST),
    StatePlace("work", ".*.new", "working", "kept", "left out", _LOST),
)
"""The first place that fits a path is the one it belongs to."""


@dataclass(frozen=True)
class HeldFile:
    """A file of the state folder, the place it belongs to, and the tenant whose it is; None: everybody's."""

    path: Path
    relative: str
    place: StatePlace | None
    tenant: Slug | None
    status: os.stat_result


def held_files(home: Path) -> Iterator[HeldFile]:
    """Every file under the state folder, by path; one that goes meanwhile is left out.

    A link to a folder is not followed, and is of no place: what lies behind it is neither backed up nor erased.
    """
    for folder, folders, names in os.walk(home):
        folders.sort()
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(folder, name)
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            relative = path.relative_to(home).as_posix()
            place, tenant = (None, None) if name in links else place_of(relative)
            yield HeldFile(path, relative, place, tenant, status)


def place_of(relative: str) -> tuple[StatePlace | None, Slug | None]:
    """The place of a path in the state folder, and the tenant that the path names."""
    for place in PLACES:
        fits, tenant = place.tenant_of(relative)
        if fits:
            return place, tenant
    return None, None


def tenant_paths(home: Path, slug: Slug) -> tuple[Path, ...]:
    """The folders that are there and hold only what is the tenant's."""
    whole = (place for place in PLACES if place.is_of_tenant and place.pattern.endswith("{tenant}/"))
    return tuple(path for place in whole for path in home.glob(place.pattern.replace("{tenant}", slug).rstrip("/")))


def removed_for_everybody(home: Path) -> tuple[Path, ...]:
    """Files and folders of everybody that go with any erasure: copies and leftovers, which may hold any row.

    Files of jobs are removed by their tenant (server/orchestration/forgetting.py).
    """
    places = (place for place in PLACES if place.erased == "removed" and not place.is_of_tenant)
    return tuple(path for place in places if place.name != "jobs" for path in home.glob(place.pattern.rstrip("/")))


def open_to_others(home: Path) -> tuple[Path, ...]:
    """The state folder, and the files and folders with permissions of their own, that other users may read."""
    own = (home / place.pattern for place in PLACES if place.mode is not None)
    found = [path for path in (home, *own) if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    return tuple(found)


def writable_files(home: Path) -> tuple[HeldFile, ...]:
    """The files that somebody may write though their place says that no file of it is written again."""
    held = (file for file in held_files(home) if file.place is not None and file.place.file_mode is not None)
    return tuple(file for file in held if stat.S_IMODE(file.status.st_mode) & WRITE_BITS)
