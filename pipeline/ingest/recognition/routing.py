"""Routing of folders: each file of a folder goes to the object that it is of, or is refused by name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.config.accounts import Account
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.ingest.admission.known_contents import KnownContents
from pipeline.ingest.formats.export_file import Unreadable
from pipeline.ingest.formats.reader import reading_connection
from pipeline.ingest.formats.zip_file import archive_of, read_content
from pipeline.ingest.recognition.folder import FolderFile, folder_files
from pipeline.ingest.recognition.recognise import Blueprints, Recognition, listed, recognise
from pipeline.ingest.recognition.recognition_cache import RecognitionCache
from pipeline.regular_file import reason_of
from pipeline.settings import Settings

Key = tuple[str, str, str]  # platform, account, object


@dataclass
class Routed:
    """The files of folders that are of one object of one account.

    Attributes:
        inside: By path of a file or its archive, the folder that it must lie in.
        refused: Files that are of no object that reads their folder, with the reason; under one object of theirs.
    """

    paths: list[Path] = field(default_factory=list)
    inside: dict[Path, Path] = field(default_factory=dict)
    refused: list[tuple[Path, str]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Reader:
    """An account that reads a folder."""

    source: Source
    account: Account

    def key(self, name: str) -> Key:
        return self.source.platform, self.account.name, name


def route_folders(
    tenant: Tenant, blueprints: Blueprints, settings: Settings, contents: KnownContents | None = None
) -> Mapping[Key, Routed]:
    """The files of every folder that the tenant's accounts read, by object; read once as long as they do not change."""
    readers: dict[Path, list[_Reader]] = defaultdict(list)
    for source in tenant.enabled:
        for account in source.accounts:
            if account.read.kind == "files" and account.read.folder is not None:
                readers[Path(account.read.folder)].append(_Reader(source, account))
    routed: dict[Key, Routed] = defaultdict(Routed)
    if not readers:
        return routed
    with RecognitionCache(settings.home / "recognised" / tenant.slug / "files.json", blueprints) as cache:
        for folder, of_folder in sorted(readers.items()):
            _route(folder, of_folder, blueprints, _Known(cache, contents or KnownContents()), routed)
    return routed


@dataclass(frozen=True)
class _Known:
    """What is known of files, by stamp and by content."""

    recognised: RecognitionCache
    contents: KnownContents


def _route(
    folder: Path, readers: Sequence[_Reader], blueprints: Blueprints, known: _Known, routed: dict[Key, Routed]
) -> None:
    first = routed[readers[0].key(readers[0].source.objects[0])]
    if not folder.is_dir():
        first.findings.append(f"there is no folder {folder}")
        return
    named = _named(readers)
    files = [file for file in folder_files(folder, known.contents) if (archive_of(file.path) or file.path) not in named]
    for file in files:
        found = file.refused or _key_of(_recognised(file, blueprints, known), readers)
        if isinstance(found, str):
            first.refused.append((file.path, found))
        else:
            routed[found].paths.append(file.path)
            routed[found].inside[file.path] = folder


def _named(readers: Iterable[_Reader]) -> set[Path]:
    """The files that an account of the folder names under `objects`: they are what it says."""
    patterns = [
        pattern for each in readers for of_object in each.account.read.objects.values() for pattern in of_object
    ]
    return {Path(name) for pattern in patterns for name in glob(pattern, recursive=True)}  # noqa: PTH207  # absolute


def _key_of(recognition: Recognition, readers: Sequence[_Reader]) -> Key | str:
    """The object of an account that a file is of, or why it is of none."""
    by_platform = {reader.source.platform: reader for reader in readers}
    fitting = [(platform, name) for platform, name in recognition.candidates if platform in by_platform]
    if len(fitting) == 1:
        (platform, name) = fitting[0]
        return by_platform[platform].key(name)
    if fitting:
        shared = "; give each source a folder of its own" if recognition.shared else "; name it under objects"
        return f"not told apart: it fits {listed(fitting)} equally well{shared}"
    if recognition.candidates:
        platforms = " and ".join(by_platform)
        return f"not read: it is {listed(recognition.candidates)}, and its folder is that of {platforms}"
    return f"not read: {recognition.refusal}" if recognition.refusal else str(recognition.reason())


def _recognised(file: FolderFile, blueprints: Blueprints, known: _Known) -> Recognition:
    """What a file is, from the cache where its content was recognised before."""
    try:
        digest, _ = read_content(file.path, known.contents, inside=file.inside)
    except Unreadable as problem:
        return Recognition(refusal=problem.reason)
    except OSError as error:
        return Recognition(refusal=reason_of(error))
    cache = known.recognised
    found = cache.get(digest, file.path.name)
    if found is None:
        with TemporaryDirectory(prefix="gata-route-") as scratch, reading_connection(Path(scratch)) as con:
            found = recognise(con, file.path, blueprints, Path(scratch), shapes=cache.shapes, inside=file.inside)
        cache.put(digest, file.path.name, found)
    return found
