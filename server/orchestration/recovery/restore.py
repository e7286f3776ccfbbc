"""Restore of a backup (`gata restore`): verified, without whoever was forgotten since, in place in one step.

Everything happens in a folder beside the state folder; only a whole, verified, erased one takes its place.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from pipeline.errors import Busy, ConfigError, RecoveryError
from pipeline.log import log
from pipeline.privacy.erasure_log import Erasure, add_erasures, read_erasures
from pipeline.privacy.holdings import ERASURES, place_of
from pipeline.settings import Settings
from pipeline.storage.bronze.clone import clone, hard_link
from pipeline.storage.build_lock import build_lock
from pipeline.storage.disk import exchange, sync
from server.orchestration.build_command import StepObserver, unobserved
from server.orchestration.recovery.backup import Progress, explain_copy_error, known_erasures, unobserved_files
from server.orchestration.recovery.backup_manifest import (
    BackupManifest,
    SavedFile,
    newest_backup,
    read_backup_manifest,
    whole_backups,
)
from server.orchestration.recovery.forget_again import forget_again


@dataclass(frozen=True)
class Restored:
    """A restore that was done: from which backup, and how many erasures were made again."""

    backup: Path
    manifest: BackupManifest
    erasures: int
    """Erasures since the backup."""
    erased: int
    """Those of them that found something in it."""


def restore(
    folder: Path,
    settings: Settings,
    *,
    replace: bool = False,
    erasures: Sequence[Path] = (),
    wait_seconds: float = 0.0,
    progress: Progress = unobserved_files,
    watch: StepObserver = unobserved,
) -> Restored:
    """Restore a backup, or the newest of a folder, as the state folder.

    Erasures are made again when the state folder that is there, the folder of backups or `erasures` know them and the
    backup does not.

    Raises:
        Busy: A build, or another restore, is running.
        RecoveryError: The backup is damaged, there is a state folder and not `replace`, or the disk refuses.
        GataError: An erasure could not be made again. Nothing is in place in each case.
    """
    backup = newest_backup(folder)
    manifest = read_backup_manifest(backup)
    home = settings.home.resolve()
    is_there = home.is_dir() and any(home.iterdir())
    if is_there and not replace:
        raise RecoveryError(
            f"{home} is there and not empty.",
            "Name another state folder with --home, or add --replace: what lies there is removed then.",
        )
    lock = build_lock(home, wait_seconds=wait_seconds) if is_there else nullcontext()
    with _restore_lock(home), lock, explain_copy_error(home.parent):
        known = _erasures_of(settings.model_copy(update={"home": home}), backup, erasures)
        staged = settings.model_copy(update={"home": _beside(home, "restoring")})
        shutil.rmtree(staged.home, ignore_errors=True)
        try:
            _copy(backup, manifest, staged.home, progress)
            held = known_erasures(staged)
            missing = [erasure for erasure in known if erasure not in held]
            erased = forget_again(staged, missing, watch)
            add_erasures(staged.home / ERASURES, (*held, *known))
            _put_in_place(staged.home, home)
        except BaseException:
            shutil.rmtree(staged.home, ignore_errors=True)
            raise
    return Restored(backup, manifest, len(missing), erased)


def _beside(home: Path, suffix: str) -> Path:
    return home.with_name(f".{home.name}.{suffix}")


@contextmanager
def _restore_lock(home: Path) -> Iterator[None]:
    """Hold the lock of restores of one state folder.

    Raises:
        Busy: Another restore is running.
    """
    home.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(_beside(home, "restoring.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise Busy(f"Another process restores {home}.", "Let it finish.") from error
    try:
        yield
    finally:
        lock.release()
        _beside(home, "restoring.lock").unlink(missing_ok=True)


def _erasures_of(settings: Settings, backup: Path, more: Sequence[Path]) -> tuple[Erasure, ...]:
    """Every erasure that is known: here, in the folder of backups, and in the files that are named."""
    found: list[Erasure] = []
    for home in (settings.home, _beside(settings.home, "replaced")):
        try:
            found += known_erasures(settings.model_copy(update={"home": home}))
        except ConfigError as error:  # what is replaced may be damaged: its log has what its ops.sqlite has
            log.warning("erasures_not_read", what=error.what)
            found += read_erasures(home / ERASURES)
    found += read_erasures(backup.parent / ERASURES)
    for path in more:
        if path.is_dir() and not (path / ERASURES).exists() and whole_backups(path):
            found += read_erasures(newest_backup(path).parent / ERASURES)
        elif path.is_dir():
            found += known_erasures(settings.model_copy(update={"home": path}))
        elif path.is_file():
            found += read_erasures(path)
        else:
            fix = "Name a log of erasures, a folder of backups or a state folder."
            raise RecoveryError(f"There is no {path}.", fix)
    return tuple(dict.fromkeys(found))


def _copy(backup: Path, manifest: BackupManifest, home: Path, progress: Progress) -> None:
    """Copy every file of the state folder out of the backup, and compare each with the manifest.

    Raises:
        RecoveryError: A file is not as the manifest says; names it.
    """
    home.mkdir(mode=0o700, parents=True)
    files = [(file, name) for file in manifest.files if (name := file.in_home) is not None]
    published: dict[tuple[str, int], Path] = {}
    for number, (file, name) in enumerate(files):
        progress(name, number, len(files))
        _refuse_outside(backup, file)
        target = home / name
        target.parent.mkdir(parents=True, exist_ok=True)
        place, _ = place_of(name)
        is_shared = place is not None and place.name == "published runs"
        if is_shared and (file.sha256, file.mode) in published:
            hard_link(published[file.sha256, file.mode], target)
            continue
        _copy_file(backup, file, target)
        if is_shared:
            published[file.sha256, file.mode] = target


def _copy_file(backup: Path, file: SavedFile, target: Path) -> None:
    try:
        digest = clone(backup / file.path, target)
    except FileNotFoundError as error:
        raise _damaged(backup, f"{file.path} is gone") from error
    if digest != file.sha256:
        raise _damaged(backup, f"{file.path} has another SHA-256 than its manifest says")
    target.chmod(file.mode)
    sync(target)


def _refuse_outside(backup: Path, file: SavedFile) -> None:
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts or (backup / file.path).is_symlink():
        raise _damaged(backup, f"{file.path} leads out of it")


def _damaged(backup: Path, what: str) -> RecoveryError:
    others = [path.name for path in whole_backups(backup.parent) if path != backup]
    fix = f"Choose another backup: {', '.join(reversed(others))}." if others else "Restore from another backup."
    return RecoveryError(f"{backup} is damaged: {what}.", f"{fix} Nothing was put in place.")


def _put_in_place(staged: Path, home: Path) -> None:
    """Give the staged folder its name, in one step where the system can; then remove what was there."""
    replaced = _beside(home, "replaced")
    if home.is_dir() and any(home.iterdir()):
        shutil.rmtree(replaced, ignore_errors=True)
        if exchange(staged, home):
            staged.rename(replaced)
        else:
            home.rename(replaced)
            staged.rename(home)
    else:
        staged.rename(home)
    sync(home.parent)
    shutil.rmtree(replaced, ignore_errors=True)
