"""Snapshots of what tenants' files say, so that a status of many tenants looks at their stamps and reads none of them.

A snapshot counts as long as every file that it was made of has the same time of change, size and inode. It is kept in
the table `snapshots` of ops.sqlite, with paths relative to the home, so that a copy of a home looks at its own files;
that of a tenants.yaml under its path. Losing them costs the next status a second.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config.slug import Slug, slug_of
from pipeline.errors import GataError, StateError
from pipeline.storage.ops import Ops
from server.orchestration.run_history.tenant_health import Payload, health_of, recorded_statuses

if TYPE_CHECKING:
    from pipeline.settings import Settings

Stamps = dict[str, list[int] | None]
"""By path, from the home where it is relative: time of change, size and inode; None where there is no such file."""


def known_statuses(settings: Settings) -> list[Payload]:
    """Per tenant: the run that readers see, the result of the last build, and the quarantined records.

    Raises:
        ConfigError: tenants.yaml is wrong.
        StateError: ops.sqlite cannot be read now.
    """
    refused: list[Payload] = []
    with Ops(settings.ops, is_read_only=True) as ops:
        kept = {
            row["tenant"]: (row["stamps"], row["content"]) for row in ops.connection.execute("select * from snapshots")
        }
        made: dict[str, tuple[str, str]] = {}
        home = str(settings.home.absolute())
        listed = _fitting(kept.get(_key_of(settings)), home)
        if listed is None:
            listed, refused = _list_tenants(settings, made)
        recorded = recorded_statuses(ops, [slug_of(slug) for slug, _ in listed])
        statuses = []
        for (text, status), (slug, known) in zip(listed, recorded.items(), strict=True):
            outputs = _fitting(kept.get(text), home) or _outputs_or_failure(settings, slug, made)
            statuses.append(health_of(slug, status, outputs, known, settings.day()))
        _keep(ops, made)
    return [*statuses, *refused]


def _key_of(settings: Settings) -> str:
    """The key of the snapshot of a tenants.yaml, which is no slug."""
    return f"* {settings.tenants.absolute()}"


def _fitting(snapshot: tuple[str, str] | None, home: str) -> Any:  # Any: JSON values
    """The content of a snapshot whose files are as they were; else None."""
    if snapshot is None:
        return None
    stamps = json.loads(snapshot[0])
    is_same = all(_stamp(f"{home}/{path}" if path[0] != "/" else path) == stamp for path, stamp in stamps.items())
    return json.loads(snapshot[1]) if is_same else None


def _list_tenants(settings: Settings, made: dict[str, tuple[str, str]]) -> tuple[list[list[str]], list[Payload]]:
    """Slug and status of every tenant of tenants.yaml, and the statuses of refused entries.

    Without refused ones a snapshot is made, with the stamps of its files and of the folders beside them.
    """
    from server.orchestration.build_context import open_build_context
    from server.orchestration.overview import refused_status

    context = open_build_context(settings)
    manifest, files = context.manifest, set(context.manifest.files)
    stamps = _stamps({path.absolute() for file in files for path in (file, *([file.parent] if len(files) > 1 else []))})
    listed = [[str(tenant.slug), str(tenant.status)] for tenant in manifest.tenants]
    if not manifest.refused:
        made[_key_of(settings)] = json.dumps(stamps), json.dumps(listed)
    return listed, [refused_status(context, entry) for entry in manifest.refused]


_UNKNOWN: Mapping[str, Any] = {  # Any: JSON values
    "run_id": None,
    "published_at": None,
    "findings": [],
    "notes": [],
    "details": [],
    "sources": [],
}
"""Outputs that cannot be read."""


def _outputs_or_failure(settings: Settings, slug: Slug, made: dict[str, tuple[str, str]]) -> Payload:
    """The outputs of a tenant; of one whose files cannot be read or looked at, the reason as a note."""
    from server.orchestration.isolation.boundary import attempt

    outputs = attempt(partial(_read_outputs, settings, slug, made), tenant=slug, step="status")
    return {**_UNKNOWN, "notes": [str(outputs)]} if isinstance(outputs, GataError) else outputs


def _read_outputs(settings: Settings, slug: Slug, made: dict[str, tuple[str, str]]) -> Payload:
    """What the files of a tenant say now, stamped before they are read: a later change makes a new snapshot."""
    from pipeline.publish.pointer import POINTER, latest_readable
    from server.orchestration.overview import read_outputs

    folder, stars = settings.published(slug), settings.stars(slug)
    notes = (stars.with_name(name) for name in ("built.json", "finished.json"))
    runs = (run for run in (latest_readable(folder),) if run)
    files = [path for run in runs for path in (folder / run, *sorted((folder / run).glob("*")))]
    stamps = _stamps([folder, folder / POINTER, stars, *notes, *files], home=settings.home)
    outputs = read_outputs(settings, slug)
    if not outputs["notes"]:  # what is damaged is looked at each time
        made[slug] = json.dumps(stamps), json.dumps(outputs)
    return outputs


def _keep(ops: Ops, made: Mapping[str, tuple[str, str]]) -> None:
    """Keep new snapshots; where that fails now, the next status makes them again."""
    if not made:
        return
    try:
        with ops.transaction() as connection:
            connection.executemany(
                "insert or replace into snapshots (tenant, stamps, content) values (?, ?, ?)",
                [(tenant, *snapshot) for tenant, snapshot in made.items()],
            )
    except StateError:
        return


def _stamps(paths: Iterable[Path], *, home: Path | None = None) -> Stamps:
    return {str(path.relative_to(home) if home else path): _stamp(str(path)) for path in paths}


def _stamp(path: str) -> list[int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  # of thousands of files: a Path costs more than the call
    except OSError:
        return None
    return [status.st_mtime_ns, status.st_size, status.st_ino]
