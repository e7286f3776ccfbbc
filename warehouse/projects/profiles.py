"""profiles.yml and the defaults of paths: a generated project runs with a person's own dbt as it stands.

Every default is relative to the project, so that the state folder can move. A build sets the variables itself.
"""

from __future__ import annotations

from pipeline.config.slug import Slug
from pipeline.publish.run_store import STAR_STORAGE_VERSION
from pipeline.storage.hub import STORAGE_VERSION, WRITING
from warehouse.projects.properties.property_file import GENERATED

SHARED = {"GATA_MACROS": "_macros", "GATA_ENGINES": "_engines"}
"""By the variable that moves it: the folder of all projects' copy of macros that ship with gata."""
PROPERTIES, BRIEF, FULL = "GATA_PROPERTIES", "properties/build", "properties/full"
"""A variable and its two values: dbt's property files with what a build tests, and with all descriptions and tests."""
SANDBOX, DEV = "sandbox", "dev"
"""The targets: a DuckDB file, which builds use too; MotherDuck."""
SANDBOX_FILE = "sandbox.duckdb"
"""The tenant's star as a person's dbt builds it: a build never reads or writes it."""
DEV_HUB = "hub"


def from_environment(variable: str, default: str) -> str:
    """A value of a dbt file: an environment variable, or its default."""
    return f"\"{{{{ env_var('{variable}', '{default}') }}}}\""


def hub_profile(name: str, *, home: str) -> str:
    """profiles.yml of a project that writes the hub, with payloads compressed to a seventeenth of their size.

    Args:
        home: The state folder, relative to the project.
    """
    settings = ", ".join(f"{option}: {value}" for option, value in WRITING.items())
    return f"""# {GENERATED}
{name}:
  target: {SANDBOX}
  outputs:
    {SANDBOX}:
      type: duckdb
      path: {from_environment("GATA_HUB_FILE", f"{home}/hub.duckdb")}
      threads: 1
      config_options: {{storage_compatibility_version: {STORAGE_VERSION}}}
      settings: {{{settings}}}
    {DEV}:
      type: duckdb
      path: {from_environment("GATA_DEV_HUB", f"md:{DEV_HUB}")}
      threads: 1
"""


def star_profile(name: str, slug: Slug, *, home: str) -> str:
    """profiles.yml of a star project: a file of the tenant, with the hub attached read-only.

    Args:
        home: The state folder, relative to the project.
    """
    threads = "\"{{ env_var('GATA_THREADS', '2') | as_number }}\""
    return f"""# {GENERATED}
{name}:
  target: {SANDBOX}
  outputs:
    {SANDBOX}:
      type: duckdb
      path: {from_environment("GATA_STARS_FILE", f"{home}/tenants/{slug}/{SANDBOX_FILE}")}
      attach:
        - path: {from_environment("GATA_HUB_FILE", f"{home}/hub.duckdb")}
          alias: hub
          read_only: true
      threads: {threads}
      config_options: {{storage_compatibility_version: {STAR_STORAGE_VERSION}}}
      settings:
        TimeZone: UTC
        threads: {threads}
        preserve_insertion_order: false
    {DEV}:
      type: duckdb
      path: {from_environment("GATA_DEV_STARS", f"md:stars_{slug}")}
      attach:
        - path: {from_environment("GATA_DEV_HUB", f"md:{DEV_HUB}")}
      threads: {threads}
      settings:
        TimeZone: UTC
"""
