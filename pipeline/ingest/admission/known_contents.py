"""SHA-256 of the content of export files, known without reading them as long as their stamps stay.

A stamp is size, times of change and inode. A file system counts times in steps, of up to two seconds, and whoever
writes a file twice within a step leaves one stamp. So a content is kept only where its file had been still for longer
than that before it was read; a file that was just written is read again by the next run.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import astuple, dataclass
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from pipeline.config.slug import Slug
from pipeline.log import log
from pipeline.settings import Settings

STEP_NS: Final = 2 * 10**9
"""FAT counts in steps of two seconds: learn.microsoft.com/en-us/windows/win32/sysinfo/file-times."""
VERIFIED_AT_LEAST: Final = 20
VERIFIED_SHARE: Final = 0.05
_TABLES: Final = """
    create table if not exists contents (
        path text, member text, stamp text not null, sha256 text not null, bytes integer not null,
        read_at integer not null, primary key (path, member)
    ) without rowid;
    create table if not exists archives (path text primary key, stamp text not null, members text not null);
"""

Key = tuple[str, str]
"""A file, and the name of one in it where it is an archive, else nothing."""
Archived = tuple[str, tuple[str, ...]]
"""The stamp of an archive, and the names of the files in it."""


@dataclass(frozen=True)
class Content:
    """The content of a file when it had a stamp."""

    stamp: str
    sha256: str
    bytes: int
    read_at: int
    """Nanoseconds since 1970."""


def stamp_of(status: os.stat_result) -> str:
    """What changes whenever a file is written or replaced: size, times of change, inode."""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def is_settled(status: os.stat_result, at: int) -> bool:
    """Whether a file was still for long enough before a moment: whatever is written to it later changes its stamp."""
    return max(status.st_mtime_ns, status.st_ctime_ns) + STEP_NS < at


class KnownContents:
    """The contents of one tenant's export files, kept in a file of the state folder between runs.

    Attributes:
        changed_unseen: Files that `--verify` found to have another content under the same stamp.
    """

    def __init__(
        self, path: Path | None = None, *, verifies: bool = False, now: Callable[[], int] = time.time_ns
    ) -> None:
        """Without a path nothing is known before, or kept; `verifies`: some known files are read nonetheless.

        Those are the files that were read longest ago, a twentieth of all: twenty runs verify every file.
        """
        self._path, self._now = path, now
        self._before, self._archives_before = _read(path) if path else ({}, {})
        self._contents, self._archives = {**self._before}, {**self._archives_before}
        self._asked, self._listed = set[Key](), set[str]()
        self._written = dict[Key, Content]()
        self._to_verify = self._oldest() if verifies else set[Key]()
        self.changed_unseen = set[Path]()

    @classmethod
    def of_tenant(cls, settings: Settings, slug: Slug, *, verifies: bool = False) -> Self:
        return cls(settings.home / "recognised" / slug / "contents.sqlite", verifies=verifies)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._save(forgets=kind is None)

    def is_known(self, path: Path) -> bool:
        """Whether a file is as it was when it was read: then it is a regular file that may be read."""
        known = self._contents.get((str(path), ""))
        stamp = known.stamp if known else self._archives.get(str(path), ("", ()))[0]
        try:
            return bool(stamp) and stamp == stamp_of(path.stat())
        except OSError:
            return False

    def content(
        self, path: Path, read: Callable[[], tuple[str, int]], *, archive: Path | None = None
    ) -> tuple[str, int]:
        """SHA-256 and bytes of a file, which is read where its stamp is another one.

        Args:
            path: The file, or one in an archive.
            read: Reads it, and raises where it cannot be read.
            archive: The archive.
        """
        file = archive or path
        key = (str(file), str(path.relative_to(archive)) if archive else "")
        self._asked.add(key)
        known, before = self._contents.get(key), _status(file)
        is_same = known is not None and before is not None and known.stamp == stamp_of(before)
        if known and is_same and key not in self._to_verify:
            return known.sha256, known.bytes
        self._to_verify.discard(key)
        at = self._now()
        sha256, size = read()
        if known and is_same and known.sha256 != sha256:
            self.changed_unseen.add(path)
            log.warning("file_changed_unseen", file=path.name)
        after = _status(file)
        if before and after and stamp_of(before) == stamp_of(after) and is_settled(before, at):
            self._written[key] = self._contents[key] = Content(stamp_of(before), sha256, size, at)
        return sha256, size

    def members(self, archive: Path, find: Callable[[], list[Path]]) -> list[Path]:
        """The files in an archive, which is opened where its stamp is another one; `find` raises where it cannot be."""
        before, at = _status(archive), self._now()
        self._listed.add(str(archive))
        stamp, names = self._archives.get(str(archive), ("", ()))
        if before and stamp == stamp_of(before):
            return [archive / name for name in names]
        found = find()
        self._archives.pop(str(archive), None)
        if before and is_settled(before, at):
            self._archives[str(archive)] = (stamp_of(before), tuple(str(one.relative_to(archive)) for one in found))
        return found

    def distrust(self, path: Path, *, archive: Path | None = None) -> None:
        """Forget a file that was found to have another content than is known."""
        key = (str(archive or path), str(path.relative_to(archive)) if archive else "")
        self._contents.pop(key, None)
        self._written.pop(key, None)

    def _oldest(self) -> set[Key]:
        by_age = sorted(self._contents, key=lambda key: (self._contents[key].read_at, key))
        return set(by_age[: max(VERIFIED_AT_LEAST, ceil(VERIFIED_SHARE * len(by_age)))])

    def _save(self, *, forgets: bool) -> None:
        """Write what is new; `forgets`: without the files that nobody asked for, which are gone."""
        if self._path is None:
            return
        gone = [key for key in self._before if key not in self._contents or (forgets and key not in self._asked)]
        archives = {path: kept for path, kept in self._archives.items() if path in self._listed or not forgets}
        if not gone and not self._written and archives == self._archives_before:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path)) as kept, kept:
                kept.executescript(_TABLES)
                kept.executemany("delete from contents where path = ? and member = ?", gone)
                rows = ((*key, *astuple(content)) for key, content in self._written.items())
                kept.executemany("insert or replace into contents values (?, ?, ?, ?, ?, ?)", rows)
                kept.execute("delete from archives")
                lists = ((path, stamp, json.dumps(names)) for path, (stamp, names) in archives.items())
                kept.executemany("insert into archives values (?, ?, ?)", lists)
        except (sqlite3.Error, OSError) as error:  # the next run reads the files again
            log.warning("contents_not_kept", reason=str(error))
            self._path.unlink(missing_ok=True)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _read(path: Path) -> tuple[dict[Key, Content], dict[str, Archived]]:
    """What an earlier run kept; nothing where the file is missing or damaged."""
    if not path.is_file():
        return {}, {}
    try:
        with closing(sqlite3.connect(path)) as kept:
            contents = kept.execute("select path, member, stamp, sha256, bytes, read_at from contents").fetchall()
            archives = kept.execute("select path, stamp, members from archives").fetchall()
        lists = {name: (stamp, tuple(map(str, json.loads(members)))) for name, stamp, members in archives}
    except (sqlite3.Error, ValueError, TypeError) as error:
        log.warning("contents_not_read", reason=str(error))
        path.unlink(missing_ok=True)
        return {}, {}
    return {(file, member): Content(*rest) for file, member, *rest in contents}, lists
