"""A person's own dbt on a tenant's generated project: files are written, the build lock is held, dbt does the rest."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprints
from pipeline.currency.exchange_rates import write_rates
from pipeline.errors import ConfigError, shorten
from pipeline.settings import Settings
from pipeline.storage.build_lock import build_lock
from warehouse.build.build_paths import projects_folder, star_paths
from warehouse.build.manual.shared_macros import write_shared_macros
from warehouse.projects.hub_projects import push_project
from warehouse.projects.star_project import star_project
from warehouse.run_dbt import write_project

Project = Literal["push", "stars"]
PROJECTS: tuple[Project, ...] = ("push", "stars")
_HELP = frozenset({"--help", "-h", "--version"})


def chosen_project(words: Sequence[str], slug: str) -> tuple[Project, tuple[str, ...]]:
    """The project that the first word names, `stars` where it is a command or an option of dbt; and dbt's arguments.

    Raises:
        ConfigError: It is neither a project nor dbt's.
    """
    from dbt.cli.main import cli

    first, *rest = words
    if first in PROJECTS:
        return cast("Project", first), tuple(rest)
    if first.startswith("-") or first in cli.commands:
        return "stars", tuple(words)
    raise ConfigError(f"{slug} has no dbt project named {shorten(first)!r}.", f"Choose one of: {', '.join(PROJECTS)}.")


def run_by_hand(
    tenant: Tenant,
    project: Project,
    arguments: Sequence[str],
    blueprints: Blueprints,
    settings: Settings,
    *,
    wait_seconds: float = 0.0,
) -> int:
    """Run dbt in a tenant's project as a person in its folder would; returns dbt's exit code.

    What dbt prints goes to stdout. The project is the one of tenants.yaml as it is now. Stars are built into the
    tenant's sandbox file, which no build reads.

    Raises:
        Busy: A build holds the lock after `wait_seconds`. `docs serve`, which only reads, does not need it.
        ConfigError: The tenant's rates file is wrong, or the state folder cannot be written.
    """
    if tuple(arguments[:2]) == ("docs", "serve") or _HELP.intersection(arguments):
        return run_in(projects_folder(settings, tenant.slug) / project, arguments)
    with build_lock(settings.home, wait_seconds=wait_seconds):
        return run_in(write_by_hand(tenant, project, blueprints, settings), arguments)


def write_by_hand(tenant: Tenant, project: Project, blueprints: Blueprints, settings: Settings) -> Path:
    """Write all that a project needs to run in its folder; returns the folder. The caller holds the build lock."""
    write_shared_macros(settings)
    folder = projects_folder(settings, tenant.slug) / project
    if project == "push":
        write_project(folder, push_project(tenant, blueprints))
        return folder
    if tenant.rates:
        write_rates(tenant, star_paths(settings, tenant.slug).rates)
    write_project(folder, star_project(tenant, blueprints))
    settings.sandbox(tenant.slug).parent.mkdir(parents=True, exist_ok=True)
    return folder


def run_in(folder: Path, arguments: Sequence[str]) -> int:
    """Run dbt in a project folder as it stands, in a process of its own; returns dbt's exit code."""
    command = [sys.executable, "-P", "-c", "from dbt.cli.main import cli; cli(prog_name='dbt')", *arguments]
    cwd = folder if folder.is_dir() else None  # a relative path of a profile is one of the working directory
    here = {"DBT_PROJECT_DIR": ".", "DBT_PROFILES_DIR": "."} if cwd else {}
    sys.stdout.flush()
    return subprocess.run(command, cwd=cwd, env=os.environ | here, check=False).returncode  # noqa: S603  # dbt itself
