"""Backup of a state folder (`gata backup`): a consistent copy, made under the build lock while servers go on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from stat import S_IMODE, S_ISREG

from pipeline.config.tenants_file import configuration_files
from pipeline.errors import RecoveryError
from pipeline.privacy.erasure_log import Erasure, add_erasures, read_erasures
from pipeline.privacy.holdings import ERASURES, held_files
from pipeline.settings import Settings
from pipeline.storage.bronze.clone import clone, hard_link
from pipeline.storage.build_lock import build_lock
from pipeline.storage.disk import replace_text, sync
from pipeline.storage.ops import Ops
from pipeline.storage.private_folder import make_private
from pipeline.storage.run_id import new_run_id
from server.orchestration.forgetting import logged_erasures
from server.orchestration.recovery.backup_manifest import (
    CONFIG,
    DRAFT,
    FILES,
    FORMAT_VERSION,
    MANIFEST,
    PREFIX,
    BackupManifest,
    SavedFile,
    difference,
    read_backup_manifest,
    whole_backups,
)

Progress = Callable[[str, int, int], None]
"""Called before each file with its path, its number from 0, and how many there are."""


def unobserved_files(path: str, number: int, count: int) -> None:
    """Do nothing: the observer of a backup without a progress bar."""


@dataclass(frozen=True)
class Backup:
    """A backup that was made: its folder, what it holds, what of it was copied, and the older ones that went."""

    folder: Path
    manifest: BackupManifest
    copied_files: int
    copied_bytes: int
    removed: tuple[str, ...]
    unknown: tuple[str, ...]
    """Files of the state folder that are of no place of pipeline/privacy/holdings.py: they are not in it."""


@dataclass
class _Draft:
    """A backup in the making; nobody takes it for one before it has its name and its manifest."""

    folder: Path
    earlier: dict[tuple[str, int], tuple[Path, SavedFile]]
    """By path and size, the files of the backup before."""
    files: list[SavedFile]
    copied_files: int = 0
    copied_bytes: int = 0

    def save(self, source: Path, path: str) -> None:
        """Put a file in: as a hard link where the backup before holds the same, else as a copy."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        status = source.stat()
        digest = self._link_earlier(source, target, path, status.st_size)
        if digest is None:
            digest = clone(source, target)
            self.copied_files, self.copied_bytes = self.copied_files + 1, self.copied_bytes + target.stat().st_size
            target.chmod(0o400)
            sync(target)
        mode = S_IMODE(status.st_mode)
        self.files.append(SavedFile(path=path, bytes=target.stat().st_size, sha256=digest, mode=mode))

    def _link_earlier(self, source: Path, target: Path, path: str, size: int) -> str | None:
        """Link the file of the backup before if it has the same bytes and is still whole; returns its SHA-256."""
        held, entry = self.earlier.get((path, size), (None, None))
        if held is None or entry is None:
            return None
        same = entry.model_copy(update={"path": path})
        if difference(source, same) or difference(held, entry):
            return None
        hard_link(held, target)
        return entry.sha256


def make_backup(
    settings: Settings,
    folder: Path,
    *,
    keep: int,
    wait_seconds: float = 0.0,
    progress: Progress = unobserved_files,
) -> Backup:
    """Back up the state folder into a new folder below `folder`, and remove all but the newest `keep`.

    Args:
        settings: Name the state folder and tenants.yaml, which is copied with the files that it includes.
        folder: Where backups are kept.
        keep: How many backups stay.
        wait_seconds: How long to wait for a build.
        progress: Told about each file.

    Raises:
        Busy: A build is running.
        RecoveryError: The folder is in the state folder, or the disk refuses; no backup was made.
    """
    home = settings.home
    if not home.is_dir():
        raise RecoveryError(f"There is no state folder {home}.", "Set GATA_HOME to the one that is to be backed up.")
    if folder.resolve().is_relative_to(home.resolve()):
        raise RecoveryError(f"{folder} lies in the state folder.", "Name a folder outside of it, best on another disk.")
    with build_lock(home, wait_seconds=wait_seconds), explain_copy_error(folder):
        make_private(folder)
        for leftover in folder.glob(f"{DRAFT}*"):
            _remove(leftover)
        now = datetime.now(UTC)  # not that of GATA_TODAY: ids sort by time
        backup_id = new_run_id(now)
        draft = _Draft(folder / f"{DRAFT}{backup_id}", _files_of_newest(folder), [])
        draft.folder.mkdir(mode=0o700)
        try:
            unknown = _fill(draft, settings, progress)
            manifest = _seal(draft, settings, folder, now)
            final = folder / f"{PREFIX}{backup_id}"
            draft.folder.rename(final)
            sync(folder)
        except BaseException:
            _remove(draft.folder)
            raise
        removed = whole_backups(folder)[:-keep]
        for path in removed:
            path.rename(folder / f"{DRAFT}{path.name}")
            _remove(folder / f"{DRAFT}{path.name}")
    names = tuple(path.name for path in removed)
    return Backup(final, manifest, draft.copied_files, draft.copied_bytes, names, unknown)


def known_erasures(settings: Settings) -> tuple[Erasure, ...]:
    """The erasures that a state folder knows of: those of its log, and those of its ops.sqlite."""
    logged = read_erasures(settings.home / ERASURES)
    if not settings.ops.exists():
        return logged
    with Ops(settings.ops) as ops:
        return tuple(dict.fromkeys((*logged, *logged_erasures(ops))))


@contextmanager
def explain_copy_error(folder: Path) -> Iterator[None]:
    """Explain an error of the disk.

    Raises:
        RecoveryError: Instead of every OSError of the block.
    """
    try:
        yield
    except OSError as error:
        raise RecoveryError(
            f"{error.filename2 or error.filename or folder} cannot be copied: {error.strerror or error}.",
            f"Make room under {folder}, or make it readable and writable, and run the same command again;"
            " nothing half-done is left.",
        ) from error


def _fill(draft: _Draft, settings: Settings, progress: Progress) -> tuple[str, ...]:
    """Copy every file that a backup holds; returns those of no place."""
    config_files = configuration_files(settings.tenants)
    found = list(held_files(settings.home))
    saved = [file for file in found if file.place and file.place.backup != "left out" and S_ISREG(file.status.st_mode)]
    for number, file in enumerate(saved):
        progress(file.relative, number, len(saved) + len(config_files))
        if file.place and file.place.backup == "snapshot":
            _save_database(draft, settings, f"{FILES}/{file.relative}")
        else:
            draft.save(file.path, f"{FILES}/{file.relative}")
    root = config_files[0].parent if config_files else Path()
    for number, path in enumerate(config_files, len(saved)):
        progress(path.name, number, len(saved) + len(config_files))
        draft.save(path, f"{CONFIG}/{os.path.relpath(path, root).replace('..', '_')}")
    return tuple(file.relative for file in found if file.place is None)


def _save_database(draft: _Draft, settings: Settings, path: str) -> None:
    """Copy ops.sqlite with SQLite's own copying, which is consistent while others write."""
    copy = draft.folder / ".ops.sqlite"
    with Ops(settings.ops) as ops:
        ops.copy_to(copy)
    copy.chmod(S_IMODE(settings.ops.stat().st_mode))
    draft.save(copy, path)
    copy.unlink()


def _seal(draft: _Draft, settings: Settings, folder: Path, now: datetime) -> BackupManifest:
    """Write the manifest, last of all, and add what was erased to the log of the folder."""
    add_erasures(folder / ERASURES, known_erasures(settings))
    manifest = BackupManifest(
        format_version=FORMAT_VERSION, gata=version("gata"), created_at=now, files=tuple(draft.files)
    )
    for path in draft.folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o700)
            sync(path)
    replace_text(draft.folder / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
    return manifest


def _files_of_newest(folder: Path) -> dict[tuple[str, int], tuple[Path, SavedFile]]:
    """The files of the newest backup with a readable manifest, by path and size."""
    for backup in reversed(whole_backups(folder)):
        try:
            manifest = read_backup_manifest(backup)
        except RecoveryError:
            continue
        return {(file.path, file.bytes): (backup / file.path, file) for file in manifest.files}
    return {}


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
