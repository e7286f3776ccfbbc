"""Erasure (`gata forget`): removes a tenant, or one person of it, from every store, and records the erasure."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.config.slug import Slug, slugs_among
from pipeline.config.tenant import Tenant
from pipeline.errors import ConfigError, shorten
from pipeline.privacy.forget import Erased, Person, forget_person, forget_tenant, known_ids
from pipeline.publish.run_store import prune
from pipeline.settings import Settings
from pipeline.storage.build_lock import build_lock
from pipeline.storage.ops import Ops
from server.orchestration import verbs
from server.orchestration.build_command import StepObserver
from server.orchestration.build_context import BuildContext
from server.orchestration.replay import unpublished
from server.orchestration.run_history.history_files import forget_run_files
from warehouse.build.build_paths import projects_folder


@dataclass(frozen=True)
class Forgotten:
    """The result of an erasure: rows by table, and the id of the tenant's one remaining run."""

    tenant: Slug
    erased: Erased
    run_id: str | None = None


def erase_with_record(
    context: BuildContext,
    slug: str,
    email: str | None = None,
    *,
    wait_seconds: float = 0.0,
    watch: StepObserver | None = None,
) -> Forgotten:
    """Erase a person of a tenant, or without `email` the whole tenant, from hub, stars, runs and ops.sqlite.

    Raises:
        ConfigError: The tenant is unknown, or still in use; or `email` is not an email address.
        GateFailed: A gate stops the build of the tenant. Run it again after the repair: until then earlier published
            runs contain the person.
        LandError: The hub is open elsewhere; nothing was changed.
    """
    if email is None:
        return _forget_tenant(context, slug, wait_seconds)
    return _forget_person(context, context.manifest.get(slug), _normalize(email), wait_seconds, watch)


def _normalize(email: str) -> str:
    name, at, host = email.strip().lower().partition("@")
    if not (name and at and host) or any(character.isspace() for character in name + host):
        raise ConfigError(
            f"{shorten(email)!r} is no email address.", "Write --person with one, such as ada@example.com."
        )
    return f"{name}@{host}"


def _forget_tenant(context: BuildContext, text: str, wait_seconds: float) -> Forgotten:
    declared: dict[Slug, str] = {tenant.slug: tenant.status for tenant in context.manifest.tenants}
    for entry in context.manifest.refused:
        if entry.slug is None:
            raise entry.error  # it may be this tenant's
        declared[entry.slug] = "refused"
    slug = next(slugs_among([text]), None)
    if slug is None or (slug not in declared and not is_known(slug, context.settings)):
        slug = context.manifest.get(text).slug  # says which tenants there are
    if declared.get(slug, "offboarded") != "offboarded":
        raise ConfigError(
            f"{slug} is {declared[slug]} in {context.manifest.path}: the next build would bring it back.",
            "Set its status to offboarded first, or remove it from the file.",
        )
    settings = context.settings
    with build_lock(settings.home, wait_seconds=wait_seconds), Ops(settings.ops) as ops:
        erased = erase(slug, settings)
        _clear_tenant(ops, slug)
        _record_erasure(ops, slug, erased)
    return Forgotten(slug, erased)


def is_known(slug: Slug, settings: Settings) -> bool:
    """Whether any data of a tenant exist outside tenants.yaml."""
    return any(folder.exists() for folder in _folders(slug, settings))


def erase(slug: Slug, settings: Settings) -> Erased:
    """Remove a tenant from hub, stars and published runs. The caller holds the build lock."""
    erased = forget_tenant(slug, settings)
    leftovers = (settings.home / part / slug for part in ("synthetic", "landing", "recognised", "bronze"))
    results = settings.home.glob(f"runs/*/{slug}")
    for folder in (*_folders(slug, settings), *leftovers, *results, settings.home / "dlt" / f"land_{slug}"):
        shutil.rmtree(folder, ignore_errors=True)
    forget_run_files(settings, slug)
    return erased


def _folders(slug: Slug, settings: Settings) -> tuple[Path, ...]:
    return settings.published(slug), settings.stars(slug).parent, projects_folder(settings, slug)


def _forget_person(
    context: BuildContext, tenant: Tenant, email: str, wait_seconds: float, watch: StepObserver | None
) -> Forgotten:
    """Build, erase, build: the first build pushes landed records and finds the person's ids, the second publishes."""
    settings, slugs = context.settings, [tenant.slug]
    _build(context, slugs, wait_seconds, watch, full=False)
    with build_lock(settings.home, wait_seconds=wait_seconds):
        person = Person(email, known_ids(settings.stars(tenant.slug), tenant, email))
        platforms = {source.platform for source in tenant.sources}
        routed = [blueprint for blueprint in context.blueprints.values() if blueprint.platform in platforms]
        erased = forget_person(tenant, routed, person, settings)
    run_id = _build(context, slugs, wait_seconds, watch, full=True)
    with build_lock(settings.home, wait_seconds=wait_seconds), Ops(settings.ops) as ops:
        prune(settings.published(tenant.slug), 1, spare_previous=False)
        shutil.rmtree(unpublished(settings, tenant.slug), ignore_errors=True)
        _scrub_person(ops, person)
        _record_erasure(ops, tenant.slug, erased, person=email)
    return Forgotten(tenant.slug, erased, run_id)


def _build(
    context: BuildContext, slugs: Sequence[str], wait_seconds: float, watch: StepObserver | None, *, full: bool
) -> str | None:
    options = {"watch": watch} if watch else {}
    report = verbs.build(context, slugs, full=full, wait_seconds=wait_seconds, **options)
    (tenant,) = report.tenants
    if tenant.error:
        raise tenant.error
    return tenant.run_id


def _clear_tenant(ops: Ops, slug: Slug) -> None:
    """Remove the tenant's rows from every table of ops.sqlite, tokens included, and from its free pages."""
    with ops.transaction() as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in tables:
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            if "tenant" in columns and table != "erasures":
                database.execute(f"DELETE FROM {table} WHERE tenant = ?", (slug,))  # names of our own tables
    _vacuum(ops)


def _scrub_person(ops: Ops, person: Person) -> None:
    """Replace the person by aliases in every text of ops.sqlite: a quarantine reason quotes the rejected value."""
    ops.connection.create_function("without", 1, lambda text: text and person.aliases.in_text(text), deterministic=True)
    with ops.transaction() as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in tables:
            for _, column, kind, *_ in database.execute(f"PRAGMA table_info({table})").fetchall():
                if kind == "TEXT":  # names of our own tables and columns
                    database.execute(
                        f"UPDATE {table} SET {column} = without({column}) WHERE {column} <> without({column})"
                    )
    _vacuum(ops)


def _vacuum(ops: Ops) -> None:
    """Rewrite the file: deleted rows stay readable in its free pages and in the write-ahead log."""
    ops.connection.execute("VACUUM")
    ops.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def last_forgotten(ops: Ops, slug: Slug) -> str | None:
    """The time of the last erasure of the whole tenant; None where there was none."""
    row = ops.connection.execute("SELECT max(at) FROM erasures WHERE tenant = ? AND person IS NULL", (slug,))
    return row.fetchone()[0]  # type: ignore[no-any-return]  # sqlite's rows are untyped


def _record_erasure(ops: Ops, slug: Slug, erased: Erased, person: str | None = None) -> None:
    """Record the erasure.

    `person` is stored as the SHA-256 of a salt and the email: it proves the erasure of a given person without naming
    one.
    """
    salt = secrets.token_hex(8) if person else None
    digest = hashlib.sha256(f"{salt}{person}".encode()).hexdigest() if person else None
    erased_at = datetime.now(UTC).isoformat(timespec="seconds")
    with ops.transaction() as database:
        database.execute(
            "INSERT INTO erasures (tenant, salt, person, rows, at) VALUES (?, ?, ?, ?, ?)",
            (slug, salt, digest, sum(erased.values()), erased_at),
        )
