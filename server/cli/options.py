"""Options shared by verbs, the settings of a command, and the tenant that it names."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipeline.config.layers.configuration import Configuration
    from pipeline.config.slug import Slug
    from pipeline.settings import Settings

COMMAND_OPTIONS: ContextVar[Mapping[str, object]] = ContextVar("command_options", default=MappingProxyType({}))
"""The settings that the options before the verb set; typer hands nothing down from them to a verb."""
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


def command_options(env: str | None, assignments: list[str]) -> dict[str, object]:
    """The settings that the options before a verb set: `--env NAME` and `--set NAME=VALUE`, or NAME.PART=VALUE.

    Raises:
        ConfigError: An assignment is none.
    """
    from pipeline.errors import ConfigError

    found: dict[str, Any] = {}  # Any: texts, and mappings of parts
    for assignment in assignments:
        name, sign, value = assignment.partition("=")
        *above, last = name.strip().removeprefix("GATA_").lower().split(".")
        inner = found
        for part in above:
            inner = inner.setdefault(part, {}) if isinstance(inner, dict) else inner
        if not sign or not last or not isinstance(inner, dict):
            raise ConfigError(f"--set {assignment!r} sets nothing.", "Write NAME=VALUE, such as --set threads=4.")
        inner[last] = value
    return found if env is None else {**found, "env": env}


def read_command_configuration() -> Configuration:
    """The settings of this command, with the layers that they come from.

    Raises:
        ConfigError: A file, a GATA_ variable or an option is wrong.
    """
    from pipeline.config.layers.configuration import read_configuration

    return read_configuration(COMMAND_OPTIONS.get())


def read_command_settings(*, is_silent: bool = False) -> Settings:
    """Send events to stderr and to log files, and read the configuration: the first step of every verb.

    Args:
        is_silent: The verb logs nothing as a rule; the first event of another one configures the log.

    Raises:
        ConfigError: A file, a GATA_ variable or an option is wrong.
    """
    from pipeline.bug_reports import event_logger
    from pipeline.log_files import log_to_files

    configuration = read_command_configuration()
    log_to_files(configuration.settings.event_files)
    if not is_silent:
        from pipeline.log import configure_log

        configure_log()
    for variable, where in configuration.overruled_variables():
        event_logger().warning("variable_overruled", variable=variable, by=where)
    return configuration.settings


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
