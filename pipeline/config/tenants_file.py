"""The tenants file: `load_tenants` reads tenants.yaml, its includes and its defaults into frozen tenants."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from pipeline.config.accounts import Account, Read
from pipeline.config.entry import Entry, merge
from pipeline.config.slug import Slug
from pipeline.config.source import Source
from pipeline.config.tenant import DEFAULT_FUNNEL, Tenant, read_tenant
from pipeline.config.yaml_file import read_yaml
from pipeline.contracts.connector import Connector
from pipeline.errors import ConfigError, shorten, suggest

__all__ = [
    "DEFAULT_FUNNEL",
    "Account",
    "Read",
    "Source",
    "Tenant",
    "TenantsFile",
    "check_ready",
    "load_tenants",
]


@dataclass(frozen=True)
class TenantsFile:
    """Every tenant, sorted by slug, and the location of each."""

    tenants: tuple[Tenant, ...]
    path: Path
    locations: Mapping[Slug, str]
    """Slug to "file:line"."""

    @property
    def active(self) -> tuple[Tenant, ...]:
        return tuple(tenant for tenant in self.tenants if tenant.status == "active")

    def get(self, slug: str) -> Tenant:
        """The tenant of a slug.

        Raises:
            ConfigError: There is none; names the nearest slugs.
        """
        for tenant in self.tenants:
            if tenant.slug == slug:
                return tenant
        known = [tenant.slug for tenant in self.tenants]
        raise ConfigError(f"{self.path} has no tenant named {shorten(slug)!r}.", suggest(slug, known))


def load_tenants(path: Path, catalog: Mapping[str, Connector]) -> TenantsFile:
    """Every tenant of tenants.yaml and the files it includes, all of it checked. Touches nothing.

    Raises:
        ConfigError: Something is wrong; names file, line, the wrong value and the nearest valid one.
    """
    root = read_yaml(path, if_missing=_how_to_begin(path))
    top = root.fields(("tenants", "include", "defaults"))
    if "tenants" not in top and "include" not in top:
        raise root.wrong(f"{root.name} has neither tenants nor include.", "Write tenants: and a list of them.")
    defaults = top.get("defaults")
    if defaults and "slug" in defaults.mapping():
        raise defaults.mapping()["slug"].wrong("defaults has a slug.", "Remove it: a slug belongs to one tenant.")
    tenants: dict[Slug, Tenant] = {}
    locations: dict[Slug, str] = {}
    for entry in declared_tenants(root):
        tenant = read_tenant(merge(defaults, entry) if defaults else entry, catalog)
        if tenant.slug in tenants:
            raise entry.required("slug").wrong(
                f"The slug {tenant.slug!r} is already taken at {locations[tenant.slug]}.", "Choose another slug."
            )
        tenants[tenant.slug], locations[tenant.slug] = tenant, entry.location
        if tenant.status == "active":
            check_ready(tenant, catalog, location=entry.location)
    return TenantsFile(tuple(tenants[slug] for slug in sorted(tenants)), path, locations)


def _how_to_begin(path: Path) -> str:
    """The command that writes a first tenants.yaml at a path where there is none."""
    if path.name != "tenants.yaml":
        return "Run `gata init`, which writes a first tenants.yaml, or set GATA_TENANTS to a file that is there."
    folder = "" if path.parent == Path() else f" {shlex.quote(str(path.parent))}"
    return f"Run `gata init{folder}`, which writes a first one, or set GATA_TENANTS to another file."


def check_ready(tenant: Tenant, catalog: Mapping[str, Connector], *, location: str) -> None:
    """Check that a tenant can be built: a source of every domain it has, and only connectors that exist.

    Raises:
        ConfigError: Names the missing domain, or the connector, and the ones available.
    """
    built = [connector for connector in catalog.values() if connector.is_built]
    for source in tenant.enabled:
        if not catalog[source.platform].is_built:
            raise ConfigError(
                f"{location}: {tenant.slug} enables {source.platform}, which is not built yet.",
                f"Write enabled: false, or choose one of: {', '.join(connector.name for connector in built)}.",
            )
    enabled = {source.domain for source in tenant.enabled}
    present = [domain for domain in tenant.domains if domain in enabled]
    for domain in tenant.domains:
        if domain not in enabled:
            names = " or ".join(connector.name for connector in built if connector.domain == domain)
            fewer = f"say that it has none (domains: [{', '.join(present)}]), " if present else ""
            raise ConfigError(
                f"{location}: {tenant.slug} has no enabled {domain} source.",
                f"Enable {names}, {fewer}or write status: pending.",
            )


def declared_tenants(root: Entry) -> Iterator[Entry]:
    """The entries of all tenants: those of the file itself, then those of the files it includes, by name."""
    yield from _tenant_entries(root)
    for file in _included(root):
        included = read_yaml(file)
        included.fields(["tenants"])
        included.required("tenants")
        yield from _tenant_entries(included)


def _tenant_entries(file: Entry) -> list[Entry]:
    return file.mapping()["tenants"].items() if "tenants" in file.mapping() else []


def _included(root: Entry) -> list[Path]:
    """The files that the include patterns name, relative to the file that includes, each once."""
    folder = root.file.parent
    files: set[Path] = set()
    for item in root.mapping()["include"].one_or_many() if "include" in root.mapping() else ():
        pattern = item.text(length=1000)
        matches = {folder / name for name in glob(pattern, root_dir=folder, recursive=True)}  # noqa: PTH207  # absolute ones too
        if not matches:
            raise item.wrong(f"include names no file: {pattern!r}.", "Correct the path; it starts from this file.")
        if root.file in matches:
            raise item.wrong(f"include names this file itself: {pattern!r}.", "Name the other files only.")
        files |= matches
    return sorted(files)
