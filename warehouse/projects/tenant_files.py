"""Every generated file of a tenant: its push project and its star project."""

from __future__ import annotations

from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprints
from warehouse.projects.hub_projects import push_project
from warehouse.projects.star_project import star_project


def onboard_files(tenant: Tenant, blueprints: Blueprints) -> dict[str, str]:
    """Every generated file of a tenant, by its path below `projects`."""
    push_files, star_files = push_project(tenant, blueprints), star_project(tenant, blueprints)
    return {f"push/{path}": text for path, text in push_files.items()} | {
        f"stars/{path}": text for path, text in star_files.items()
    }
