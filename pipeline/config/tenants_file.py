"""The tenants file: `load_tenants` reads tenants.yaml, its includes and its defaults into frozen tenants."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from glob import glob
from pathlib import Path

from pipeline.config.accounts import Account, Read
from pipeline.config.entry import Entry, merge
from pipeline.config.slug import Slug, slugs_among
from pipeline.config.source import Source
from pipeline.config.tenant import DEFAULT_FUNNEL, Tenant, read_tenant
from pipeline.config.yaml_file import read_yaml
from pipeline.contracts.connector import Connector
from pipeline.errors import ConfigError, shorten, suggest
from pipeline.regular_file import open_regular

__all__ = [
    "DEFAULT_FUNNEL",
    "Account",
    "Read",
    "RefusedEntry",
    "Source",
    "Tenant",
    "TenantsFile",
    "check_ready",
    "configuration_files",
    "load_tenants",
]

_SLUG_IN_TEXT = re.compile(rb"""\bslug:[ \t]*['"]?([a-z][a-z0-9_]*)""")
_MOST_TEXT = 1 << 24  # bytes of a file in which slugs are looked for


@dataclass(frozen=True)
class RefusedEntry:
    """An entry of a tenant that is wrong: it is refused, and no other is."""

    slug: Slug | None
    """None where the entry, or the file, does not say a valid one."""
    location: str
    """ "file:line"; the file alone where it cannot be read."""
    error: ConfigError
    status: str | None = None
    """As it is written, which may be wrong."""

    @property
    def name(self) -> str:
        """The tenant, or where its entry stands."""
        return self.slug or self.location


@dataclass(frozen=True)
class TenantsFile:
    """Every tenant, sorted by slug, and the location of each."""

    tenants: tuple[Tenant, ...]
    path: Path
    locations: Mapping[Slug, str]
    """Slug to "file:line", of refused entries too."""
    refused: tuple[RefusedEntry, ...] = ()
    """Entries that are wrong, in the order of their names."""
    files: tuple[Path, ...] = ()
    """The file itself, then those that it includes, readable or not."""

    @property
    def active(self) -> tuple[Tenant, ...]:
        return tuple(tenant for tenant in self.tenants if tenant.status == "active")

    def get(self, slug: str) -> Tenant:
        """The tenant of a slug.

        Raises:
            ConfigError: There is none, and names the nearest slugs; or its entry is refused, and says why.
        """
        for tenant in self.tenants:
            if tenant.slug == slug:
                return tenant
        for entry in self.refused:
            if entry.slug == slug:
                raise entry.error
        known = [tenant.slug for tenant in self.tenants]
        raise ConfigError(f"{self.path} has no tenant named {shorten(slug)!r}.", suggest(slug, known))


def load_tenants(path: Path, catalog: Mapping[str, Connector]) -> TenantsFile:
    """Every tenant of tenants.yaml and the files it includes, each checked. Touches nothing.

    A mistake in one entry, or in an included file, refuses the tenants of that entry or file.

    Raises:
        ConfigError: Something is wrong in tenants.yaml that is of no one tenant, or that refuses each of them alike;
            names file, line, the wrong value and the nearest valid one.
    """
    root = read_yaml(path, if_missing=_how_to_begin(path))
    top = root.fields(("tenants", "include", "defaults"))
    if "tenants" not in top and "include" not in top:
        raise root.wrong(f"{root.name} has neither tenants nor include.", "Write tenants: and a list of them.")
    defaults = top.get("defaults")
    if defaults and "slug" in defaults.mapping():
        raise defaults.mapping()["slug"].wrong("defaults has a slug.", "Remove it: a slug belongs to one tenant.")
    included = _included(root)
    entries, refused = _declared(root, included)
    twice = _declared_twice(entries)
    read: dict[Slug, Tenant] = {}
    locations: dict[Slug, str] = {}
    for entry in entries:
        slug, merged = written_slug(entry), merge(defaults, entry) if defaults else entry
        try:
            if slug in twice:
                raise _taken(entry, slug, twice[slug])
            tenant = read_tenant(merged, catalog)
            if tenant.status == "active":
                check_ready(tenant, catalog, location=entry.location)
            read[tenant.slug] = tenant
        except ConfigError as error:
            refused.append(RefusedEntry(slug, entry.location, error, _written_status(merged)))
        if slug is not None:
            locations.setdefault(slug, entry.location)
    unclaimed = (replace(each, slug=None) if each.slug in read else each for each in refused)
    wrong = sorted(unclaimed, key=lambda each: (each.name, each.location))
    if wrong and not read and len({str(each.error) for each in wrong}) == 1:
        raise wrong[0].error
    locations |= {each.slug: each.location for each in wrong if each.slug and each.slug not in locations}
    return TenantsFile(tuple(read[slug] for slug in sorted(read)), path, locations, tuple(wrong), (path, *included))


def configuration_files(path: Path) -> tuple[Path, ...]:
    """tenants.yaml and the files that it includes; none where it is gone, itself alone where it cannot be read."""
    if not path.is_file():
        return ()
    try:
        return (path, *_included(read_yaml(path)))
    except ConfigError:
        return (path,)


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


def declared_tenants(root: Entry) -> list[Entry]:
    """The entries of all tenants that can be read: those of the file itself, then those of the files it includes."""
    return _declared(root, _included(root))[0]


def _declared(root: Entry, included: Sequence[Path]) -> tuple[list[Entry], list[RefusedEntry]]:
    """The entries of all tenants: those of the file itself, then those of the files it includes, by name.

    With them the tenants of included files that are wrong as a whole.
    """
    entries, refused = _tenant_entries(root), list[RefusedEntry]()
    for file in included:
        try:
            content = read_yaml(file)
            content.fields(["tenants"])
            content.required("tenants")
            entries += _tenant_entries(content)
        except ConfigError as error:
            slugs: Sequence[Slug | None] = sorted(_slugs_in_text(file)) or [None]
            refused += [RefusedEntry(slug, str(file), error) for slug in slugs]
    return entries, refused


def _slugs_in_text(file: Path) -> set[Slug]:
    """The slugs that the text of a file names, which is no YAML that can be read."""
    try:
        with open_regular(file) as content:
            names = _SLUG_IN_TEXT.findall(content.read(_MOST_TEXT))
    except OSError:
        return set()
    return set(slugs_among(name.decode() for name in names))


def _declared_twice(entries: Sequence[Entry]) -> dict[Slug, list[Entry]]:
    """Slugs that several entries have, with these: nothing says which of them is meant."""
    by_slug: dict[Slug, list[Entry]] = {}
    for entry in entries:
        if (slug := written_slug(entry)) is not None:
            by_slug.setdefault(slug, []).append(entry)
    return {slug: same for slug, same in by_slug.items() if len(same) > 1}


def _taken(entry: Entry, slug: Slug | None, same: Sequence[Entry]) -> ConfigError:
    other = next(each for each in same if each is not entry)
    return entry.required("slug").wrong(
        f"The slug {slug!r} is already taken at {other.location}.", "Choose another slug."
    )


def written_slug(entry: Entry) -> Slug | None:
    """The slug that an entry has, None where it has no valid one."""
    value = entry.value.get("slug") if isinstance(entry.value, dict) else None
    return next(slugs_among([value.value]), None) if value is not None and isinstance(value.value, str) else None


def _written_status(entry: Entry) -> str | None:
    value = entry.value.get("status") if isinstance(entry.value, dict) else None
    return value.value if value is not None and isinstance(value.value, str) else None


def _tenant_entries(file: Entry) -> list[Entry]:
    return list(file.mapping()["tenants"].items()) if "tenants" in file.mapping() else []


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
