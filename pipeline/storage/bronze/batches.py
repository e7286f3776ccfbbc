"""Batches of bronze: drafts that are filled, published once, and read by their manifests only.

A batch is `bronze/<tenant>/<platform>/<account>/<object>/ingest_dt=YYYY-MM-DD/batch_<id>/`: its files,
`_MANIFEST.json` and `_SUCCESS`.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.config.slug import Slug
from pipeline.errors import LandError
from pipeline.regular_file import real_path
from pipeline.settings import Settings
from pipeline.storage.bronze.manifest import MANIFEST, SUCCESS, BatchManifest, read_batch_manifest
from pipeline.storage.disk import sync

PREFIX = "batch_"
_DRAFT = ".draft_"


@dataclass(frozen=True)
class BatchFolder:
    """The folder of one object of one account in a bronze: its batches, by ids that sort by time."""

    folder: Path

    def batch_ids(self) -> list[str]:
        """The ids of the published batches, oldest first; no manifest is opened."""
        return sorted(path.name.removeprefix(PREFIX) for path in self._batches())

    def manifests(self, batch_ids: Iterable[str]) -> Iterator[tuple[Path, BatchManifest]]:
        """The folders and manifests of some batches.

        Raises:
            LandError: A manifest is damaged, or not this batch's.
        """
        wanted = set(batch_ids)
        for path in sorted(self._batches(), key=lambda path: path.name):
            if path.name.removeprefix(PREFIX) in wanted:
                yield path, read_batch_manifest(path)

    def draft(self, batch_id: str) -> Path:
        """An empty folder to put the files of a batch into; one that a killed process left is emptied."""
        folder = self.folder / f"{_DRAFT}{batch_id}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def publish(self, draft: Path, manifest: BatchManifest) -> Path:
        """Publish a draft as a batch: its files, the manifest, then the mark that it is whole.

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
        (draft / SUCCESS).touch()
        sync(draft / MANIFEST)
        final.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(final)
        sync(final.parent)
        return final

    def clear_drafts(self) -> None:
        """Remove what killed processes left."""
        for path in self.folder.glob(f"{_DRAFT}*"):
            shutil.rmtree(path, ignore_errors=True)

    def _batches(self) -> list[Path]:
        return [path for path in self.folder.glob(f"ingest_dt=*/{PREFIX}*") if (path / SUCCESS).exists()]


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
