"""Verb that makes and verifies backups."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.options import AsJson, Wait, read_command_settings

if TYPE_CHECKING:
    from pipeline.settings import Settings

KEPT_BACKUPS = 7


def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where backups are kept; best on another disk.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Make none; compare every byte of those that are there.")
    ] = False,
    keep: Annotated[int, typer.Option("--keep", min=1, metavar="N", help="How many backups stay.")] = KEPT_BACKUPS,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Back up the state folder and tenants.yaml, while servers go on; builds wait until it is done.

    Each backup is whole; what did not change since the one before takes no room. It has hashes of
    tokens, and no exports. With --verify exit 2 says that one is damaged.
    """
    settings = read_command_settings()
    if verify:
        _verify(folder, as_json=as_json)
    else:
        _make(settings, folder, keep, wait, as_json=as_json)


def _make(settings: Settings, folder: Path, keep: int, wait: float, *, as_json: bool) -> None:
    from server.cli.output.progress import show_file_progress
    from server.cli.output.stdout import print_json, print_text
    from server.orchestration.recovery.backup import make_backup

    with show_file_progress("backup") as progress:
        made = make_backup(settings, folder, keep=keep, wait_seconds=wait, progress=progress)
    count, size = len(made.manifest.files), made.manifest.bytes
    if as_json:
        copied = {"files": made.copied_files, "bytes": made.copied_bytes}
        found = {"backup": str(made.folder), "files": count, "bytes": size, "copied": copied}
        print_json({**found, "removed": made.removed, "left_out": made.unknown})
        return
    print_text(f"{made.folder}: {count:,} files, {size:,} bytes; {made.copied_bytes:,} of them copied now.")
    for name in made.unknown:
        print_text(f"Not in it, because it is not gata's: {name}.")


def _verify(folder: Path, *, as_json: bool) -> None:
    from pipeline.errors import RecoveryError
    from server.cli.output.stdout import print_json, print_text
    from server.orchestration.recovery.backup_manifest import newest_backup, verified, whole_backups

    newest_backup(folder)
    results = {path.name: verified(path) for path in whole_backups(folder)}
    if as_json:
        print_json({"backups": [{"backup": name, "damage": damage} for name, damage in results.items()]})
    for name, damage in results.items() if not as_json else ():
        print_text(f"{name}: damaged: {'; '.join(damage)}." if damage else f"{name}: whole.")
    if damaged := [name for name, damage in results.items() if damage]:
        raise RecoveryError(
            f"Damaged: {', '.join(damaged)}.", "Remove them once another is whole, and run `gata backup` again."
        )
