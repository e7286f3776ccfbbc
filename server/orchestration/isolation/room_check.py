"""The first step of a build: the tenants that the disk has no room for are refused, before anything is written."""

from __future__ import annotations

import duckdb

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.errors import LandError
from pipeline.storage.hub import kept_open
from server.orchestration.build_command import BuildCommand
from server.orchestration.isolation.room import bytes_needed, hub_needs, no_room
from server.orchestration.publishing import read_published_star
from warehouse.build.inputs import star_inputs


def check_room(command: BuildCommand) -> None:
    """Refuse the tenants that the disk has no room for, in their order, before anything is written.

    Raises:
        NoRoom: It has room for none of those that need some.
    """
    settings = command.context.settings
    free = command.context.free_bytes(settings.home)
    needs: dict[Slug, int] = {}
    with kept_open(settings):
        for tenant in command.open:
            with command.check(tenant, "room"):
                needs[tenant.slug] = bytes_needed(tenant, settings, is_changed=_is_changed(command, tenant))
    wanting = [tenant for tenant in command.open if needs[tenant.slug]]
    left = free - hub_needs(settings)
    if wanting and all(needs[tenant.slug] > left for tenant in wanting):
        smallest = min(needs[tenant.slug] for tenant in wanting)
        raise no_room("The build", hub_needs(settings) + smallest, free, settings.home)
    for tenant in wanting:
        with command.check(tenant, "room"):
            if needs[tenant.slug] > left:
                raise no_room(f"The build of {tenant.slug}", needs[tenant.slug], left, settings.home)
            left -= needs[tenant.slug]


def _is_changed(command: BuildCommand, tenant: Tenant) -> bool:
    """Whether a tenant's star is rebuilt without any new export, as far as that is known before the build."""
    settings = command.context.settings
    built = read_published_star(settings, tenant.slug)
    if built is None or command.is_full or not settings.hub.is_file():
        return True
    try:
        return built.inputs != star_inputs(tenant, command.context.blueprints, settings)
    except (LandError, duckdb.Error):  # the hub cannot be read, which the next step says
        return True
