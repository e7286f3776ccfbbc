"""The export files of a tenant: platform, account and object, SHA-256 of the content, and time of export."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from pipeline.config.accounts import Account, Read
from pipeline.config.tenant import Tenant
from pipeline.contracts.registry import Blueprint, Blueprints
from pipeline.errors import LandError
from pipeline.ingest.admission.known_contents import KnownContents
from pipeline.ingest.admission.matched_files import matched_files
from pipeline.ingest.deliveries.name_order import covered_days
from pipeline.ingest.drift import fingerprint
from pipeline.ingest.formats.csv_file import CsvRules
from pipeline.ingest.formats.export_file import Unreadable
from pipeline.ingest.formats.zip_file import archive_of, is_archive, members, read_content
from pipeline.ingest.recognition.routing import Routed, route_folders
from pipeline.regular_file import reason_of
from pipeline.settings import Settings
from pipeline.storage.bronze.batches import BatchFolder, batch_folder
from pipeline.storage.bronze.manifest import MANIFEST, SUCCESS

_TIME = r"(\d{4})-?(\d\d)-?(\d\d)(?:[T_ -]?(\d\d)[-:.]?(\d\d)(?:[-:.]?(\d\d))?Z?)?"
_EPOCH = r"\d{10}(\d{3})?"  # seconds or milliseconds since 1970


@dataclass(frozen=True)
class ExportFile:
    """One file that holds records of one object of one account, possibly inside an archive."""

    path: Path
    size: int
    sha256: str | None
    """Of the content; None where it cannot be read."""
    exported_at: datetime | None
    """Time of the export, UTC without a zone; None where the file's name has none."""
    unreadable: str | None = None
    covers: tuple[date, ...] | None = None
    """The days that its name says it covers."""
    content: Path | None = None
    """The copy in bronze that is read in its place."""
    inside: Path | None = None
    """The folder that it, or its archive, must lie in whenever it is opened; None for a file of our own."""

    @property
    def name(self) -> str:
        """The file's name; of one in an archive, after the archive's name."""
        archive = archive_of(self.path)
        return str(self.path.relative_to(archive.parent)) if archive else self.path.name


@dataclass(frozen=True)
class ExportTarget:
    """One object of one account, and the files and archives that hold its records, sorted by name."""

    blueprint: Blueprint
    account: str
    paths: tuple[Path, ...]
    read: Read
    findings: tuple[str, ...]
    folders: tuple[Path, ...] = ()
    """Where manifests of its files may lie."""
    refused: tuple[tuple[Path, str], ...] = ()
    """Files of a folder that are of no object, with the reason."""
    bronze: BatchFolder | None = None
    """The batches that are read, for kind bronze."""
    inside: Mapping[Path, Path] = field(default_factory=dict)
    """By path, the folder that a file must lie in; generated ones have none."""
    contents: KnownContents = field(default_factory=KnownContents, compare=False, repr=False)
    """What is known of them without reading them."""

    @property
    def rules(self) -> CsvRules:
        """How its CSV files are read."""
        return CsvRules.of(self.blueprint, self.read.locale)

    @property
    def fingerprint(self) -> str:
        """MD5 of all that decides how its files are read."""
        return fingerprint(self.blueprint.contract, self.blueprint.downloads, self.read.locale)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.blueprint.platform, self.account, self.blueprint.object

    def exports(self) -> list[ExportFile]:
        """The export files, with those in archives."""
        at, form = self.read.exported_at, self.read.covers
        found = (_exports(path, at, self.inside.get(path), self.contents) for path in self.paths)
        exports = [export for exports in found for export in exports]
        exports = [replace(one, covers=covered_days(one.path.name, form)) for one in exports] if form else exports
        return exports + [ExportFile(path, 0, None, _time_of(path, at), unreadable=why) for path, why in self.refused]


def routed_blueprints(blueprints: Blueprints, tenant: Tenant) -> list[Blueprint]:
    """The blueprints that a tenant's enabled sources route to."""
    platforms = {source.platform for source in tenant.enabled}
    return [blueprint for blueprint in blueprints.values() if blueprint.platform in platforms]


def export_targets(
    tenant: Tenant,
    blueprints: Mapping[tuple[str, str], Blueprint],
    settings: Settings,
    contents: KnownContents | None = None,
) -> list[ExportTarget]:
    """Every object of every account of the enabled sources; an object that is not read has no files.

    Args:
        contents: What is known of the files without reading them; what an earlier run kept, when left out.

    Raises:
        LandError: A source is configured to be read from an API, which this version cannot.
    """
    accounts = [(source, account) for source in tenant.enabled for account in source.accounts]
    generated: Mapping[tuple[str, str, str], Iterable[Path]] = {}
    if any(account.read.kind == "synthetic" for _, account in accounts):
        from pipeline.synthetic.generate import generate

        generated = generate(tenant, settings.home, until=settings.day())
    contents = contents or KnownContents.of_tenant(settings, tenant.slug)
    routed = route_folders(tenant, blueprints, settings, contents)
    targets = []
    for source, account in accounts:
        if account.read.kind == "api":
            raise LandError(
                f"{tenant.slug} reads {source.platform} from an API, which is not built yet.",
                "Write `kind: files` or `kind: synthetic`; nothing was landed.",
            )
        for name in source.objects:
            blueprint = blueprints[source.platform, name]
            key = source.platform, account.name, name
            own = routed.get(key, Routed())
            target = _target(blueprint, account, tuple(generated.get(key, ())), own, contents)
            if account.read.kind == "bronze":
                root = Path(str(account.read.folder), tenant.slug)
                target = replace(target, bronze=batch_folder(root, source.platform, account.name, name))
            targets.append(target)
    return targets


def is_manifest(name: str) -> bool:
    """Whether a file describes others instead of holding records."""
    return name.endswith((MANIFEST, SUCCESS))


def _target(
    blueprint: Blueprint, account: Account, generated: tuple[Path, ...], routed: Routed, contents: KnownContents
) -> ExportTarget:
    paths = dict.fromkeys((*generated, *routed.paths))
    inside = dict(routed.inside)
    refused = dict(routed.refused)
    findings = [*routed.findings]
    for pattern in account.read.objects.get(blueprint.object, ()):
        matches = [each for each in matched_files(pattern, contents) if not is_manifest(each.path.name)]
        refused.update((each.path, each.refused) for each in matches if each.refused)
        own = {each.path: each.inside for each in matches if not each.refused}
        paths.update(dict.fromkeys(own))
        inside.update(own)
        if not matches:
            findings.append(f"no file matches {pattern}")
    form = account.read.exported_at
    timeless = [path for path in paths if form is not None and _is_timeless(path, form, inside.get(path), contents)]
    findings += _finds_nothing("exported_at", form, "time", timeless)
    days = account.read.covers
    dayless = [path for path in paths if days and not is_archive(path) and not covered_days(path.name, days)]
    findings += _finds_nothing("covers", days, "day", dayless)
    patterns = account.read.objects.get(blueprint.object, ())
    folders = {path.parent for path in (*paths, *map(Path, patterns))}
    return ExportTarget(
        blueprint,
        account.name,
        tuple(sorted(paths)),
        account.read,
        tuple(findings),
        tuple(sorted(folders)),
        refused=tuple(sorted(refused.items())),
        inside=inside,
        contents=contents,
    )


def _finds_nothing(key: str, form: str | None, wanted: str, paths: list[Path]) -> Iterator[str]:
    """The finding about files whose names have not what a setting looks for."""
    if paths:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield f"{key} ({form}) finds no {wanted} in the name {paths[0].name}{more}"


def _exports(path: Path, form: str | None, inside: Path | None, contents: KnownContents) -> list[ExportFile]:
    if not is_archive(path):
        return [_export(path, form, inside, contents)]
    try:
        found = contents.members(path, partial(members, path, inside=inside))
        return [_export(member, form, inside, contents) for member in found]
    except Unreadable as problem:
        return [ExportFile(path, 0, None, _time_of(path, form), problem.reason)]


def _export(path: Path, form: str | None, inside: Path | None, contents: KnownContents) -> ExportFile:
    at = _time_of(path, form)
    try:
        digest, size = read_content(path, contents, inside=inside)
        return ExportFile(path, size, digest, at, inside=inside)
    except Unreadable as problem:
        return ExportFile(path, 0, None, at, problem.reason)
    except OSError as error:
        return ExportFile(path, 0, None, at, reason_of(error))


def _time_of(path: Path, form: str | None) -> datetime | None:
    """The time in a file's name, else in the name of its archive."""
    archive = archive_of(path)
    own = exported_at(path.name, form) if form is not None else None
    return own or (exported_at(archive.name, form) if archive and form is not None else None)


def _is_timeless(path: Path, form: str, inside: Path | None, contents: KnownContents) -> bool:
    """Whether the name of a file, or of a file in an archive, has no time."""
    files = [path]
    if is_archive(path):
        with suppress(Unreadable):
            files = contents.members(path, partial(members, path, inside=inside))
    return any(_time_of(file, form) is None for file in files)


def exported_at(name: str, form: str) -> datetime | None:
    """The time in a file's name, by the one group of the expression `form`, as UTC; None where there is none."""
    match = re.search(form, name)
    text = (match.group(1) if match else None) or ""
    if re.fullmatch(_EPOCH, text):
        return datetime.fromtimestamp(int(text[:10]), UTC).replace(tzinfo=None)
    parts = re.fullmatch(_TIME, text)
    if parts is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in parts.groups(default="0"))
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  # UTC; landing columns have no zone
    except ValueError:
        return None
