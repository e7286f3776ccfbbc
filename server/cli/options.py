"""Options shared by verbs, the settings of a command, and the tenant that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipeline.config.slug import Slug
    from pipeline.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="One line of JSON instead of tables.")]
Tenants = Annotated[
    list[str] | None,
    typer.Option("--tenant", metavar="SLUG", help="Only this tenant; may be repeated. Left out: all active ones."),
]
AskedTenant = Annotated[
    str | None, typer.Option("--tenant", metavar="SLUG", help="The tenant to ask; GATA_TENANT when left out.")
]
Wait = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to wait for another build to end.")
]
Search = Annotated[str | None, typer.Option("--search", metavar="TEXT", help="Only what contains this text.")]


def read_command_settings() -> Settings:
    """Send events to stderr and read the environment: the first step of every verb.

    Raises:
        ConfigError: A GATA_ variable has a value it cannot have.
    """
    from pipeline.log import configure_log
    from pipeline.settings import read_settings

    configure_log()
    return read_settings()


def chosen_tenant(slug: str | None, settings: Settings) -> Slug:
    """The tenant that was named, here or by GATA_TENANT.

    tenants.yaml is read only where the tenant has no published run: then its name is most likely misspelt.

    Raises:
        ConfigError: None was named, or there is no such tenant; names the nearest.
    """
    from pipeline.config.slug import slugs_among

    name = slug or settings.tenant
    for known in slugs_among([name] if name else ()):
        if settings.published(known).is_dir():
            return known

    from pipeline.errors import ConfigError
    from server.orchestration.build_context import open_build_context

    manifest = open_build_context(settings).manifest
    if name is None:
        names = ", ".join(tenant.slug for tenant in manifest.tenants)
        raise ConfigError("No tenant is named.", f"Name one with --tenant, or set GATA_TENANT: {names}.")
    return manifest.get(name).slug
