"""Checks of a posted tenant: a plain tree, which reads only files beside tenants.yaml, and these are there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from glob import escape
from pathlib import Path
from typing import Any

from pipeline.config.tenant import Tenant
from pipeline.errors import LandError, QueryError, shorten
from pipeline.ingest.admission.matched_files import MatchedFile, matched_files
from pipeline.regular_file import real_path
from pipeline.settings import Settings

DEEPEST = 12
"""Deepest nesting of a tenant's entry, in levels; it needs eight."""

Plain = Any  # a tree of what JSON can carry


def check_tree(tree: Mapping[str, Plain]) -> None:
    """Check that a posted tree can be part of tenants.yaml.

    Raises:
        QueryError: It is nested too deeply, or holds text that cannot be encoded.
    """
    level: list[Plain] = [tree]
    for _ in range(DEEPEST):
        level = [item for node in level for item in _items(node)]
        if not level:
            return _check_text(tree)
    raise QueryError(f"This is nested more than {DEEPEST} levels deep.", "Send a tenant as tenants.yaml describes it.")


def _check_text(tree: Mapping[str, Plain]) -> None:
    try:
        json.dumps(tree, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise QueryError("There is half a character in this, which cannot be written.", "Send whole ones.") from error


def _items(node: Plain) -> Iterator[Plain]:
    if isinstance(node, Mapping):
        yield from node.values()
    elif isinstance(node, list):
        yield from node


def check_files(tenant: Tenant, settings: Settings) -> None:
    """Check that every file a tenant reads is in the folder of tenants.yaml, and that each pattern matches a file.

    Links are followed: their target counts. Exports in the state folder are refused.

    Raises:
        QueryError: A path leads elsewhere, or names no file.
    """
    folder = settings.tenants.absolute().parent
    inside = escape(str(folder)) + os.sep
    for read in _folders(tenant):
        _check_folder(read, folder, settings)
    for pattern in _patterns(tenant):
        if not pattern.startswith(inside):
            raise _outside(Path(shorten(pattern, 120)).name)
        try:
            files = _matched(pattern, folder)
        except LandError as error:
            raise QueryError(error.what, error.fix) from error
        for file in files:
            _check_inside(file.path, folder, settings, shorten(file.path.name, 120))
            if file.refused:
                raise QueryError(f"{file.path.name!r} is {file.refused}.", "Put a file in its place, or leave it out.")
    if tenant.rates is not None:
        _check_inside(tenant.rates, folder, settings, tenant.rates.name)


def check_still_there(tenant: Tenant, settings: Settings) -> None:
    """Check once more that each folder is there and each pattern matches a file: a job may wait for long.

    What is wrong with a folder or a file is for the build to say.

    Raises:
        QueryError: A folder is gone, or the last file of a pattern.
    """
    folder = settings.tenants.absolute().parent
    for read in _folders(tenant):
        _check_there(read, folder)
    for pattern in _patterns(tenant):
        with suppress(LandError):
            _matched(pattern, folder)


def _folders(tenant: Tenant) -> Iterator[Path]:
    for source in tenant.sources:
        for account in source.accounts:
            if account.read.folder is not None:
                yield Path(account.read.folder)


def _patterns(tenant: Tenant) -> Iterator[str]:
    for source in tenant.sources:
        for account in source.accounts:
            for patterns in account.read.objects.values():
                yield from patterns


def _matched(pattern: str, folder: Path) -> list[MatchedFile]:
    if files := matched_files(pattern):
        return files
    label = shorten(pattern.removeprefix(escape(str(folder)) + os.sep), 120)
    raise QueryError(f"There is no file {label!r}.", "Put the export there first; paths start beside tenants.yaml.")


def _check_there(read: Path, folder: Path) -> None:
    if not read.is_dir():
        label = shorten(str(read).removeprefix(f"{folder}{os.sep}"), 120)
        raise QueryError(f"There is no folder {label!r}.", "Make it first; paths start beside tenants.yaml.")


def _check_folder(read: Path, folder: Path, settings: Settings) -> None:
    """Check that a folder is below that of tenants.yaml; files in it that lead elsewhere are refused one by one."""
    if read == folder or not read.is_relative_to(folder) or real_path(settings.home).is_relative_to(real_path(read)):
        raise _outside(read.name)
    _check_there(read, folder)
    _check_inside(read, folder, settings, read.name)


def _check_inside(file: Path, folder: Path, settings: Settings, name: str) -> None:
    real, home = real_path(file), real_path(settings.home)
    if not real.is_relative_to(real_path(folder)) or real.is_relative_to(home):
        raise _outside(name)


def _outside(name: str) -> QueryError:
    return QueryError(
        f"{name!r} is not in the folder of tenants.yaml, or is gata's own.",
        "Put exports beside tenants.yaml, and write their paths from there, such as exports/acme/orders_*.jsonl.",
    )
