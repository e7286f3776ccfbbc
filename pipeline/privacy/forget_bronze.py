"""Bronze without a person: a batch whose files name the person is superseded by a redacted one, which says so.

A published batch is never rewritten. Its successor holds the same delivery: files without a mention stay as they were,
the others become JSON lines of their records without the person. It keeps the checksums of what was received, so that
the same files, brought again, are still known. The old batch is removed once its successor is published.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint
from pipeline.contracts.sql import whole_record
from pipeline.ingest.formats.export_file import Unreadable
from pipeline.ingest.formats.reader import Reader
from pipeline.settings import Settings
from pipeline.storage.bronze.batches import BatchFolder, bronze_folder, delivery_id, successor_id
from pipeline.storage.bronze.clone import hard_link
from pipeline.storage.bronze.manifest import BatchFile, BatchManifest

Json = Any  # Any: what JSON can carry
Change = Callable[[Json], Json]
"""Gives a record without the person."""
Mentions = Callable[[str], bool]
"""Whether a text mentions the person."""


@dataclass(frozen=True)
class Redaction:
    """How the records of one object are rewritten without a person."""

    blueprint: Blueprint
    change: Change
    mentions: Mentions
    renamed: Mapping[str, str]
    """The new SHA-256 of generated files that were rewritten, by the old one."""


def redact_bronze(tenant: Tenant, settings: Settings, redaction: Redaction) -> dict[str, str]:
    """Supersede every batch of an object that names a person by one that does not, and remove it then.

    Killed at any point, it leaves each delivery in one whole batch or in two, of which the newer counts; the next call
    continues.

    Returns:
        The ids of all batches that supersede others, by the others' ids; those of an earlier call are among them.
    """
    superseded: dict[str, str] = {}
    blueprint = redaction.blueprint
    for folder in sorted((bronze_folder(settings, tenant.slug) / blueprint.platform).glob(f"*/{blueprint.object}")):
        held = BatchFolder(folder)
        held.remove_superseded()
        for batch, manifest in held.manifests(held.batch_ids()):
            _supersede(held, batch, manifest, redaction)
        held.remove_superseded()
        for _, manifest in held.manifests(held.batch_ids()):
            superseded |= dict.fromkeys(_earlier_ids(manifest), manifest.batch_id)
    return superseded


def _supersede(held: BatchFolder, batch: Path, manifest: BatchManifest, redaction: Redaction) -> None:
    """Publish the successor of a batch, unless nothing in it names the person."""
    new_id = successor_id(manifest.batch_id)
    draft = held.draft(new_id)
    files = []
    for entry in manifest.files:
        source, target = batch / entry.file, draft / entry.file
        target.parent.mkdir(parents=True, exist_ok=True)
        texts = _texts(source, draft, redaction)
        received = redaction.renamed.get(entry.received_sha256, entry.received_sha256)
        if texts is None:
            hard_link(source, target)
            files.append(entry.model_copy(update={"received_sha256": received}))
        else:
            files.append(_rewritten(entry, target, texts, received))
    if tuple(files) == manifest.files:
        shutil.rmtree(draft)
        return
    rows = sum(file.rows for file in files)
    update = {"batch_id": new_id, "supersedes": manifest.batch_id, "files": tuple(files), "total_rows": rows}
    held.publish(draft, manifest.model_copy(update=update))


def _earlier_ids(manifest: BatchManifest) -> list[str]:
    """The ids of the batches before this one of the same delivery; empty for the first."""
    ids = [delivery_id(manifest.batch_id)]
    while successor_id(ids[-1]) != manifest.batch_id and ids[-1] != manifest.batch_id:
        ids.append(successor_id(ids[-1]))
    return [] if ids[-1] == manifest.batch_id else ids


def _rewritten(entry: BatchFile, target: Path, texts: list[str], received: str) -> BatchFile:
    """Write records as JSON lines; gives the entry of the new file."""
    name = f"{entry.file}.redacted.jsonl"
    path = target.with_name(Path(name).name)
    path.write_text("".join(f"{text}\n" for text in texts) or "\n", encoding="utf-8", newline="\n")
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    return entry.model_copy(
        update={
            "file": name,
            "bytes": path.stat().st_size,
            "sha256": digest,
            "received_sha256": received,
            "rows": len(texts),
            "quarantined": 0,
        }
    )


def _texts(path: Path, folder: Path, redaction: Redaction) -> list[str] | None:
    """The records of a file without the person, as JSON in the order of the file; None where none names the person.

    Records that do not convert are left out of a file that names the person.
    """
    found: list[tuple[int, str]] = []
    is_named = False
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("set global TimeZone = 'UTC'")
        reader = Reader(con, redaction.blueprint.contract, folder)
        for line, text in _records(con, reader, path, redaction.blueprint):
            if line is None:
                is_named = is_named or redaction.mentions(text)
                continue
            record = json.loads(text)
            changed = redaction.change(record)
            is_named = is_named or changed != record
            found.append((line, json.dumps(changed, ensure_ascii=False, separators=(",", ":"))))
    return [text for _, text in sorted(found)] if is_named else None


def _records(
    con: duckdb.DuckDBPyConnection, reader: Reader, path: Path, blueprint: Blueprint
) -> Iterator[tuple[int | None, str]]:
    """Line and JSON of each good record, and without a line the text of each other one."""
    try:
        for batch in reader.read(path):
            if batch.good.num_rows:
                con.register("redacted_batch", batch.good)
                query = f"select _source_line, {whole_record(blueprint.shape)}::varchar from redacted_batch"
                yield from con.execute(query).fetchall()
            yield from ((None, str(record)) for record in batch.wrong["_record"].to_pylist() if record)
    except Unreadable:
        return
