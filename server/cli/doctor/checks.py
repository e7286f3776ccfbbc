"""Doctor checks: one line for each thing that gata needs, with the step that works where it is missing."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from pipeline.config.layers.configuration import BASE, environment_file, spec_files
from pipeline.config.slug import Slug
from pipeline.contracts.bundled import CATALOG_FILE, LOCK_FILE, bundled_file, shadow
from pipeline.environments import ENVIRONMENTS
from pipeline.errors import Busy, GataError, suggest
from pipeline.extras import install_command, is_installed
from pipeline.publish.damage import fatal, find_damage
from pipeline.publish.pointer import latest_run_id, run_ids
from pipeline.publish.run_manifest import read_manifest
from pipeline.publish.run_store import verify
from pipeline.settings import Settings
from pipeline.storage.build_lock import build_lock
from pipeline.storage.disk import nearest_folder
from pipeline.storage.ops import Ops
from server.cli.doctor.access_checks import check_callers
from server.cli.doctor.line import DoctorLine
from server.cli.doctor.place_checks import check_places
from server.orchestration.build_context import BuildContext, open_build_context
from server.orchestration.outputs import output_damage
from server.serving.runs.published_runs import PublishedRuns

LIBRARIES = {"duckdb": "duckdb", "dbt-core": "dbt.cli.main", "dbt-duckdb": "dbt.adapters.duckdb", "dlt": "dlt"}
PROGRAMS = {
    "uv": "Install it with `pip install uv`.",
    "npx": "Install Node.js 20 or newer.",
}
OLDEST_PYTHON = (3, 11)
GIGABYTE = 1024**3
LITTLE_DISK, NO_DISK = GIGABYTE, GIGABYTE // 10
FRESH = timedelta(hours=24)


def run_checks(settings: Settings) -> Iterator[DoctorLine]:
    """Run every check, in the order in which things are needed. Only a temporary file is written, and removed again."""
    yield _python()
    yield from map(_library, LIBRARIES)
    yield from _environment()
    yield from _layers(settings)
    yield _state_folder(settings.home)
    yield _disk(settings.home)
    yield from check_places(settings)
    yield from _build(settings)
    yield from map(_bundled, (CATALOG_FILE, LOCK_FILE))
    active: tuple[Slug, ...] = ()
    try:
        context = open_build_context(settings)
    except GataError as error:
        yield DoctorLine("tenants", "fail", error.what, error.fix)
    else:
        yield _tenants(context)
        for entry in context.manifest.refused:
            yield DoctorLine(f"tenant {entry.name}", "fail", entry.error.what, entry.error.fix)
        active = tuple(tenant.slug for tenant in context.manifest.active)
    for slug in sorted({*active, *PublishedRuns(settings).slugs()}):
        yield _run(slug, settings, is_built=slug in active)
    yield from check_callers(settings)
    yield from map(_program, PROGRAMS)


def _python() -> DoctorLine:
    what = f"Python {platform.python_version()} in {sys.prefix}."
    if sys.version_info < OLDEST_PYTHON:
        return DoctorLine(
            "python", "fail", what, "Run `make PYTHON=/path/to/python3.11 setup`; gata needs 3.11 or newer."
        )
    return DoctorLine("python", "ok", what)


def _library(name: str) -> DoctorLine:
    if name != "duckdb" and not is_installed(LIBRARIES[name]):
        fix = f"Where there are builds, run `{install_command('build')}`."
        return DoctorLine(name, "warn", f"{name} is not installed; only builds need it.", fix)
    try:
        importlib.import_module(LIBRARIES[name])
        return DoctorLine(name, "ok", f"{name} {version(name)}.")
    except (ImportError, PackageNotFoundError) as error:
        return DoctorLine(name, "fail", f"{name} cannot be imported: {error}.", "Run `make setup`.")


def _environment() -> Iterator[DoctorLine]:
    """GATA_ variables that no setting reads: most likely misspelt."""
    known = [f"GATA_{name.upper()}" for name in Settings.model_fields]
    for name in sorted(os.environ):
        if name.startswith("GATA_") and name not in known:
            yield DoctorLine("environment", "warn", f"{name} is set, and nothing reads it.", suggest(name, known))


def _layers(settings: Settings) -> Iterator[DoctorLine]:
    """The files of settings that are read, and those beside them whose name no environment has: nothing reads them."""
    folder = settings.tenants.parent
    readable = {folder / BASE, *(environment_file(folder, name) for name in ENVIRONMENTS)}
    for path in sorted({*folder.glob("gata.y*ml"), *folder.glob("gata.*.y*ml")} - readable):
        names = [each.name for each in sorted(readable)]
        yield DoctorLine("configuration", "fail", f"{path} is there, and nothing reads it.", suggest(path.name, names))
    used = [folder / BASE, *spec_files(folder), environment_file(folder, settings.env)]
    found = ", ".join(str(path) for path in used if path.exists()) or "no file of settings"
    yield DoctorLine("configuration", "ok", f"{settings.env}, with {found}.")


def _bundled(name: str) -> DoctorLine:
    """The file of that name that is used: the one that ships with gata, or one of the working directory."""
    try:
        if used := shadow(Path(name)):
            return DoctorLine(name, "warn", used.what, used.fix)
        return DoctorLine(name, "ok", f"{bundled_file(name)}.")
    except GataError as error:
        return DoctorLine(name, "fail", error.what, error.fix)


def _state_folder(home: Path) -> DoctorLine:
    folder = nearest_folder(home)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return DoctorLine(
            "state folder",
            "fail",
            f"{folder} cannot be written: {error.strerror or error}.",
            "Make it writable, or set GATA_HOME to a folder that is.",
        )
    return DoctorLine("state folder", "ok", f"{home.absolute()}{'' if home.exists() else ', made by the first build'}.")


def _disk(home: Path) -> DoctorLine:
    free = shutil.disk_usage(nearest_folder(home)).free
    state: Literal["ok", "warn", "fail"] = "ok" if free > LITTLE_DISK else "warn" if free > NO_DISK else "fail"
    fix = (
        "" if state == "ok" else "Free some, or set GATA_HOME to a larger disk: a publish copies a tenant's star once."
    )
    return DoctorLine("disk", state, f"{free / GIGABYTE:.1f} GB free under {nearest_folder(home)}.", fix)


def _build(settings: Settings) -> Iterator[DoctorLine]:
    """The holder of the build lock, and whether the database of runs opens; no line before the first build."""
    if not settings.ops.exists():
        return
    yield _lock(settings.home)
    try:
        with Ops(settings.ops) as ops:
            last = next(iter(ops.runs(limit=1)), None)
    except GataError as error:
        yield DoctorLine("ledger", "fail", error.what, error.fix)
    else:
        what = f"The last run, {last['run_id']}, is {last['status']}." if last else "No run yet."
        yield DoctorLine("ledger", "ok", what)


def _lock(home: Path) -> DoctorLine:
    try:
        with build_lock(home, wait_seconds=0):
            return DoctorLine("build lock", "ok", "No build is running.")
    except Busy as error:
        return DoctorLine("build lock", "warn", error.what, error.fix)
    except GataError as error:
        return DoctorLine("build lock", "fail", error.what, error.fix)


def _tenants(context: BuildContext) -> DoctorLine:
    names, named = list(context.manifest.locations), context.settings.tenant
    if named is not None and named not in names:
        return DoctorLine(
            "tenants",
            "fail",
            f"GATA_TENANT is {named!r}, which {context.manifest.path} has not.",
            suggest(named, names),
        )
    return DoctorLine(
        "tenants",
        "ok",
        f"{context.manifest.path}: {len(context.manifest.tenants)} tenants, {len(context.manifest.active)} of them"
        " active.",
    )


def _run(slug: Slug, settings: Settings, *, is_built: bool) -> DoctorLine:
    """Whether the published run of a tenant is undamaged and, where builds renew it, fresh."""
    check, folder, build = f"run of {slug}", settings.published(slug), f"Run `gata build --tenant {slug}`."
    try:
        run_id = latest_run_id(folder)
        if run_id is None:
            return DoctorLine(check, "warn", "Nothing is published yet.", build)
        unproved = verify(folder / run_id)
        published_at = read_manifest(folder / run_id).published_at
    except GataError as error:
        return DoctorLine(check, "fail", error.what, error.fix)
    if (damage := output_damage(settings, slug)) and is_built:
        return DoctorLine(check, "warn", damage[0], build)
    unhashed = f" Its release did not hash {', '.join(unproved)}." if unproved else ""
    what = f"{run_id} is whole, published {published_at:%Y-%m-%d %H:%M} UTC.{unhashed}{_damaged_others(folder, run_id)}"
    is_stale = is_built and settings.now() - published_at > FRESH
    return DoctorLine(check, "warn", what, build) if is_stale else DoctorLine(check, "ok", what)


def _damaged_others(folder: Path, current: str) -> str:
    """A sentence about other runs that a rollback would refuse at first sight; empty where there are none."""
    others = [run_id for run_id in run_ids(folder) if run_id != current and fatal(find_damage(folder / run_id))]
    return f" Damaged, and seen by no reader: {', '.join(others)}." if others else ""


def _program(name: str) -> DoctorLine:
    """A program that only `mcp dev` needs; it may be in our environment while that is not active."""
    if path := shutil.which(name):
        return DoctorLine(name, "ok", f"{path}.")
    bin_folder = Path(sys.prefix) / "bin"
    fix = f"Run `. {bin_folder / 'activate'}`: it is there." if (bin_folder / name).exists() else PROGRAMS[name]
    return DoctorLine(name, "warn", f"{name} is not on PATH; only `mcp dev server/mcp_entry.py` needs it.", fix)
