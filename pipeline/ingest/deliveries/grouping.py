"""The deliveries of a target: which of its files belong together.

A manifest says so, or `read: {delivery: REGEX}` gives their names one text, or they have one time. Files without a time
are told apart by the dates and kinds in their names, where the contract's exports replace whole days; elsewhere each is
a delivery of its own, because records replace each other by their keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.ingest.deliveries.brought_manifests import manifest_deliveries
from pipeline.ingest.deliveries.delivery import Delivery
from pipeline.ingest.deliveries.name_order import has_date, order_of
from pipeline.ingest.exports import ExportFile, ExportTarget
from pipeline.storage.bronze.manifest import BatchManifest


@dataclass(frozen=True)
class Grouped:
    """The deliveries of a target in the order in which they land, and what is wrong with what declares them."""

    deliveries: tuple[Delivery, ...]
    findings: tuple[str, ...] = ()


def group(target: ExportTarget) -> Grouped:
    """Group the files of a target into deliveries; those of a bronze are what its manifests say."""
    if target.bronze:
        held = target.bronze
        return Grouped(tuple(_brought(target, *batch) for batch in held.manifests(held.batch_ids())))
    exports = target.exports()
    declared, findings = manifest_deliveries(target, exports)
    taken = {file.path for delivery in declared for file in delivery.files}
    strays = {path for path, _ in target.refused}  # of no object: they keep no delivery from being complete
    refused = [Delivery((export,)) for export in exports if export.path in strays]
    rest = [export for export in exports if export.path not in taken | strays]
    named, rest = _by_setting(rest, target.read.delivery)
    dated = _by_time(export for export in rest if export.exported_at)
    timeless = [export for export in rest if not export.exported_at]
    if target.blueprint.contract.daily_slice:
        undated = _by_name(timeless)
    else:
        undated = [Delivery((export,)) for export in timeless]
    with_time = sorted([*declared, *named, *dated], key=lambda one: (str(one.delivered_at or ""), one.order))
    return Grouped((*with_time, *undated, *refused), tuple(findings))


def _brought(target: ExportTarget, folder: Path, manifest: BatchManifest) -> Delivery:
    """The delivery of a batch that another installation, or another program, put into a bronze."""
    own = target.key
    about = manifest.platform, manifest.account, manifest.object
    files = tuple(
        ExportFile(folder / file.file, file.bytes, file.received_sha256, None, content=folder / file.file)
        for file in manifest.files
    )
    why = None if manifest.complete else f"the manifest of {folder.name} says that it is not complete"
    if about != own:
        why = f"the manifest of {folder.name} is about {'.'.join(about)}, and its folder is of {'.'.join(own)}"
    return Delivery(
        files,
        manifest.delivered_at,
        manifest.covers,
        manifest.order,
        is_declared=True,
        incomplete=why,
        origin=(folder, manifest),
    )


def _by_setting(exports: list[ExportFile], form: str | None) -> tuple[list[Delivery], list[ExportFile]]:
    """Deliveries of files whose names have one text in the group of an expression, and the files that have none."""
    groups: dict[str, list[ExportFile]] = {}
    rest = []
    for export in exports:
        match = re.search(form, export.path.name) if form is not None else None
        if match and match.group(1):
            groups.setdefault(match.group(1), []).append(export)
        else:
            rest.append(export)
    deliveries = []
    for text, files in groups.items():
        times = [file.exported_at for file in files if file.exported_at]
        at = max(times, default=None)
        deliveries.append(Delivery(_distinct(files), at, order=_order_of_text(text), is_declared=True))
    return deliveries, rest


def _order_of_text(text: str) -> str:
    """A text by which deliveries that a setting names are ordered: by dates, else by numbers; empty without either."""
    if has_date(text):
        return order_of(text)
    if not re.search(r"\d", text):
        return ""
    return re.sub(r"\d+", lambda number: f"{int(number[0]):020d}", text)


def _by_time(exports: Iterable[ExportFile]) -> list[Delivery]:
    """One delivery for each time."""
    groups: dict[object, list[ExportFile]] = {}
    for export in exports:
        groups.setdefault(export.exported_at, []).append(export)
    return [Delivery(_distinct(files), files[0].exported_at, is_declared=True) for files in groups.values()]


def _by_name(exports: list[ExportFile]) -> list[Delivery]:
    """One delivery for each order that names give; the dates count where each file has one."""
    by_date = all(has_date(str(export.path)) for export in exports)
    groups: dict[str, list[ExportFile]] = {}
    for export in exports:
        groups.setdefault(order_of(str(export.path), by_date=by_date), []).append(export)
    return [Delivery(_distinct(files), order=order) for order, files in sorted(groups.items())]


def _distinct(files: list[ExportFile]) -> tuple[ExportFile, ...]:
    """The files without those whose content another one of them has."""
    seen = {file.sha256 or str(file.path): file for file in reversed(files)}
    kept = {id(file) for file in seen.values()}
    return tuple(file for file in files if id(file) in kept)
