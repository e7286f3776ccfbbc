"""The lock file of contracts on the disk: `gata library` adds new contracts to the one in the working directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts.bundled import file_or_bundled
from pipeline.contracts.contract_lock import LOCK, Frozen, check_lock, frozen, lock_text, read_lock
from pipeline.contracts.registry import Blueprint
from pipeline.storage.disk import replace_text


@dataclass(frozen=True)
class LockUpdate:
    """Result of `update_lock`: the lock file in use, the contracts new to it, and whether they were written."""

    file: str
    new: tuple[str, ...]
    """Contract versions with an object or field that the lock lacked."""
    is_written: bool


def update_lock(blueprints: Mapping[tuple[str, str], Blueprint], path: Path = LOCK) -> LockUpdate:
    """Add new contracts and fields to the file at `path`, where there is one. Raises as `check_lock`.

    The bundled lock belongs to the package and is never written to: contracts it lacks are only reported.
    """
    missing = check_lock(blueprints, path) or {}
    if not missing or not path.exists():
        return LockUpdate(str(file_or_bundled(path)), tuple(sorted(missing)), is_written=False)
    merged = read_lock(path)
    for version, objects in frozen(blueprints).items():
        merged.setdefault(version, {}).update(objects)
    write_lock(merged, path)
    return LockUpdate(str(path), tuple(sorted(missing)), is_written=True)


def write_lock(contracts: Frozen, path: Path) -> None:
    """Write a lock file, replacing the one at `path` in one step."""
    replace_text(path, lock_text(contracts))
