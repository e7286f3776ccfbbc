"""Options that several verbs share, each described once; and the settings of the process, read once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="One line of JSON instead of tables.")]
Tenants = Annotated[
    list[str] | None,
    typer.Option("--tenant", metavar="SLUG", help="Only this tenant; may be repeated. Left out: all active ones."),
]
Asked = Annotated[
    str | None, typer.Option("--tenant", metavar="SLUG", help="The tenant to ask; GATA_TENANT when left out.")
]
Wait = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for another build to end.")
]
Search = Annotated[str | None, typer.Option("--search", metavar="TEXT", help="Only what contains this text.")]


def open_door() -> Settings:
    """Let events go to stderr and read the environment: the first thing a verb does.

    Raises:
        ConfigError: A GATA_ variable has a value it cannot have.
    """
    from pipeline.log import configure_log
    from pipeline.settings import read_settings

    configure_log()
    return read_settings()
