"""Atomic changes of tenants.yaml: checked in a copy first, then replaced in one step, under a lock.

    edit in memory -> a copy beside the file is read and checked -> the file is replaced -> undone, if the build fails

People edit the file too, without the lock: their concurrent edits are never lost.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from glob import escape
from pathlib import Path

from filelock import FileLock, Timeout
from ruamel.yaml.error import YAMLError

from pipeline.config.tenants_file import TenantsFile, load_tenants
from pipeline.contracts.connector import Connector
from pipeline.errors import Busy, ConfigError, QueryError
from pipeline.settings import Settings
from pipeline.storage.disk import sync
from pipeline.storage.private_folder import make_private
from server.orchestration.jobs.tenants_edit import edited, with_entry_restored, without_tenant

WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class TenantsFileChange:
    """A change of one file: its text before and after."""

    file: Path
    before: str
    after: str


@contextmanager
def locked_tenants_file(settings: Settings) -> Iterator[None]:
    """Hold the lock for changes of tenants.yaml.

    Raises:
        Busy: Another program has held it for ten seconds.
    """
    make_private(settings.home)
    lock = FileLock(settings.home / "tenants.yaml.lock", mode=0o600, is_singleton=True)  # reentrant
    try:
        lock.acquire(timeout=WAIT_SECONDS)
    except Timeout as error:
        raise Busy("tenants.yaml is being changed by another request.", "Send the request again.") from error
    try:
        yield
    finally:
        lock.release()


def file_of(manifest: TenantsFile, slug: str) -> Path:
    """The file that declares a tenant.

    Raises:
        ConfigError: There is no such tenant, or its entry is wrong.
    """
    return Path(manifest.locations[manifest.get(slug).slug].rpartition(":")[0])


def plan_change(file: Path, edit: Callable[[str], str]) -> TenantsFileChange:
    """The change that an edit of a file's text makes.

    Raises:
        QueryError: The edited text cannot be written.
    """
    before = file.read_bytes().decode("utf-8")
    try:
        after = edit(before)
        after.encode()
    except (YAMLError, UnicodeError, RecursionError) as error:
        raise QueryError("This cannot be written to tenants.yaml.", "Send plain text, numbers and flags.") from error
    return TenantsFileChange(file, before, after)


def checked_change(
    change: TenantsFileChange, settings: Settings, catalog: Mapping[str, Connector], slug: str
) -> TenantsFile:
    """Load and check tenants.yaml as it would be after the change; no file is changed.

    Raises:
        QueryError: It would be wrong, or change another tenant than `slug`.
    """
    before = load_tenants(settings.tenants, catalog)
    with _beside(change.file, change.after) as copy, _root(change, settings, before, copy) as root:
        try:
            after = load_tenants(root, catalog)
            _refuse_new_mistakes(before, after)
            after.get(slug)
        except ConfigError as error:
            raise QueryError(_without_place(error.what), error.fix) from error
    unrelated = [
        {tenant.slug: tenant.fingerprint for tenant in manifest.tenants if tenant.slug != slug}
        for manifest in (before, after)
    ]
    if unrelated[0] != unrelated[1]:
        raise QueryError(
            f"{slug} shares a part of its entry with another tenant, which would change too.",
            "Edit tenants.yaml by hand: give each tenant its own.",
        )
    return after


def apply_change(change: TenantsFileChange) -> None:
    """Replace the file in one step.

    Raises:
        Busy: It was edited since it was read; nothing is lost.
        ConfigError: It cannot be written.
    """
    file = change.file.resolve()
    if file.read_bytes() != change.before.encode():
        raise Busy("tenants.yaml was edited just now.", "Send the request again.")
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.write_bytes(change.after.encode())
        shutil.copymode(file, beside)
        sync(beside)
        beside.replace(file)
        sync(file.parent)
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written: {error.strerror or error}.", "Let the server's user write it, and its folder."
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def undo_change(change: TenantsFileChange, slug: str, *, is_new: bool) -> bool:
    """Undo a change; return whether the tenant's entry is as it was before.

    Where the file was edited since, only the entry is restored, or removed where it is new. An entry that was itself
    edited since stays.
    """
    now = change.file.read_bytes().decode("utf-8")
    if now == change.before:
        return True
    if now == change.after:
        undone: str | None = change.before
    elif is_new:
        undone = without_tenant(now, slug)
    else:
        undone = with_entry_restored(now, slug, before=change.before, after=change.after)
    if undone is None:
        return False
    if undone != now:
        apply_change(TenantsFileChange(change.file, now, undone))
    return True


@contextmanager
def _beside(file: Path, text: str) -> Iterator[Path]:
    """A hidden copy in the same folder: relative paths start there."""
    copy = file.with_name(f".{file.name}.check-{os.getpid()}")
    try:
        copy.write_bytes(text.encode())
        yield copy
    finally:
        copy.unlink(missing_ok=True)


@contextmanager
def _root(change: TenantsFileChange, settings: Settings, now: TenantsFile, copy: Path) -> Iterator[Path]:
    """The root file to load: the copy itself, or a root that includes the copy in place of the file."""
    if change.file.resolve() == settings.tenants.resolve():
        yield copy
        return
    files = sorted(set(now.files) - {settings.tenants})
    included = [escape(str((copy if file == change.file else file).absolute())) for file in files]
    text = settings.tenants.read_bytes().decode("utf-8")
    with _beside(settings.tenants, edited(text, lambda root: root.update(include=included))) as root:
        yield root


def _refuse_new_mistakes(before: TenantsFile, after: TenantsFile) -> None:
    """Refuse a change that makes another entry wrong; one that was wrong before stays so.

    Raises:
        ConfigError: The error of the first one.
    """

    def mistakes(file: TenantsFile) -> list[tuple[str | None, str]]:  # without the place, which moves
        return [(entry.slug, entry.error.what.partition(": ")[2]) for entry in file.refused]

    known = mistakes(before)
    for entry, mistake in zip(after.refused, mistakes(after), strict=True):
        if mistake not in known:
            raise entry.error


def _without_place(what: str) -> str:
    """The sentence without file and line: a caller over HTTP has neither."""
    return re.sub(r"^\S*\.check-\d+:\d+: ", "", what).replace(f".check-{os.getpid()}", "")
