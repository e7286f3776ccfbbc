"""Verb that runs dbt in a tenant's project."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from server.cli.options import Wait, read_command_settings


def dbt(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant, as tenants.yaml names it.")],
    words: Annotated[
        list[str],
        typer.Argument(metavar="[stars|push] -- ARGS", help="The project, stars when left out; then dbt's arguments."),
    ],
    wait: Wait = 0.0,
) -> None:
    """Run dbt in a tenant's generated project, from anywhere: build, test, ls, show, docs generate, docs serve.

    Stars are built into a sandbox file of the tenant; what builds publish stays as it is. No build runs meanwhile.
    Exit code of dbt: 0 done, 1 a model or test failed, 2 dbt could not run.
    """
    settings = read_command_settings(is_silent=True)
    from pipeline.extras import require_extra

    require_extra("build", "Running dbt")
    from server.orchestration.build_context import open_build_context
    from warehouse.build.manual.by_hand import chosen_project, run_by_hand

    context = open_build_context(settings)
    (chosen,) = context.select([tenant]).tenants
    project, arguments = chosen_project(words, chosen.slug)
    code = run_by_hand(chosen, project, arguments, context.blueprints, settings, wait_seconds=wait)
    if code and not settings.hub.exists():
        sys.stderr.write(f"There is no hub yet: run `gata build --tenant {chosen.slug}` first.\n")
    raise typer.Exit(code)
