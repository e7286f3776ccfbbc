"""Manifests that lie beside the files people bring: which files are one delivery, its time, its days, whether complete.

A file whose name ends in `_MANIFEST.json` names files of its own folder:

    {"files": ["a.jsonl", {"file": "b.jsonl", "sha256": "..."}], "exported_at": "2026-01-06T10:00:00Z",
     "covers": ["2026-01-05"] or {"from": "2026-01-01", "to": "2026-01-31"}, "complete": true, "object": "orders"}

Only `files` is demanded; a manifest without files names its `object`. A manifest of bronze has the same names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.ingest.deliveries.delivery import Delivery
from pipeline.ingest.deliveries.name_order import LONGEST_RANGE, has_date, order_of
from pipeline.ingest.exports import ExportFile, ExportTarget
from pipeline.regular_file import open_regular
from pipeline.storage.bronze.manifest import MANIFEST

LONGEST = 1 << 24  # bytes of a manifest


class _File(BaseModel):
    model_config = ConfigDict(frozen=True)

    file: str
    sha256: str | None = None


class _Manifest(BaseModel):
    model_config = ConfigDict(frozen=True)

    files: tuple[_File, ...]
    exported_at: datetime | None = None
    created_at: datetime | None = None
    covers: tuple[date, ...] | None = None
    complete: bool = True
    platform: str | None = None
    account: str | None = None
    object_: str | None = Field(default=None, alias="object")

    @field_validator("files", mode="before")
    @classmethod
    def _with_names(cls, files: Any) -> Any:  # Any: JSON
        return [{"file": each} if isinstance(each, str) else each for each in files or ()]

    @field_validator("covers", mode="before")
    @classmethod
    def _with_ends(cls, covers: Any) -> Any:  # Any: JSON
        if not isinstance(covers, Mapping):
            return covers
        first, last = (date.fromisoformat(str(covers.get(end))) for end in ("from", "to"))
        if not timedelta() <= last - first <= timedelta(days=LONGEST_RANGE):
            raise ValueError(f"covers from {first} to {last} is no range of days")
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]

    @property
    def at(self) -> datetime | None:
        moment = self.exported_at or self.created_at
        return moment.astimezone(UTC).replace(tzinfo=None) if moment and moment.tzinfo else moment

    def is_of(self, target: ExportTarget) -> bool:
        """Whether it may be about this object of this account."""
        own = (self.platform, self.account, self.object_)
        return all(said in (None, name) for said, name in zip(own, target.key, strict=True))


def manifest_deliveries(target: ExportTarget, exports: Iterable[ExportFile]) -> tuple[list[Delivery], list[str]]:
    """The deliveries that manifests beside a target's files declare, and what is wrong with manifests."""
    at = {export.path: export for export in exports}
    deliveries, findings = [], []
    for path in sorted(path for folder in target.folders for path in folder.glob(f"*{MANIFEST}")):
        try:
            with open_regular(path, inside=path.parent) as file:
                manifest = _Manifest.model_validate_json(file.read(LONGEST))
        except (ValidationError, OSError) as error:
            reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else (error.strerror or str(error))
            findings.append(f"{path.name} is no manifest ({reason}): the files beside it are read without it")
            continue
        if manifest.is_of(target) and (delivery := _declared(path, manifest, at)):
            deliveries.append(delivery)
    return deliveries, findings


def _declared(path: Path, manifest: _Manifest, at: Mapping[Path, ExportFile]) -> Delivery | None:
    """The delivery of a manifest; None where its files are another object's."""
    listed = {path.parent / entry.file: entry for entry in manifest.files}
    own = [at[file] for file in listed if file in at]
    if not own and (listed or not manifest.object_):
        return None
    missing = [file.name for file in listed if not file.exists()]
    wrong = [
        file.name for file, entry in listed.items() if entry.sha256 and file in at and at[file].sha256 != entry.sha256
    ]
    why = None
    if not manifest.complete:
        why = f"{path.name} says that it is not complete"
    elif missing:
        why = f"{missing[0]} is in {path.name} and missing"
    elif wrong:
        why = f"{wrong[0]} has another checksum than {path.name} says"
    times = [one.exported_at for one in own if one.exported_at]
    files = tuple(replace(one, covers=None) for one in own) if manifest.covers is not None else tuple(own)
    return Delivery(
        files,
        delivered_at=manifest.at or max(times, default=None),
        covers=manifest.covers,
        order=order_of(str(path)) if has_date(str(path)) else "",
        is_declared=True,
        incomplete=why,
    )
