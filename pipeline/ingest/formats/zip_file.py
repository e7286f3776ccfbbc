"""Zip archives of export files, as APIs deliver them: each member is a file of its own, named `archive.zip/member`.

Sources: the export API of Amplitude (a zip of gzipped JSON lines, amplitude.com/docs/apis/analytics/export) and report
downloads of Microsoft Advertising (a zip of one CSV, learn.microsoft.com/en-us/advertising/guides/reports). Members
are read as streams and never unpacked under their own names, so a member's name cannot lead outside the archive.
"""

from __future__ import annotations

import shutil
import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BufferedIOBase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from pipeline.ingest.formats.export_file import Unreadable, format_of

ZIP = ".zip"
SAFE_BYTES = 1 << 30
MAX_RATIO = 200
"""Largest unpacked size of an archive beyond SAFE_BYTES, as a multiple of its own size. Texts compress to a twentieth,
the most uniform reports to a hundredth; deflate can reach a thousandth, and a zip bomb does."""
MAX_MEMBERS = 10_000
_ENCRYPTED = 1 << 0  # of the flags
_METHODS = (ZIP_STORED, ZIP_DEFLATED)
_DAMAGE = (BadZipFile, NotImplementedError, EOFError, ValueError, struct.error, zlib.error)
_MACOS_ENTRIES = ("__MACOSX", ".DS_Store")
"""Entries that macOS adds to an archive."""


def is_archive(path: Path) -> bool:
    """Whether a file is an archive, by its name."""
    return path.suffix.lower() == ZIP


def archive_of(path: Path) -> Path | None:
    """The archive that contains the file at a path, None for a file outside of archives."""
    return next((parent for parent in path.parents if is_archive(parent) and parent.is_file()), None)


def members(archive: Path) -> list[Path]:
    """The paths of an archive's files, sorted by name.

    Raises:
        Unreadable: It is damaged or empty, holds a name twice, or would unpack to far more than an export.
    """
    with _opened(archive) as opened:
        return sorted(opened.entries)


@contextmanager
def open_member(path: Path) -> Iterator[BufferedIOBase]:
    """Open a file in an archive for reading, unpacked as it is read.

    Raises:
        Unreadable: It is missing, encrypted or damaged, or its archive is.
    """
    archive = archive_of(path)
    if archive is None:
        raise Unreadable(f"cannot be read: it lies in no {ZIP} file", lasting=False)
    with _opened(archive) as opened:
        entry = opened.entries.get(path)
        if entry is None:
            raise Unreadable(f"cannot be read: {archive.name} no longer holds it", lasting=False)
        if entry.flag_bits & _ENCRYPTED:
            raise Unreadable("encrypted: the archive asks for a password")
        if entry.compress_type not in _METHODS:
            raise Unreadable(f"compressed in a way that no reader is known for (method {entry.compress_type})")
        with opened.file.open(entry) as member:
            yield cast("BufferedIOBase", member)  # as typeshed has it, and BufferedIOBase it is


@contextmanager
def extracted(path: Path, folder: Path) -> Iterator[Path]:
    """The file itself, or a temporary copy in `folder` of one in an archive, with the same ending.

    Raises:
        Unreadable: As `open_member`, or there is no reader for its ending.
    """
    if archive_of(path) is None:
        yield path
        return
    format_of(path)
    packed = ".gz" if path.suffix.lower() == ".gz" else ""
    with TemporaryDirectory(dir=folder) as own:
        copy = Path(own, f"member.{format_of(path)}{packed}")
        with open_member(path) as member, copy.open("wb") as unpacked:
            shutil.copyfileobj(member, unpacked, 1 << 20)
        yield copy


@contextmanager
def _opened(archive: Path) -> Iterator[_Archive]:
    try:
        status = archive.stat()
        yield _archive(archive, status.st_ino, status.st_mtime_ns, status.st_size)
    except _DAMAGE as error:
        raise Unreadable(f"damaged zip: {str(error).rstrip('.').lower()}") from error
    except OSError as error:
        raise Unreadable(f"cannot be read: {(error.strerror or str(error)).lower()}", lasting=False) from error


class _Archive:
    """An open archive with its file entries, by path."""

    def __init__(self, archive: Path, packed: int) -> None:
        self.file = ZipFile(archive)
        listed = self.file.infolist()
        if not all(entry.filename for entry in listed):
            raise BadZipFile("a file in it has no name")
        entries = [entry for entry in listed if not entry.is_dir() and not _is_macos_entry(entry)]
        paths = [Path(f"{archive}/{entry.filename}") for entry in entries]
        _check(entries, paths, packed)
        self.entries = dict(zip(paths, entries, strict=True))


@lru_cache(maxsize=1)
def _archive(archive: Path, inode: int, changed: int, packed: int) -> _Archive:  # noqa: ARG001  # they make the key
    """Cache of the last archive, which stays open: its list of files is long, and each file needs it."""
    return _Archive(archive, packed)


def _check(entries: list[ZipInfo], paths: list[Path], packed: int) -> None:
    """Refuse an archive that is empty, too large, or has a name twice."""
    if not entries:
        raise Unreadable("the archive holds no files")
    if len(entries) > MAX_MEMBERS:
        raise Unreadable(f"the archive holds {len(entries)} files, more than {MAX_MEMBERS}")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max(SAFE_BYTES, MAX_RATIO * packed):
        times = unpacked // packed
        raise Unreadable(f"the archive unpacks to {times} times its size, and to no more than {MAX_RATIO} are read")
    twice = [path.name for path, count in Counter(paths).items() if count > 1]
    if twice:
        raise Unreadable(f"the archive holds {min(twice)} twice")


def _is_macos_entry(entry: ZipInfo) -> bool:
    return any(part in _MACOS_ENTRIES for part in entry.filename.split("/"))
