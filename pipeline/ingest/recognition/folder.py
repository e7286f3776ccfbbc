"""The files of a folder that people fill: subfolders too, without hidden, unfinished or foreign ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.ingest.formats.export_file import Unreadable
from pipeline.ingest.formats.zip_file import is_archive, members
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


def folder_files(folder: Path) -> list[FolderFile]:
    """Every file that is meant to be read, sorted by path; a link that leads out of the folder is refused by name."""
    root = folder.resolve()
    return [file for path in sorted(_paths(folder)) for file in _files(path, root)]


def _paths(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [name for name in folders if Path(parent, name).is_symlink()]  # os.walk does not follow them
        yield from (Path(parent, name) for name in (*names, *links) if is_meant(name))


def is_meant(name: str) -> bool:
    """Whether a file of this name is meant to be read: finished, not hidden, and no bookkeeping of a program."""
    is_finished = not name.lower().endswith(UNFINISHED)
    return is_finished and not name.startswith((".", OFFICE_LOCK, *BOOKKEEPING))


def _files(path: Path, root: Path) -> Iterator[FolderFile]:
    target = path.resolve()
    if path.is_symlink() and not target.is_relative_to(root):
        yield FolderFile(path, "not read: it is a link that leads out of its folder")
    elif target.is_dir():
        return  # a link inside of the folder: what it leads to is there already
    else:
        yield from file_or_members(path)


def file_or_members(path: Path) -> Iterator[FolderFile]:
    """A file itself, or those of an archive."""
    try:
        files = [member for member in members(path) if is_meant(member.name)] if is_archive(path) else [path]
        yield from map(FolderFile, files)
    except Unreadable as problem:
        yield FolderFile(path, problem.reason)
