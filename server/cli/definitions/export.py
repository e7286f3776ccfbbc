"""Verb that writes the definitions of a published run for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import ConfigError
from server.cli.options import AskedTenant, read_command_settings

FOLDER = Path("static/tenants")
"""Where exports go unless another place is named."""
STDOUT = "-"


def export(
    tenant: AskedTenant = None,
    format: Annotated[  # noqa: A002  # the option's name
        str, typer.Option("--format", metavar="NAME", help="bsl, json or ossie.")
    ] = "json",
    output: Annotated[
        str | None,
        typer.Option("--output", metavar="FILE", help=f"A file, a folder, or - for stdout; {FOLDER}/ when left out."),
    ] = None,
) -> None:
    """Write the definitions of the newest published run as other programs read them, without any data.

    bsl: models of Boring Semantic Layer. json: the catalog, its JSON Schema beside it. ossie: Apache Ossie, formerly
    Open Semantic Interchange.
    """
    settings = read_command_settings()
    from semantic.interchange.formats import exported_files, read_format
    from server.cli.ask import run_of
    from server.cli.output.stdout import print_text

    chosen = read_format(format)
    with run_of(tenant, settings) as run:
        files = exported_files(settings.published(run.slug) / run.run_id, chosen)
    if output == STDOUT:
        print_text(next(iter(files.values())).removesuffix("\n"))
        return
    print_text("\n".join(f"Wrote {path}." for path in _write(files, output)))


def _write(files: Mapping[str, str], output: str | None) -> list[Path]:
    """Write the files, and return where; a file that was named takes the document, others go beside it."""
    from pipeline.storage.disk import replace_text

    place = FOLDER if output is None else Path(output)
    is_folder = output is None or output.endswith("/") or place.is_dir()
    names = [place / name for name in files] if is_folder else [place, *(place.parent / name for name in [*files][1:])]
    try:
        for path, text in zip(names, files.values(), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_text(path, text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"{place} cannot be written: {reason}.", "Name another place with --output.") from error
    return names
