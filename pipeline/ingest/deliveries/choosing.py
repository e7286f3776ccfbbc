"""Which deliveries are to land: those that are new, and those of bronze that no completed load holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.ingest.deliveries.delivery import Carried, Delivery
from pipeline.ingest.deliveries.ledger import Ledger
from pipeline.ingest.exports import ExportFile
from pipeline.storage.bronze.batches import BatchFolder, delivery_id
from pipeline.storage.bronze.manifest import BatchManifest


@dataclass(frozen=True)
class Chosen:
    """The new deliveries of a target, and the number of files in those that landed before."""

    new: tuple[Delivery, ...]
    known_files: int


def replays(held: BatchFolder, ledger: Ledger) -> list[Delivery]:
    """The deliveries of bronze that did not land yet, oldest first; the ledger counts them as landed from now on.

    Raises:
        LandError: A manifest is damaged.
    """
    landed = set(map(delivery_id, ledger.batches))
    missing = [batch_id for batch_id in held.batch_ids() if delivery_id(batch_id) not in landed]
    found = []
    for folder, manifest in held.manifests(missing) if missing else ():
        ledger.add_manifest(manifest)
        found.append(delivery_of_batch(folder, manifest))
    return found


def delivery_of_batch(folder: Path, manifest: BatchManifest) -> Delivery:
    """The delivery that a batch holds."""
    files = tuple(
        ExportFile(
            Path(file.source),
            file.bytes,
            file.received_sha256,
            manifest.delivered_at if manifest.is_dated else None,
            content=folder / file.file,
        )
        for file in manifest.files
    )
    at = manifest.delivered_at if manifest.is_dated else None
    return Delivery(files, at, manifest.covers, manifest.order, is_declared=True, batch=(folder, manifest))


def choose(deliveries: tuple[Delivery, ...], ledger: Ledger) -> Chosen:
    """The deliveries that are new, each with the files that landed before and still belong to it."""
    new, known = [], 0
    for delivery in deliveries:
        chosen = _chosen(delivery, ledger)
        if chosen is None:
            known += len(delivery.files)
            continue
        known += len(delivery.files) - len(chosen.files)
        new.append(chosen)
        ledger.identities.add(chosen.identity)
        for file in chosen.files:
            if file.sha256:
                ledger.add_content(file.sha256, str(file.path))
    return Chosen(tuple(new), known)


def _chosen(delivery: Delivery, ledger: Ledger) -> Delivery | None:
    """A delivery as it lands, None where it landed before."""
    if delivery.delivered_at is not None:
        contents = [(file.sha256, file.exported_at) for file in delivery.files]
        is_known = delivery.identity in ledger.identities or ledger.landed_before_bronze(contents)
        return None if is_known else delivery
    states = [ledger.state(str(file.path), file.sha256) for file in delivery.files]
    is_rewritten = "changed" in states
    if delivery.is_declared:
        says_more = delivery.covers is not None and delivery.identity not in ledger.identities
        is_new = says_more or not {"new", "changed"}.isdisjoint(states)
        return replace(delivery, is_rewritten=is_rewritten) if is_new else None
    if {"new", "changed"}.isdisjoint(states):
        return None
    files: list[ExportFile] = []
    carried: list[Carried] = []
    for file, state in zip(delivery.files, states, strict=True):
        is_known = state in ("same", "moved")
        days = ledger.current_days(str(file.path), file.sha256) if is_known else None
        if days is None:
            files.append(file)
        else:
            carried.append(Carried(file, days))
    return replace(delivery, files=tuple(files), carried=tuple(carried), is_rewritten=is_rewritten)
