"""The manifest of a batch (`_MANIFEST.json`): what was delivered, for which days, in which files."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from pathlib import Path

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import LandError
from pipeline.regular_file import open_regular

MANIFEST = "_MANIFEST.json"
SUCCESS = "_SUCCESS"
"""Written last: without it a batch is not there. It holds the SHA-256 of the manifest; an earlier one is empty."""
SCHEMA_VERSION = "1.0.0"


class BatchFile(BaseModel):
    """One file of a batch."""

    model_config = ConfigDict(frozen=True)

    file: str
    """Its path inside the batch's folder."""
    source: str
    """The path it was brought under."""
    bytes: int
    sha256: str
    received_sha256: str
    """Of the content as it was received; differs from `sha256` in a batch that supersedes another."""
    rows: int = 0
    """Records that were read."""
    quarantined: int = 0
    """Those of them that went into quarantine."""


class BatchManifest(BaseModel):
    """What one batch holds. Times are UTC without a zone; a field that a later release adds is ignored."""

    model_config = ConfigDict(frozen=True)

    schema_version: str = SCHEMA_VERSION
    tenant: str
    platform: str
    account: str
    object: str
    table: str
    """The landing table."""
    contract_version: str
    contract_hash: str
    batch_id: str
    partition: str
    """`ingest_dt=YYYY-MM-DD`: the UTC day of `created_at`."""
    created_at: datetime
    delivered_at: datetime
    """By which deliveries replace each other: the delivery's own time, else the time of its first landing."""
    is_dated: bool
    """Whether the delivery says its own time."""
    identity: str
    """SHA-256 of the files' content, the days and the time: the same delivery again has the same."""
    order: str = ""
    """By which deliveries without a time are told apart: dates and kinds of the files' names."""
    covers: tuple[date, ...] | None = None
    """The days that the delivery says it covers, also those without rows; None: the days of its rows."""
    complete: bool = True
    access_proven: bool | None = None
    """Whether the account was seen to be readable; None for files."""
    api_version_asked: str | None = None
    api_version_answered: str | None = None
    min_event_dt: date | None = None
    max_event_dt: date | None = None
    total_rows: int
    files: tuple[BatchFile, ...]
    generator_version: str
    """The release of gata that wrote it."""
    supersedes: str | None = Field(default=None, validation_alias=AliasChoices("supersedes", "redacts"))
    """The batch that this one takes the place of, without a person who was forgotten. Earlier releases call it
    `redacts`."""


def read_batch_manifest(folder: Path) -> BatchManifest:
    """The manifest of a batch's folder.

    Raises:
        LandError: It is missing, or is no manifest.
    """
    path = folder / MANIFEST
    try:
        with open_regular(path) as file, open_regular(folder / SUCCESS) as success:
            text, seal = file.read(), success.read()
        if seal.strip() and seal.strip() != hashlib.sha256(text).hexdigest().encode():
            raise LandError(
                f"{path} is not what was written: {SUCCESS} beside it names another SHA-256.",
                "Put the batch back from a backup, or remove its folder and run `gata build --from bronze`.",
            )
        return BatchManifest.model_validate_json(text)
    except OSError as error:
        raise LandError(
            f"{path} cannot be read: {error.strerror or error}.",
            "Put the batch back from a backup, or remove its folder and run `gata build --from bronze`.",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"]) or "it"
        raise LandError(
            f"{path} is no manifest: {at}: {first['msg']}.",
            "Put the batch back from a backup, or remove its folder and run `gata build --from bronze`.",
        ) from error
