"""Zip archives of export files, as APIs deliver them: each member is a file of its own, named `archive.zip/member`.

Sources: the export API of Amplitude (a zip of gzipped JSON lines, amplitude.com/docs/apis/analytics/export) and report
downloads of Microsoft Advertising (a zip of one CSV, learn.microsoft.com/en-us/advertising/guides/reports). Members
are read as streams and never unpacked under their own names, so a member's name cannot lead outside the archive.
"""

from __future__ import annotations

import hashlib
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

from pipeline.ingest.admission.known_contents import KnownContents
from pipeline.ingest.admission.limits import MAX_MEMBERS, most_unpacked, refusal_of_size
from pipeline.ingest.formats.export_file import Unreadable, format_of, open_file
from pipeline.regular_file import open_regular, reason_of

ZIP = ".zip"
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


def members(archive: Path, *, inside: Path | None = None) -> list[Path]:
    """The paths of an archive's files, sorted by name.

    Args:
        inside: The folder that the archive must lie in, whatever links lead to it; None: anywhere.

    Raises:
        Unreadable: It is damaged or empty, holds a name twice, or would unpack to far more than an export.
    """
    with _opened(archive, inside) as opened:
        return sorted(opened.entries)


def read_content(path: Path, known: KnownContents, *, inside: Path | None = None) -> tuple[str, int]:
    """SHA-256 and bytes of a file, or of one in an archive; it is read where its stamp is not that of a known content.

    Raises:
        OSError: It cannot be read.
        Unreadable: As `open_member`.
    """

    def read() -> tuple[str, int]:
        with open_member(path, inside=inside) if archive else open_regular(path, inside=inside) as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()

    archive = archive_of(path)
    return known.content(path, read, archive=archive)


@contextmanager
def open_member(path: Path, *, inside: Path | None = None) -> Iterator[BufferedIOBase]:
    """Open a file in an archive for reading, unpacked as it is read.

    Raises:
        Unreadable: It is missing, encrypted or damaged, or its archive is.
    """
    archive = archive_of(path)
    if archive is None:
        raise Unreadable(f"cannot be read: it lies in no {ZIP} file", lasting=False)
    with _opened(archive, inside) as opened:
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
def extracted(path: Path, folder: Path, *, inside: Path | None = None) -> Iterator[Path]:
    """The file itself, or a temporary copy in `folder` of one in an archive, with the same ending.

    Args:
        inside: As for `members`.

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
        with open_member(path, inside=inside) as member, copy.open("wb") as unpacked:
            shutil.copyfileobj(member, unpacked, 1 << 20)
        check_packed_member(path, copy, inside=inside)
        yield copy


def check_packed_member(path: Path, copy: Path, *, inside: Path | None = None) -> None:
    """Check that the packed files of an archive, unpacked in their turn, are within the limit of the archive itself.

    Args:
        path: A file in an archive.
        copy: Its copy outside of it.

    Raises:
        Unreadable: It is a gzipped one that is damaged, or unpacks to too much together with those before it.
    """
    archive = archive_of(path)
    if archive is None or path.suffix.lower() != ".gz":
        return
    with _opened(archive, inside) as opened, open_file(copy) as unpacked:
        size, others = 0, sum(each for name, each in opened.unpacked.items() if name != path)
        while part := unpacked.read(1 << 20):
            size += len(part)
            if size + others > most_unpacked(opened.packed):
                raise Unreadable(f"{archive.name}: {refusal_of_size(opened.packed)}")
        opened.unpacked[path] = size


@contextmanager
def _opened(archive: Path, inside: Path | None) -> Iterator[_Archive]:
    try:
        status = archive.stat()
        yield _archive(archive, inside, status.st_ino, status.st_mtime_ns, status.st_size)
    except _DAMAGE as error:
        raise Unreadable(f"damaged zip: {str(error).rstrip('.').lower()}") from error
    except OSError as error:
        raise Unreadable(reason_of(error), lasting=False) from error


class _Archive:
    """An open archive with its file entries, by path.

    Attributes:
        unpacked: The sizes of its gzipped files, unpacked, as far as they were read.
    """

    def __init__(self, archive: Path, inside: Path | None, packed: int) -> None:
        self.packed, self.unpacked = packed, dict[Path, int]()
        self._content = open_regular(archive, inside=inside)
        self.file = ZipFile(self._content)
        listed = self.file.infolist()
        if not all(entry.filename for entry in listed):
            raise BadZipFile("a file in it has no name")
        entries = [entry for entry in listed if not entry.is_dir() and not _is_macos_entry(entry)]
        paths = [Path(f"{archive}/{entry.filename}") for entry in entries]
        _check(entries, paths, packed)
        self.entries = dict(zip(paths, entries, strict=True))

    def __del__(self) -> None:
        """Close the file, which a ZipFile leaves to whoever opened it; nobody reads a member of it any more."""
        if content := getattr(self, "_content", None):
            content.close()


@lru_cache(maxsize=1)
def _archive(  # a cached function
    archive: Path,
    inside: Path | None,
    inode: int,  # noqa: ARG001  # makes the key
    changed: int,  # noqa: ARG001  # makes the key
    packed: int,
) -> _Archive:
    """Cache of the last archive, which stays open: its list of files is long, and each file needs it."""
    return _Archive(archive, inside, packed)


def _check(entries: list[ZipInfo], paths: list[Path], packed: int) -> None:
    """Refuse an archive that is empty, too large, or has a name twice."""
    if not entries:
        raise Unreadable("the archive holds no files")
    if len(entries) > MAX_MEMBERS:
        raise Unreadable(f"the archive holds {len(entries)} files, more than {MAX_MEMBERS}")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > most_unpacked(packed):
        raise Unreadable(f"the archive: {refusal_of_size(packed)}")
    twice = [path.name for path, count in Counter(paths).items() if count > 1]
    if twice:
        raise Unreadable(f"the archive holds {min(twice)} twice")


def _is_macos_entry(entry: ZipInfo) -> bool:
    return any(part in _MACOS_ENTRIES for part in entry.filename.split("/"))
