"""Record of the files generated for a tenant, stored beside them: generator version, shop and chunks of days."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any  # a shop is described in plain JSON

from pipeline.config.tenant import Tenant
from pipeline.synthetic.writers import in_place

GENERATOR = 2  # incremented whenever the same shop would give other records
NAME = "_generator.json"
_UNREADABLE = (FileNotFoundError, ValueError, KeyError, TypeError)  # a record that is missing or damaged


@dataclass(frozen=True)
class Chunk:
    """Days that are exported together, both included."""

    first: date
    last: date


def describe_generator(tenant: Tenant) -> dict[str, Any]:
    """Everything that the records of a tenant depend on, except the days."""
    sources = [
        {
            "platform": source.platform,
            "like": source.like,
            "generation": source.generation,
            "accounts": [
                account.model_dump(include={"name", "currency", "timezone"})
                for account in source.accounts
                if account.read.kind == "synthetic"
            ],
        }
        for source in tenant.enabled
    ]
    return {"slug": tenant.slug, "timezone": tenant.timezone, "currency": tenant.currency, "sources": sources}


def plan_chunks(folder: Path, tenant: Tenant, until: date, days: int) -> tuple[Chunk, ...]:
    """The chunks that this tenant's files have to cover; new ones are recorded before any of their files is written.

    The folder is emptied when its files come from another generator or another shop, or begin too late.
    """
    last = until - timedelta(days=1)
    description = describe_generator(tenant)
    chunks = _read(folder / NAME, description)
    if chunks and last <= chunks[-1].last:
        return chunks
    first = until - timedelta(days=days)
    replaces = (folder / NAME).exists() and (not chunks or replaces_another(folder))
    if chunks and chunks[0].first <= first:
        chunks = (*chunks, Chunk(chunks[-1].last + timedelta(days=1), last))
    else:
        shutil.rmtree(folder, ignore_errors=True)
        chunks = (Chunk(first, last),)
    content = {
        "generator": GENERATOR,
        "shop": description,
        "replaces_another": replaces,
        "chunks": [[chunk.first.isoformat(), chunk.last.isoformat()] for chunk in chunks],
    }
    with in_place(folder / NAME) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return chunks


def replaces_another(folder: Path) -> bool:
    """Whether the files of a folder replaced, at any time, those of another generator or another shop."""
    try:
        return json.loads((folder / NAME).read_bytes())["replaces_another"] is True
    except _UNREADABLE:
        return False


def _read(path: Path, description: dict[str, Any]) -> tuple[Chunk, ...]:
    """The recorded chunks; none where nothing was recorded, or the files belong to another generator or shop."""
    try:
        saved = json.loads(path.read_bytes())
        if saved["generator"] != GENERATOR or saved["shop"] != description:
            return ()
        return tuple(Chunk(date.fromisoformat(first), date.fromisoformat(last)) for first, last in saved["chunks"])
    except _UNREADABLE:
        return ()
