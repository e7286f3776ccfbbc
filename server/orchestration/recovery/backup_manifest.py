"""The manifest of a backup: every file with its SHA-256. A backup without one is none.

FOLDER/
backup_20260301T000000000000Z_0a1b2c/     one backup, whole; files that did not change are hard links
_MANIFEST.json
files/                                  the state folder
config/                                 tenants.yaml and the files that it includes
erasures.jsonl                            every erasure that any of them knew of; only added to
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import RecoveryError
from pipeline.publish.run_manifest import sha256_of

MANIFEST = "_MANIFEST.json"
FORMAT_VERSION = 1
PREFIX = "backup_"
DRAFT = ".draft_"
FILES, CONFIG = "files", "config"


class SavedFile(BaseModel):
    """One file of a backup."""

    model_config = ConfigDict(frozen=True)

    path: str
    """In the folder of the backup."""
    bytes: int
    sha256: str
    mode: int
    """Its permissions in the state folder."""

    @property
    def in_home(self) -> str | None:
        """Its path in the state folder; None for a file beside it."""
        return self.path.removeprefix(f"{FILES}/") if self.path.startswith(f"{FILES}/") else None


class BackupManifest(BaseModel):
    """What one backup holds."""

    model_config = ConfigDict(frozen=True)

    format_version: int
    gata: str
    """The release that made it."""
    created_at: datetime
    files: tuple[SavedFile, ...]

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


class _Version(BaseModel):
    format_version: int


def whole_backups(folder: Path) -> tuple[Path, ...]:
    """The backups of a folder, oldest first; the folder itself where it is one."""
    if (folder / MANIFEST).is_file():
        return (folder,)
    return tuple(sorted(path for path in folder.glob(f"{PREFIX}*") if (path / MANIFEST).is_file()))


def newest_backup(folder: Path) -> Path:
    """The newest backup of a folder.

    Raises:
        RecoveryError: There is none.
    """
    found = whole_backups(folder)
    if not found:
        raise RecoveryError(f"{folder} holds no backup.", "Name a folder that `gata backup` wrote to.")
    return found[-1]


def read_backup_manifest(backup: Path) -> BackupManifest:
    """The manifest of a backup.

    Raises:
        RecoveryError: It is gone, damaged, or of a later format.
    """
    path = backup / MANIFEST
    try:
        text = path.read_bytes()
        version = _Version.model_validate_json(text).format_version
        if version != FORMAT_VERSION:
            raise RecoveryError(
                f"{path} has format version {version}; this release of gata reads {FORMAT_VERSION}.",
                "Restore it with the release that made it, which the manifest names.",
            )
        return BackupManifest.model_validate_json(text)
    except (OSError, ValidationError) as error:
        raise RecoveryError(f"{path} is no manifest of a backup.", "Choose another backup of the folder.") from error


def verified(backup: Path) -> tuple[str, ...]:
    """What of a backup is damaged, one sentence each; empty where it is whole."""
    try:
        return tuple(_differences(backup, read_backup_manifest(backup)))
    except RecoveryError as error:
        return (error.what,)


def _differences(backup: Path, manifest: BackupManifest) -> Iterator[str]:
    """What of a backup is not as its manifest says, one sentence for each file."""
    for file in manifest.files:
        if wrong := difference(backup / file.path, file):
            yield wrong
    listed = {file.path for file in manifest.files} | {MANIFEST}
    for path in sorted(backup.rglob("*")):
        relative = path.relative_to(backup).as_posix()
        if (path.is_symlink() or not path.is_dir()) and relative not in listed:
            yield f"{relative} is not in the manifest"


def difference(path: Path, file: SavedFile) -> str | None:
    """How a file differs from its entry; None where it does not."""
    try:
        if path.is_symlink() or not path.is_file():
            return f"{file.path} is gone"
        if path.stat().st_size != file.bytes or sha256_of(path) != file.sha256:
            return f"{file.path} has another SHA-256 than its manifest says"
    except OSError as error:
        return f"{file.path} cannot be read ({error.strerror})"
    return None
