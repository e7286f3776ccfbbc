"""Checks of a tenant's bronze: every batch against its manifest, byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import LandError
from pipeline.storage.bronze.batches import BatchFolder, problems


def damaged_batches(root: Path) -> Iterator[str]:
    """What is damaged in a tenant's folder of bronze, one sentence for each batch."""
    for folder in sorted(root.glob("*/*/*")):
        held = BatchFolder(folder)
        for batch_id in held.batch_ids():
            try:
                for path, manifest in held.manifests([batch_id]):
                    if found := problems(path, manifest):
                        yield f"{path}: {'; '.join(found)}."
            except LandError as error:
                yield error.what
