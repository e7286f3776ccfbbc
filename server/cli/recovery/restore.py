"""Verb that restores a backup."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from server.cli.options import AsJson, Wait, read_command_settings


def restore(  # noqa: PLR0917  # the options of a verb
    backup: Annotated[
        Path, typer.Argument(metavar="BACKUP", help="One backup, or a folder of backups: then its newest.")
    ],
    home: Annotated[
        Path | None, typer.Option("--home", metavar="H", help="The state folder to make; GATA_HOME when left out.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="A state folder that is there is removed once the restored one is whole.")
    ] = False,
    erasures: Annotated[
        list[Path] | None,
        typer.Option(
            "--erasures",
            metavar="PATH",
            help="A later folder of backups, state folder or erasures.jsonl: who was forgotten since. May be repeated.",
        ),
    ] = None,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Restore a backup as the state folder: verified byte by byte, in one step, without whoever was forgotten since.

    Stop servers before --replace. tenants.yaml stays as it is; as it was it lies in the backup, below config/.
    """
    settings = read_command_settings()
    from server.cli.output.progress import show_file_progress
    from server.cli.output.stdout import print_json, print_text, stdout_for_answers
    from server.orchestration.recovery.restore import restore as restore_backup

    if home is not None:
        settings = settings.model_copy(update={"home": home})
    with stdout_for_answers(), show_file_progress("restore") as progress:
        done = restore_backup(
            backup, settings, replace=replace, erasures=erasures or (), wait_seconds=wait, progress=progress
        )
    count, size = len(done.manifest.files), done.manifest.bytes
    if as_json:
        found = {"home": str(settings.home), "backup": str(done.backup), "files": count, "bytes": size}
        print_json({**found, "erasures": done.erasures, "erased": done.erased})
        return
    print_text(
        f"{settings.home} is {done.backup.name} of {done.manifest.created_at:%Y-%m-%d %H:%M} UTC: {count:,} files."
    )
    if done.erasures:
        print_text(f"Forgotten since, and again now: {done.erasures:,}, of which {done.erased:,} had data in it.")
