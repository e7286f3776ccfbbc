"""The models block: the files of a tenant's own models, read with its entry and carried as text.

What is checked of a tenant is what is built of it: no build reads the files again. What they hold is looked at by
warehouse/own_models.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict

from pipeline.config.entry import Entry
from pipeline.errors import shorten
from pipeline.regular_file import escaped_name, is_utf8, open_regular, reason_of

SUFFIXES = (".sql", ".yml", ".yaml")
MOST_FILES = 200
MOST_BYTES = 64_000  # of one file
_MAGIC = "*?["


class ModelFile(BaseModel):
    """A file of SQL or YAML with a tenant's own models."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    """Relative to the file that names it, with /."""
    text: str


def read_model_files(entry: Entry) -> tuple[ModelFile, ...]:
    """The files that the patterns name, by path; each once."""
    files: dict[str, ModelFile] = {}
    for item in entry.one_or_many():
        folder = item.file.parent.absolute()
        for path in _matches(item, folder):
            name = path.relative_to(folder)
            if name.as_posix() not in files:
                files[name.as_posix()] = ModelFile(path=name.as_posix(), text=_content(item, path, folder))
        if len(files) > MOST_FILES:
            raise item.wrong(f"models names more than {MOST_FILES} files.", "Name the folder of the models alone.")
    return tuple(files[name] for name in sorted(files))


def _matches(item: Entry, folder: Path) -> list[Path]:
    """The paths of a pattern; one without * must be there, one with it may match nothing in a folder that is."""
    pattern = PurePosixPath(item.text(length=1000))
    if pattern.is_absolute() or ".." in pattern.parts or "\\" in str(pattern):
        raise item.wrong(
            f"models names {item.excerpt}, which leads out of the folder of {item.file.name}.",
            f"Put the models into a folder beside {item.file.name}, and name it from there, such as models/*.sql.",
        )
    if pattern.suffix not in SUFFIXES:
        kind = "Python models are not run" if pattern.suffix == ".py" else "only files of SQL and YAML are models"
        raise item.wrong(f"models names {item.excerpt}: {kind}.", "End it in .sql or .yml, such as models/*.sql.")
    matches = sorted(islice(folder.glob(str(pattern)), MOST_FILES + 1))
    fixed = PurePosixPath(*_until_magic(pattern.parts))
    if not matches and not (fixed != pattern and (folder / fixed).is_dir()):
        raise item.wrong(f"models names no file: {item.excerpt}.", f"Correct the path; it starts from {folder}.")
    return matches


def _until_magic(parts: Iterable[str]) -> list[str]:
    found: list[str] = []
    for part in parts:
        if any(character in part for character in _MAGIC):
            break
        found.append(part)
    return found


def _content(item: Entry, path: Path, folder: Path) -> str:
    name = escaped_name(str(path.relative_to(folder)))
    if not is_utf8(str(path)):
        raise item.wrong(f"The model file {name} has a name that is no UTF-8.", "Rename it.")
    try:
        with open_regular(path, inside=folder) as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        fix = f"Put the file itself into the folder of {item.file.name}, readable for this user."
        raise item.wrong(f"The model file {shorten(name)} is {reason_of(error)}.", fix) from error
    if len(content) > MOST_BYTES:
        what = f"The model file {shorten(name)} is larger than {MOST_BYTES:,} bytes."
        raise item.wrong(what, "Split it into several models, which read each other by ref().")
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise item.wrong(
            f"The model file {shorten(name)} is not UTF-8: byte {error.start}.", "Save it as UTF-8."
        ) from error
    if "\0" in text or "\r" in text:
        raise item.wrong(f"The model file {shorten(name)} holds a control character.", "Save it as plain text.")
    return text
