"""Check of files that a person brings: a report as data. Reads the catalog only; tenants.yaml need not exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.config.connector_catalog import load_catalog
from pipeline.contracts.connector import Connector
from pipeline.contracts.registry import Blueprint, blueprints
from pipeline.ingest.formats.reader import reading_connection
from pipeline.ingest.recognition.checked_file import CheckedFile, Progress, check_path
from pipeline.ingest.recognition.report import file_report
from pipeline.ingest.recognition.tenants_lines import tenants_lines

Payload = dict[str, Any]  # Any: JSON values


def report_on_files(
    paths: Sequence[Path], base: Path, *, workers: int = 1, progress: Progress = lambda *_: None
) -> Payload:
    """What each file is and what of it would land, and the tenants.yaml in the folder `base` that reads them all."""
    catalog = load_catalog()
    checked = checked_files(paths, blueprints(catalog), workers=workers, progress=progress)
    return report_of(
        checked, catalog, base, {file.path: _named(path, file) for path, of_it in checked.items() for file in of_it}
    )


def checked_files(
    paths: Sequence[Path],
    known: Mapping[tuple[str, str], Blueprint],
    *,
    workers: int = 1,
    progress: Progress = lambda *_: None,
) -> dict[Path, list[CheckedFile]]:
    """The checks of each file, by its path; several of an archive."""
    with TemporaryDirectory(prefix="gata-check-") as scratch, reading_connection(Path(scratch)) as con:
        return {
            path: list(check_path(con, path, known, Path(scratch), workers=workers, progress=progress))
            for path in dict.fromkeys(paths)
        }


def report_of(
    checked: Mapping[Path, Sequence[CheckedFile]],
    catalog: Mapping[str, Connector],
    base: Path,
    names: Mapping[Path, str],
) -> Payload:
    """The report on checked files; `names`: what each is called in it."""
    files = [file for of_path in checked.values() for file in of_path]
    return {
        "files": [file_report(file, names[file.path]) for file in files],
        "tenants_yaml": tenants_lines(files, catalog, base),
    }


def _named(path: Path, file: CheckedFile) -> str:
    """A file as the person named it; one in an archive, below it."""
    return str(path) if file.path == path else str(Path(str(path), file.path.relative_to(path)))
