"""Many built tenants without building them: clones of one small shop, for what is about their number alone."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb

from pipeline.config.slug import Slug, slug_of
from pipeline.publish.run_files import MANIFEST
from pipeline.publish.run_manifest import read_manifest
from pipeline.settings import Settings
from server.orchestration.build_context import open_build_context
from server.orchestration.publishing import read_published_star, write_built
from server.orchestration.verbs import build
from tests.end_to_end.small_shop import SMALL_TENANT, bring_order, write_shop
from warehouse.build.inputs import star_inputs

TODAY = date(2026, 11, 21)
ORIGINAL = slug_of("t0000")
FILES_OF_A_SHOP = 5
LEDGERS = ("landed_files", "landed_deliveries", "quarantine", "unreadable_files", "drifted_files", "_dlt_loads")
LEDGERS_OF_ALL = ("platform_ops__push_ledger", "platform_sat__source_schema_history")


def settings_of(folder: Path) -> Settings:
    return Settings(home=folder / "home", tenants=folder / "tenants.yaml", today=TODAY, threads=1)


def make_original(folder: Path, files: int) -> None:
    """Build one shop of so many files."""
    folder.mkdir(parents=True)
    write_shop(folder / ORIGINAL)
    for number in range(files - FILES_OF_A_SHOP):
        bring_order(folder / ORIGINAL / "shop", 100 + number)
    _write_tenants(folder, [ORIGINAL])
    report = build(open_build_context(settings_of(folder)))
    if report.exit_code:
        raise SystemExit(f"The shop was not built: {report.to_dict()}")


def _write_tenants(folder: Path, slugs: Sequence[Slug]) -> None:
    entry = SMALL_TENANT.partition("tenants:\n")[2]
    entries = (entry.replace("small_shop", slug) for slug in slugs)
    rooted = (text.replace("ads/", f"{slug}/ads/") for slug, text in zip(slugs, entries, strict=True))
    placed = (
        text.replace("shop/", f"{slug}/shop/").replace("web/", f"{slug}/web/")
        for slug, text in zip(slugs, rooted, strict=True)
    )
    (folder / "tenants.yaml").write_text("tenants:\n" + "".join(placed), encoding="utf-8")


def clone_tenants(folder: Path, count: int) -> None:
    """Clone the shop until there are so many tenants: its files, ledgers, notes and published run under other names.

    The sinks hold no records of the clones.
    """
    slugs = [slug_of(f"t{number:04d}") for number in range(count)]
    _write_tenants(folder, slugs)
    settings = settings_of(folder)
    new = [slug for slug in slugs if not settings.published(slug).exists()]
    for slug in new:
        shutil.copytree(folder / ORIGINAL, folder / slug)
        _clone_outputs(settings, slug)
    with duckdb.connect(str(settings.hub)) as hub, closing(sqlite3.connect(settings.ops)) as ops, ops:
        for slug in new:
            _clone_records(hub, ops, slug)
    context = open_build_context(settings)
    for tenant in context.manifest.tenants:
        if tenant.slug in new and (note := read_published_star(settings, ORIGINAL)) is not None:
            inputs = star_inputs(tenant, context.blueprints, settings)
            write_built(settings, tenant.slug, note.model_copy(update={"inputs": inputs, "undamaged_at": {}}))


def _clone_outputs(settings: Settings, slug: Slug) -> None:
    shutil.copytree(settings.published(ORIGINAL), settings.published(slug))
    for run in settings.published(slug).glob(f"*/{MANIFEST}"):
        run.write_text(read_manifest(run.parent).model_copy(update={"tenant": slug}).text(), encoding="utf-8")
    shutil.copytree(settings.stars(ORIGINAL).parent, settings.stars(slug).parent)


def _clone_records(hub: duckdb.DuckDBPyConnection, ops: sqlite3.Connection, slug: Slug) -> None:
    tables = [
        name
        for (name,) in hub.execute(
            "select table_name from duckdb_tables() where schema_name = ?", [f"landing_{ORIGINAL}"]
        ).fetchall()
    ]
    hub.execute("begin")
    hub.execute(f"create schema landing_{slug}")
    for table in tables:
        rows = "" if table in LEDGERS else " where false"
        hub.execute(f'create table landing_{slug}."{table}" as from landing_{ORIGINAL}."{table}"{rows}')
        if "path" in [name for name, *_ in hub.execute(f'describe landing_{slug}."{table}"').fetchall()]:
            hub.execute(
                f'update landing_{slug}."{table}" set path = replace(path, ?, ?)', [f"/{ORIGINAL}/", f"/{slug}/"]
            )
    for table in LEDGERS_OF_ALL:
        hub.execute(
            f"insert into {table} select * replace (? as tenant_slug) from {table} where tenant_slug = ?",
            [slug, ORIGINAL],
        )
    hub.execute("commit")
    for table in ("onboarding", "source_shapes", "source_freshness"):
        listed = [row[1] for row in ops.execute(f"pragma table_info({table})")]
        kept = ", ".join(name for name in listed if name not in ("onboarding_id", "tenant"))
        ops.execute(
            f"insert into {table} (tenant, {kept}) select ?, {kept} from {table} where tenant = ?", (slug, ORIGINAL)
        )
