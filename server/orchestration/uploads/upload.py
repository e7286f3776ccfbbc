"""Upload of a tenant's own file: checked, then put under its name into the folder that a source of the tenant reads."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.errors import QueryError, Taken
from pipeline.ingest.recognition.checked_file import CheckedFile
from pipeline.ingest.recognition.folder import is_meant
from pipeline.ingest.recognition.recognise import listed
from pipeline.regular_file import open_regular
from pipeline.settings import Settings
from pipeline.storage.disk import sync
from server.orchestration.build_context import BuildContext, open_build_context
from server.orchestration.uploads.file_check import checked_files, report_of

Payload = dict[str, Any]  # Any: JSON values

MOST_FILES = 10_000
"""Files of a folder from which on it takes no more uploads."""


def upload(sent: Path, name: str, slug: Slug, settings: Settings) -> tuple[Payload, bool]:
    """Check a file that was sent and put it where its source reads it; the next build lands it.

    Args:
        sent: The file, under its own name, in a folder of its own.
        name: The name under which it is kept.

    Returns:
        The report on it, and whether it is new. The same content again changes nothing.

    Raises:
        QueryError: The tenant has no folder for uploads, or no record of the file would land; nothing is kept.
        Taken: Another file lies there under the name.
    """
    context = open_build_context(settings)
    tenant = context.manifest.get(slug)
    folders = upload_folders(tenant)
    checked = checked_files([sent], context.blueprints, workers=1)
    folder = _folder_for(checked[sent], folders)
    kept, is_new = _keep(sent, name, folder)
    report = _report(checked, context, sent, name)
    return {"file": kept, "is_new": is_new, "report": report["files"]}, is_new


def upload_folders(tenant: Tenant) -> dict[Path, frozenset[str]]:
    """The folders that the tenant's sources read file by file -> the platforms that read each.

    Raises:
        QueryError: There is none.
    """
    folders: dict[Path, set[str]] = {}
    for source in tenant.enabled:
        for account in source.accounts:
            if account.read.folder is not None and account.read.kind == "files":
                folders.setdefault(Path(account.read.folder), set()).add(source.platform)
    if not folders:
        raise QueryError(
            "There is no folder for uploads here.",
            "Ask whoever runs gata for a source with `read: {kind: files, folder: ...}`.",
        )
    return {folder: frozenset(platforms) for folder, platforms in folders.items()}


def _folder_for(files: Sequence[CheckedFile], folders: dict[Path, frozenset[str]]) -> Path:
    """The one folder whose sources read every file that was sent: one, or those of an archive."""
    for file in files:
        if file.reason is not None:
            raise QueryError(f"{file.name} is not taken: {file.reason}.", file.fix or "Leave it out.")
    fitting = [
        folder
        for folder, platforms in folders.items()
        if all(sum(platform in platforms for platform, _ in file.recognition.candidates) == 1 for file in files)
    ]
    if len(fitting) == 1:
        return fitting[0]
    named = listed(list(dict.fromkeys(name for file in files for name in file.recognition.candidates)))
    if fitting:
        raise QueryError(f"It is {named}, which several folders take.", "Ask whoever runs gata for one folder of each.")
    raise QueryError(
        f"It is {named}, and no source here reads files of it from a folder of its own.",
        "Ask whoever runs gata to enable that source, or send a file of one that is.",
    )


def _keep(sent: Path, name: str, folder: Path) -> tuple[str, bool]:
    """Put a file into a folder in one step; its name there, and whether its content is new.

    Raises:
        Taken: Another file has the name.
        QueryError: The folder is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    others = [path for path in folder.iterdir() if path.is_file() and is_meant(path.name)]
    digest, size = _sha256(sent), sent.stat().st_size
    for other in others:
        with suppress(OSError):  # a link out of the folder, or a file that may not be read, is not that of the sender
            if other.stat().st_size == size and _sha256(other, inside=folder) == digest:
                return other.name, False
    if len(others) >= MOST_FILES:
        raise QueryError(f"The folder holds {len(others)} files already.", "Ask whoever runs gata to make room.")
    draft = folder / f".{secrets.token_hex(8)}.part"  # hidden and unfinished: no build reads it
    try:
        with sent.open("rb") as content, draft.open("xb") as copy:
            while part := content.read(1 << 20):
                copy.write(part)
        sync(draft)
        os.link(draft, folder / name)  # fails where the name is taken: nothing is overwritten, links are not followed
    except FileExistsError as error:
        raise Taken(f"There is another file named {name!r}.", "Send it under a name of its own.") from error
    finally:
        draft.unlink(missing_ok=True)
    sync(folder)
    return name, True


def _report(checked: dict[Path, list[CheckedFile]], context: BuildContext, sent: Path, name: str) -> Payload:
    names = {file.path: str(Path(name, file.path.relative_to(sent))) for file in checked[sent]}
    return report_of(checked, context.catalog, sent.parent, names)


def _sha256(path: Path, *, inside: Path | None = None) -> str:
    with open_regular(path, inside=inside) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
