"""Verb that begins an installation: writes a tenants.yaml to edit, and the folder its exports go into."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.options import AsJson, read_command_settings

if TYPE_CHECKING:
    from pipeline.settings import Settings

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write; this folder when left out.")]


def init(folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Write a first tenants.yaml, with comments, and the folder its exports go into. Overwrites nothing."""
    settings = read_command_settings()
    from pipeline.config.connector_catalog import load_catalog
    from pipeline.config.starter import EXPORTS, SLUG, starter_text
    from server.cli.output.stdout import print_json, print_text

    file, exports = folder / "tenants.yaml", folder / EXPORTS
    write_new(file, exports, starter_text(load_catalog()))
    if as_json:
        print_json({"tenants": str(file), "exports": str(exports), "tenant": SLUG})
        return
    print_text(f"{file}\n{exports}/")
    print_text(f"Put an export of Shopify's orders into {exports}/, such as orders.jsonl or orders.csv. Then:")
    print_text(f"  {next_command(settings, file)}")


def write_new(file: Path, exports: Path, text: str) -> None:
    """Write a new file, and create the folder of its exports.

    Raises:
        Taken: The file exists.
        ConfigError: It cannot be written.
    """
    from pipeline.errors import ConfigError, Taken

    if file.exists():
        raise _taken(file)
    try:
        exports.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as new:
            new.write(text)
    except FileExistsError as error:
        if file.exists():
            raise _taken(file) from error
        raise Taken(f"{exports} is there, and is no folder.", "Move it away, or name another folder.") from error
    except OSError as error:
        raise ConfigError(
            f"{error.filename} cannot be written: {error.strerror}.", "Make it writable, or name another folder."
        ) from error


def _taken(file: Path) -> Exception:
    from pipeline.errors import Taken

    return Taken(
        f"There is a file {file} already.", "Edit it, or name another folder: `gata init FOLDER`. Nothing was written."
    )


def next_command(settings: Settings, file: Path) -> str:
    """The command that builds from the file; where GATA_TENANTS is set, it names another one and is overridden."""
    if "tenants" in settings.model_fields_set:
        return f"GATA_TENANTS={shlex.quote(str(file))} gata build"
    return "gata build" if file.parent == Path() else f"cd {shlex.quote(str(file.parent))} && gata build"
