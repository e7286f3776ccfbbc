"""Paths of generated dbt projects and star files in the state folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.config.slug import Slug
from pipeline.settings import Settings


@dataclass(frozen=True)
class BuildPaths:
    """The paths of one star build: the folder of its dbt project, and the star file."""

    project: Path
    file: Path

    @property
    def rates(self) -> Path:
        """The file that the project reads the tenant's exchange rates from, where it has any."""
        return self.project.with_name(f"{self.project.name}_rates.parquet")


def projects_folder(settings: Settings, slug: Slug) -> Path:
    """The folder of a tenant's generated dbt projects."""
    return settings.home / "dbt" / slug


def star_paths(settings: Settings, slug: Slug) -> BuildPaths:
    """The paths of the tenant's own star, which builds publish."""
    return BuildPaths(projects_folder(settings, slug) / "stars", settings.stars(slug))
