"""Where builds keep their generated projects and files in the state folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.config.slug import Slug
from pipeline.settings import Settings


@dataclass(frozen=True)
class BuildPaths:
    """Where a star is built: the folder of its dbt project, and its file."""

    project: Path
    file: Path

    @property
    def rates(self) -> Path:
        """What the project reads the tenant's exchange rates from, where it has any."""
        return self.project.with_name(f"{self.project.name}_rates.parquet")


def projects_folder(settings: Settings, slug: Slug) -> Path:
    """Where a tenant's generated dbt projects live."""
    return settings.home / "dbt" / slug


def star_paths(settings: Settings, slug: Slug) -> BuildPaths:
    """Where the star of a tenant is built that builds publish."""
    return BuildPaths(projects_folder(settings, slug) / "stars", settings.stars(slug))
