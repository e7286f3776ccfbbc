"""Puts deliveries into bronze before they are read: drafts of batches, published once their records are counted."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path

from pipeline.config.tenant import Tenant
from pipeline.ingest.deliveries.delivery import Delivery
from pipeline.ingest.exports import ExportFile, ExportTarget
from pipeline.ingest.formats.export_file import Unreadable, format_of
from pipeline.ingest.formats.zip_file import archive_of, check_packed_member, open_member
from pipeline.regular_file import reason_of
from pipeline.settings import Settings
from pipeline.storage.bronze.batches import BatchFolder, batch_folder, bronze_folder, partition_of, problems
from pipeline.storage.bronze.clone import clone, copy, hard_link
from pipeline.storage.bronze.manifest import MANIFEST, SUCCESS, BatchFile, BatchManifest


@dataclass(frozen=True)
class FileCount:
    """A file of a delivery, and the records that were read from it."""

    export: ExportFile
    rows: int
    quarantined: int
    days: frozenset[date]


class Archive:
    """The batch of one delivery: its id, its files in bronze, and its manifest."""

    def __init__(
        self, tenant: Tenant, settings: Settings, target: ExportTarget, delivery: Delivery, *, new_id: str
    ) -> None:
        self._tenant, self._target, self._delivery = tenant, target, delivery
        self._batches = batches_of(tenant, settings, target)
        self._is_published = delivery.batch is not None
        self._digests: dict[Path, str] = {}
        self.batch_id = delivery.batch[1].batch_id if delivery.batch else new_id
        self._folder = delivery.batch[0] if delivery.batch else self._batches.draft(new_id)

    @property
    def problems(self) -> list[str]:
        """What is not as the manifest of the batch says that holds it already, here or elsewhere."""
        held = self._delivery.batch or self._delivery.origin
        return problems(*held) if held else []

    def put(self, export: ExportFile) -> ExportFile:
        """A file as it lies in bronze, copied there unless it does.

        Raises:
            Unreadable: It cannot be read, or was changed since it was found.
        """
        if self._is_published or export.unreadable:
            return export
        content = self._free_path(export)
        content.parent.mkdir(parents=True, exist_ok=True)
        try:
            if export.content is None and archive_of(export.path):
                with open_member(export.path, inside=export.inside) as member:
                    digest = copy(member, content)
                check_packed_member(export.path, content, inside=export.inside)
            elif self._target.read.kind == "synthetic":  # a generated file is replaced, and never rewritten in place
                hard_link(export.path, content)
                digest = export.sha256 or ""
            else:
                is_held = export.content is not None
                digest = clone(export.content or export.path, content, inside=None if is_held else export.inside)
        except OSError as error:
            if error.filename not in (None, str(export.path)):
                raise
            raise Unreadable(reason_of(error), lasting=False) from error
        if export.content is None and digest != export.sha256:
            self._target.contents.distrust(export.path, archive=archive_of(export.path))
            raise Unreadable("was changed while it was read", lasting=False)
        self._digests[content] = digest
        return replace(export, content=content)

    def publish(self, counts: Iterable[FileCount], delivered_at: datetime, created_at: datetime) -> None:
        """Publish the batch with its manifest."""
        if self._is_published:
            return
        listed = list(counts)
        days = [day for count in listed for day in count.days]
        blueprint, delivery = self._target.blueprint, self._delivery
        manifest = BatchManifest(
            tenant=self._tenant.slug,
            platform=blueprint.platform,
            account=self._target.account,
            object=blueprint.object,
            table=blueprint.landing_table,
            contract_version=blueprint.version,
            contract_hash=blueprint.source_schema_hash,
            batch_id=self.batch_id,
            partition=partition_of(created_at),
            created_at=created_at,
            delivered_at=delivered_at,
            is_dated=delivery.delivered_at is not None,
            identity=delivery.identity,
            order=delivery.order,
            covers=declared_days(delivery),
            min_event_dt=min(days, default=None),
            max_event_dt=max(days, default=None),
            total_rows=sum(count.rows + count.quarantined for count in listed),
            files=tuple(self._entry(count) for count in listed),
            generator_version=version("gata"),
        )
        self._keep_only(manifest)
        self._batches.publish(self._folder, manifest)

    def discard(self) -> None:
        """Remove the draft of a delivery that does not land."""
        if not self._is_published:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _entry(self, count: FileCount) -> BatchFile:
        export = count.export
        content, received = export.content or export.path, export.sha256 or ""
        sha256 = self._digests.get(content, received)
        return BatchFile(
            file=content.relative_to(self._folder).as_posix(),
            source=str(export.path),
            bytes=content.stat().st_size,
            sha256=sha256,
            received_sha256=received,
            rows=count.rows + count.quarantined,
            quarantined=count.quarantined,
        )

    def _keep_only(self, manifest: BatchManifest) -> None:
        """Remove files that were put and do not belong to the delivery after all."""
        listed = {self._folder / entry.file for entry in manifest.files}
        for path in self._folder.rglob("*"):
            if path.is_file() and path not in listed:
                path.unlink()

    def _free_path(self, export: ExportFile) -> Path:
        """A path in the draft under the file's own name; in a numbered folder where that is taken.

        A member of an archive has a name of ours, so that its own leads nowhere: the manifest keeps it as `source`.
        """
        parts = [export.path.name]
        if archive := archive_of(export.path):
            packed = ".gz" if export.path.suffix.lower() == ".gz" else ""
            parts = [archive.name, f"member.{format_of(export.path)}{packed}"]
        path, number = self._folder.joinpath(*parts), 1
        while path.exists() or path.name in (MANIFEST, SUCCESS):
            number += 1
            path = self._folder.joinpath(str(number), *parts)
        return path


def batches_of(tenant: Tenant, settings: Settings, target: ExportTarget) -> BatchFolder:
    """The batches of a target in the tenant's own bronze."""
    platform, account, object_ = target.key
    return batch_folder(bronze_folder(settings, tenant.slug), platform, account, object_)


def declared_days(delivery: Delivery) -> tuple[date, ...] | None:
    """The days that a delivery, or the names of its files, say it covers; None where neither says any."""
    if delivery.covers is not None:
        return tuple(sorted(set(delivery.covers)))
    said = [file.covers for file in delivery.files]
    if not said or any(days is None for days in said):
        return None
    return tuple(sorted({day for days in said for day in days or ()}))
