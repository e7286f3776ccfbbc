"""Batches of bronze: drafts that are filled, published once, and read by their manifests only.

A batch is `bronze/<tenant>/<platform>/<account>/<object>/ingest_dt=YYYY-MM-DD/batch_<id>/`: its files,
`_MANIFEST.json` and `_SUCCESS`. Nobody may write a file of a published batch; its folder stays writable, so that an
erasure can put another batch in its place.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from pipeline.config.slug import Slug
from pipeline.errors import LandError
from pipeline.regular_file import real_path
from pipeline.settings import Settings
from pipeline.storage.bronze.manifest import MANIFEST, SUCCESS, BatchManifest, read_batch_manifest
from pipeline.storage.disk import sync

PREFIX = "batch_"
FILE_MODE: Final = 0o400
"""The permissions of every file of a published batch."""
_DRAFT = ".draft_"


@dataclass(frozen=True)
class BatchFolder:
    """The folder of one object of one account in a bronze: its batches, by ids that sort by time."""

    folder: Path

    def batch_ids(self) -> list[str]:
        """The ids of the published batches, oldest first, without superseded ones; no manifest is opened."""
        return sorted(map(_id_of, self._batches()))

    def manifests(self, batch_ids: Iterable[str]) -> Iterator[tuple[Path, BatchManifest]]:
        """The folders and manifests of some batches.

        Raises:
            LandError: A manifest is damaged, or not this batch's.
        """
        wanted = set(batch_ids)
        for path in sorted(self._batches(), key=lambda path: path.name):
            if _id_of(path) in wanted:
                yield path, read_batch_manifest(path)

    def draft(self, batch_id: str) -> Path:
        """An empty folder to put the files of a batch into; one that a killed process left is emptied."""
        folder = self.folder / f"{_DRAFT}{batch_id}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def publish(self, draft: Path, manifest: BatchManifest) -> Path:
        """Publish a draft as a batch: its files, the manifest, then the mark that it is whole; all are read-only.

        Raises:
            LandError: The batch exists already: a published batch is never rewritten.
        """
        final = self.folder / manifest.partition / f"{PREFIX}{manifest.batch_id}"
        if final.exists():
            raise LandError(
                f"{final} is published, and a published batch is never rewritten.",
                "Bring the change as a delivery of its own; nothing was touched.",
            )
        text = manifest.model_dump_json(indent=1) + "\n"
        (draft / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
        sync(draft / MANIFEST)
        (draft / SUCCESS).write_text(hashlib.sha256(text.encode()).hexdigest(), encoding="utf-8")
        for path in draft.rglob("*"):
            if path.is_file():
                path.chmod(FILE_MODE)
        final.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(final)
        sync(final.parent)
        return final

    def remove_superseded(self) -> None:
        """Remove the batches that whole ones supersede, and what killed processes left of either."""
        current = set(self._batches())
        whole = {delivery_id(_id_of(path)) for path in current}
        for path in self.folder.glob(f"ingest_dt=*/{PREFIX}*"):
            if path not in current and delivery_id(_id_of(path)) in whole:
                _remove(path)
        for path in self.folder.glob(f"{_DRAFT}*"):
            shutil.rmtree(path, ignore_errors=True)

    def _batches(self) -> list[Path]:
        """The newest whole batch of each delivery."""
        newest: dict[str, Path] = {}
        for path in self.folder.glob(f"ingest_dt=*/{PREFIX}*"):
            delivery = delivery_id(_id_of(path))
            if (path / SUCCESS).exists() and _edition(path) > _edition(newest.get(delivery)):
                newest[delivery] = path
        return list(newest.values())


def delivery_id(batch_id: str) -> str:
    """The part of a batch's id that it shares with the batches that it supersedes, or that supersede it."""
    return batch_id.partition("-")[0]


def successor_id(batch_id: str) -> str:
    """The id of the batch that supersedes this one."""
    return f"{delivery_id(batch_id)}-{int(batch_id.partition('-')[2] or 0) + 1}"


def _id_of(path: Path) -> str:
    return path.name.removeprefix(PREFIX)


def _edition(path: Path | None) -> int:
    """How many batches of the same delivery came before this one."""
    return -1 if path is None else int(_id_of(path).partition("-")[2] or 0)


def _remove(batch: Path) -> None:
    """Remove a batch: its mark first, so that what a killed process leaves of it is no batch."""
    (batch / SUCCESS).unlink(missing_ok=True)
    shutil.rmtree(batch)


def bronze_folder(settings: Settings, slug: Slug) -> Path:
    """The folder that holds everything a tenant delivered."""
    return settings.home / "bronze" / slug


def batch_folder(root: Path, platform: str, account: str, object_: str) -> BatchFolder:
    """The batches of one object of one account in a tenant's folder of bronze."""
    return BatchFolder(root / platform / account / object_)


def partition_of(created_at: datetime) -> str:
    """The partition of a time, such as `ingest_dt=2026-03-01`."""
    return f"ingest_dt={created_at:%Y-%m-%d}"


def problems(folder: Path, manifest: BatchManifest) -> list[str]:
    """What of a batch is not as its manifest says: a missing, changed or extra file; one sentence each."""
    found = []
    for entry in manifest.files:
        path = folder / entry.file
        if not real_path(path).is_relative_to(real_path(folder)):
            found.append(f"{entry.file} is in the manifest and leads out of the batch")
        elif not path.is_file():
            found.append(f"{entry.file} is in the manifest and missing")
        elif _sha256(path) != entry.sha256:
            found.append(f"{entry.file} has another checksum than its manifest says")
    listed = {entry.file for entry in manifest.files} | {MANIFEST, SUCCESS}
    present = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
    return found + [f"{name} is not in the manifest" for name in present if name not in listed]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
