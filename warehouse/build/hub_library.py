"""The library of the hub: the sinks, ledgers, blueprints and reference tables that a push needs."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pipeline.contracts.registry import Blueprints
from pipeline.settings import Settings
from pipeline.storage.build_memory import duckdb_memory
from pipeline.storage.disk import holds, replace_text
from pipeline.storage.hub import read_hub
from warehouse.build.manual.shared_macros import write_shared_macros
from warehouse.projects.hub_projects import library_project
from warehouse.projects.properties.hub_properties import platform_properties
from warehouse.projects.reference_tables import reference_files
from warehouse.run_dbt import Node, refuse_failures, run_dbt, write_project

MODELS = Path(__file__).parent.parent / "models"
"""Two folders: `platform` (keys, satellites, operations) and `observability` (what dbt did)."""


def prepare_hub(blueprints: Blueprints, settings: Settings) -> tuple[Node, ...]:
    """Create or update the tables of the hub's library; returns dbt's nodes, empty where nothing changed.

    Raises:
        LandError: Another process has the hub open.
        BuildError: dbt failed, or a reference table fails a test.
    """
    write_shared_macros(settings)
    files = library_project(blueprints, platform_models(), reference_files())
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
    folder, done = settings.home / "dbt" / "_library", settings.home / "dbt" / "_library.sha256"
    tables = {Path(path).stem for path in files if path.startswith(("models/", "seeds/")) and not path.endswith(".yml")}
    if _has_tables(settings, tables) and holds(done, digest):
        return ()
    write_project(folder, files)
    nodes = run_dbt(folder, ("build",), files={"GATA_HUB_FILE": settings.hub}, memory=duckdb_memory(settings))
    refuse_failures(nodes, of="library")
    replace_text(done, digest)
    return nodes


def platform_models() -> dict[str, str]:
    """The models of the hub that are written by hand, and what declares them, by file name."""
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted(MODELS.glob("*/*"), key=lambda path: path.name)
        if path.suffix in (".sql", ".yml") and path.name not in platform_properties()
    }


def _has_tables(settings: Settings, names: set[str]) -> bool:
    if not settings.hub.exists():
        return False
    with read_hub(settings) as hub:
        found = hub.execute("select table_name from information_schema.tables where table_schema = 'main'").fetchall()
    return names <= {name for (name,) in found}
