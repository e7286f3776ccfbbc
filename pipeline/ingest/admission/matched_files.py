"""The files that a pattern names: each a regular file below the folder that it begins with, or refused by name.

The folder is the part of a pattern before its first wildcard. Whoever may write there may lay a link, a FIFO or a
device in an export's place: what a name leads to is looked at here, and again whenever the file is opened.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from glob import glob, has_magic
from pathlib import Path

from pipeline.errors import LandError
from pipeline.ingest.admission.known_contents import KnownContents
from pipeline.regular_file import escaped_name, is_utf8, open_regular, reason_of

NOT_UTF8 = "not read: its name is not UTF-8; rename it"

_ESCAPED = re.compile(r"\[([*?\[])\]")  # as glob.escape writes them


@dataclass(frozen=True)
class MatchedFile:
    """A file that a pattern names.

    Attributes:
        inside: The folder that it must lie in.
        refused: Why it is not read; its path has escapes where its name is no text.
    """

    path: Path
    inside: Path
    refused: str | None = None


def matched_files(pattern: str, known: KnownContents | None = None) -> list[MatchedFile]:
    """The files that an absolute pattern names, sorted by name; folders are none.

    Args:
        pattern: The pattern.
        known: The contents of files; one that is as it was is not opened.

    Raises:
        LandError: A folder that the pattern leads through may not be read.
    """
    inside = folder_of(pattern)
    return [checked_file(path, inside, known) for path in listed_files(pattern)]


def listed_files(pattern: str) -> list[Path]:
    """What an absolute pattern names, sorted by name and not looked at; folders are none.

    Raises:
        LandError: A folder that the pattern leads through may not be read.
    """
    _check_folders(pattern, folder_of(pattern))
    paths = map(Path, sorted(glob(pattern, recursive=True)))  # noqa: PTH207  # absolute patterns
    return [path for path in paths if not path.is_dir()]


def checked_file(path: Path, inside: Path, known: KnownContents | None = None) -> MatchedFile:
    """A file of a folder, refused where it may not be read; `known` as for `matched_files`."""
    if not is_utf8(str(path)):
        return MatchedFile(Path(escaped_name(str(path))), inside, NOT_UTF8)
    if known and known.is_known(path):
        return MatchedFile(path, inside)
    try:
        open_regular(path, inside=inside).close()
    except OSError as error:
        return MatchedFile(path, inside, reason_of(error))
    return MatchedFile(path, inside)


def folder_of(pattern: str) -> Path:
    """The folder of a pattern: its parts before the first wildcard, without the file's own name."""
    *folders, _ = Path(pattern).parts
    literal = []
    for part in folders:
        if _has_wildcard(part):
            break
        literal.append(_ESCAPED.sub(r"\1", part))
    return Path(*literal)


def _has_wildcard(part: str) -> bool:
    return has_magic(_ESCAPED.sub("", part))


def _check_folders(pattern: str, inside: Path) -> None:
    """Check that every folder of a pattern may be listed: `glob` passes over those that may not."""
    if not any(map(_has_wildcard, Path(pattern).parts)):
        _check(inside, lambda: os.lstat(_ESCAPED.sub(r"\1", pattern)))
        return
    for folder in _folders(pattern, inside):
        _check(folder, partial(_list, folder))


def _list(folder: Path) -> None:
    os.scandir(folder).close()


def _folders(pattern: str, inside: Path) -> Iterator[Path]:
    """The folders that a pattern leads through, from the first one down."""
    yield inside
    *below, _ = Path(pattern).parts[len(inside.parts) :]
    prefix = Path(*Path(pattern).parts[: len(inside.parts)])
    for part in below:
        prefix /= part
        yield from map(Path, glob(f"{prefix}{os.sep}", recursive=True))  # noqa: PTH207  # absolute patterns


def _check(folder: Path, look: Callable[[], object]) -> None:
    try:
        look()
    except (FileNotFoundError, NotADirectoryError):
        return  # a file that is not there, which is another finding
    except OSError as error:
        raise unreadable_folder(folder, error) from error


def unreadable_folder(folder: Path, error: OSError) -> LandError:
    """The error about a folder of exports that cannot be listed: it is not known what it holds."""
    return LandError(
        f"The folder {escaped_name(str(folder))} cannot be read: {(error.strerror or str(error)).lower()}.",
        "Let the user that builds read it; what landed before is safe.",
    )
