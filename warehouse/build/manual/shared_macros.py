"""Copies of gata's macros in the state folder, with which a person's dbt runs a generated project."""

from __future__ import annotations

from pathlib import Path

from pipeline.settings import Settings
from warehouse.projects.profiles import SHARED
from warehouse.projects.properties.macro_headers import macro_headers, macro_properties
from warehouse.projects.properties.property_file import generated_yaml
from warehouse.run_dbt import ENGINES, MACROS, write_project

_SHIPPED = {"GATA_MACROS": MACROS, "GATA_ENGINES": ENGINES}


def write_shared_macros(settings: Settings) -> None:
    """Make the copies those of this installation; builds read the shipped files themselves."""
    for variable, name in SHARED.items():
        write_project(settings.home / "dbt" / name, macro_files(_SHIPPED[variable]))


def macro_files(folder: Path) -> dict[str, str]:
    """The macros of a folder by path, and their descriptions as dbt reads them."""
    files = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.sql"))
    }
    headers = [header for text in files.values() for header in macro_headers(text)]
    return files | {"macros.yml": generated_yaml(macro_properties(headers))}
