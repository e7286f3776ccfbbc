"""The files of a folder that people fill: subfolders too, without hidden, unfinished or foreign ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.ingest.admission.known_contents import KnownContents
from pipeline.ingest.admission.matched_files import checked_file, unreadable_folder
from pipeline.ingest.formats.export_file import Unreadable
from pipeline.ingest.formats.zip_file import is_archive, members
from pipeline.regular_file import real_path
from pipeline.storage.bronze.manifest import MANIFEST, SUCCESS

UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".swp", "~")
"""Endings of files that a program has not finished writing. Chrome: .crdownload; Firefox: .part; Safari: .download."""
BOOKKEEPING = (SUCCESS, MANIFEST, "_committed_", "_started_")
"""Beginnings of files that say something about others. Spark: _SUCCESS; Databricks: _committed_, _started_."""
OFFICE_LOCK = "~$"


@dataclass(frozen=True)
class FolderFile:
    """A file of a folder, or of an archive in it; with a reason where it is not to be read."""

    path: Path
    refused: str | None = None
    inside: Path | None = None
    """The folder that it, or its archive, must lie in whenever it is opened."""


def folder_files(folder: Path, contents: KnownContents | None = None) -> list[FolderFile]:
    """Every file that is meant to be read, sorted by path; what is no regular file of the folder is refused by name.

    Args:
        folder: The folder.
        contents: The known contents of files: one that is as it was is not opened.

    Raises:
        LandError: A folder in it may not be read.
    """
    contents = contents or KnownContents()
    return [file for path in sorted(listed_folder(folder)) for file in _files(path, folder, contents)]


def listed_folder(folder: Path) -> Iterator[Path]:
    """What a folder holds that is meant to be read, not looked at.

    Raises:
        LandError: A folder in it may not be read.
    """
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if Path(parent, name).is_symlink()]  # os.walk does not follow them
        yield from (Path(parent, name) for name in (*names, *links) if is_meant(name))


def is_meant(name: str) -> bool:
    """Whether a file of this name is meant to be read: finished, not hidden, and no bookkeeping of a program."""
    is_finished = not name.lower().endswith(UNFINISHED)
    return is_finished and not name.startswith((".", OFFICE_LOCK, *BOOKKEEPING))


def _refuse(error: OSError) -> None:
    raise unreadable_folder(Path(str(error.filename)), error) from error


def _files(path: Path, folder: Path, contents: KnownContents) -> Iterator[FolderFile]:
    if path.is_symlink():
        target = real_path(path)
        if target.is_dir() and target.is_relative_to(real_path(folder)):
            return  # a link inside of the folder: what it leads to is there already
    yield from file_or_members(path, folder, contents)


def file_or_members(path: Path, inside: Path, contents: KnownContents | None = None) -> Iterator[FolderFile]:
    """A file itself, or those of an archive; `inside` as of a FolderFile."""
    contents = contents or KnownContents()
    file = checked_file(path, inside, contents)
    if file.refused:
        yield FolderFile(file.path, file.refused)
        return
    try:
        files = [path]
        if is_archive(path):
            found = contents.members(path, partial(members, path, inside=inside))
            files = [member for member in found if is_meant(member.name)]
        yield from (FolderFile(each, inside=inside) for each in files)
    except Unreadable as problem:
        yield FolderFile(path, problem.reason)
