"""Check of files before they are brought: what each is, what would land, what would not and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline.ingest.formats.export_file import Unreadable
from pipeline.ingest.formats.zip_file import archive_of
from pipeline.ingest.recognition.folder import FolderFile, file_or_members, folder_files
from pipeline.ingest.recognition.nearest import shown
from pipeline.ingest.recognition.recognise import Blueprints, Recognition, recognise
from pipeline.ingest.recognition.whole_file import FileCheck, check_file

_FOLDERS = re.compile(r"(?<![\w:/.])/(?:[^\s'\"/]+/)+")
"""The folders of a path in an error of a library: where a file lay while it was read."""
Progress = Callable[[str, int], None]
"""Called with a file's name and the number of its records just read."""


@dataclass(frozen=True)
class CheckedFile:
    """One file, or one member of an archive, and what would become of it.

    Attributes:
        path: As given; of a member, below its archive.
        check: None where the file is of no one object, or damaged.
    """

    path: Path
    recognition: Recognition
    check: FileCheck | None = None
    damage: str | None = None
    """Why it cannot be read to its end, though its head was recognised."""

    @property
    def name(self) -> str:
        archive = archive_of(self.path)
        return str(self.path.relative_to(archive.parent)) if archive else self.path.name

    @property
    def reason(self) -> str | None:
        """Why no record of it would land, as a sentence about the file; None where some would."""
        if why := self.damage or self.recognition.reason():
            return _FOLDERS.sub("", why)
        if self.check is None or not self.check.withheld:
            return None if self.check and self.check.rows else "none of its records would land"
        return "; ".join(self.check.withheld)

    @property
    def lands_whole(self) -> bool:
        return self.reason is None and self.check is not None and self.check.lands_whole

    @property
    def fix(self) -> str | None:
        """The step that works, where something of the file would not land."""
        if self.lands_whole:
            return None
        if self.reason is None:
            return "Export the records that are kept out again, or bring the file as it is: the others land."
        if self.damage or self.recognition.refusal:
            return "Export or download the file again, in a form that its reason names."
        if self.check is not None:
            return "Export it again with these fields as the platform's API sends them."
        return self._fix_of_unrecognised()

    def _fix_of_unrecognised(self) -> str:
        if self.recognition.candidates:
            return "Name the file under the object that it is: read, objects."
        nearest = self.recognition.nearest
        if nearest is None and self.recognition.why is None:
            return "If it says that its days have none, name it under the object that it is: read, objects."
        lacking = shown(path for path, _ in nearest.missing) if nearest else ""
        if nearest and nearest.platform and lacking and not nearest.alien:
            return (
                f"If it is {nearest.object} of {nearest.platform}, export it again with {lacking}; else leave it out."
            )
        return "Leave it out: no fact needs it; or bring what the platform's own API exports."


def check_path(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    blueprints: Blueprints,
    folder: Path,
    *,
    workers: int = 1,
    progress: Progress = lambda *_: None,
) -> Iterator[CheckedFile]:
    """Check one file, each member of an archive, or each file of a folder as a source would read it."""
    for file in folder_files(path) if path.is_dir() else file_or_members(path, path.parent):
        if file.refused:
            yield CheckedFile(file.path, Recognition(refusal=file.refused))
        else:
            yield _checked(con, file, blueprints, folder, workers=workers, progress=progress)


def _checked(
    con: duckdb.DuckDBPyConnection,
    found: FolderFile,
    blueprints: Blueprints,
    folder: Path,
    *,
    workers: int,
    progress: Progress,
) -> CheckedFile:
    file = found.path
    recognition = recognise(con, file, blueprints, folder, inside=found.inside)
    if recognition.reason():
        return CheckedFile(file, recognition)
    blueprint = blueprints[recognition.candidates[0]]

    def count(records: int) -> None:
        progress(file.name, records)

    try:
        check = check_file(con, file, blueprint, folder, workers=workers, progress=count)
    except Unreadable as problem:
        return CheckedFile(file, recognition, damage=problem.reason)
    return CheckedFile(file, recognition, check)
