"""Erasure (`gata forget`): removes a tenant, or one person of it, from every place of the state folder, on record.

The places are those of pipeline/privacy/holdings.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pipeline.config.slug import Slug, slugs_among
from pipeline.config.tenant import Tenant
from pipeline.errors import ConfigError, shorten
from pipeline.privacy.erasure_log import Erasure, add_erasures, new_erasure
from pipeline.privacy.forget import Erased, Person, forget_person, forget_tenant, known_ids
from pipeline.privacy.forget_audit import blank_audit, names_tenant
from pipeline.privacy.holdings import ERASURES, UNFINISHED, removed_for_everybody, tenant_paths
from pipeline.privacy.unfinished_erasure import begin_erasure, unfinished_erasures
from pipeline.publish.run_store import prune
from pipeline.settings import Settings
from pipeline.storage.build_lock import build_lock
from pipeline.storage.ops import Ops
from server.orchestration import verbs
from server.orchestration.build_command import StepObserver, unobserved
from server.orchestration.build_context import BuildContext
from server.orchestration.jobs.job import Jobs
from server.orchestration.jobs.process import job_folder
from server.orchestration.replay import unpublished


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
    with build_lock(context.settings.home, wait_seconds=wait_seconds):
        return Forgotten(slug, erase_everywhere(new_erasure(slug, _now(), None), context.settings))


def is_known(slug: Slug, settings: Settings) -> bool:
    """Whether any data of a tenant exist outside tenants.yaml."""
    return bool(tenant_paths(settings.home, slug))


def erase(slug: Slug, settings: Settings) -> Erased:
    """Remove a tenant from the hub and its own folders. The caller holds the build lock."""
    erased = forget_tenant(slug, settings)
    _remove_folders(slug, settings)
    return erased


def _remove_folders(slug: Slug, settings: Settings) -> None:
    for path in tenant_paths(settings.home, slug):
        shutil.rmtree(path, ignore_errors=True)


def erase_everywhere(erasure: Erasure, settings: Settings) -> Erased:
    """Remove a tenant from every place, and record that. The caller holds the build lock.

    Its folders go last: while one is there, the tenant is known and the same call ends what a killed one began.
    """
    erased = forget_tenant(erasure.tenant, settings)
    blanked = blank_audit(settings.audit_folder, names_tenant(erasure.tenant))
    for unfinished in unfinished_erasures(settings.home / UNFINISHED):
        if unfinished.erasure.tenant == erasure.tenant:
            unfinished.finish()
    with Ops(settings.ops) as ops:
        _remove_traces(ops, erasure.tenant, settings)
        _clear_tenant(ops, erasure.tenant)
        erased |= {"audit": blanked} if blanked else {}
        record_erasure(ops, erasure, erased, settings)
    _remove_folders(erasure.tenant, settings)
    return erased


def _forget_person(
    context: BuildContext, tenant: Tenant, email: str, wait_seconds: float, watch: StepObserver | None
) -> Forgotten:
    return erase_person(context, new_erasure(tenant.slug, _now(), email), email, wait_seconds=wait_seconds, watch=watch)


def erase_person(
    context: BuildContext,
    erasure: Erasure,
    email: str,
    *,
    wait_seconds: float = 0.0,
    watch: StepObserver | None = None,
) -> Forgotten:
    """Build, erase, build: the first build pushes landed records and finds the person's ids, the second publishes.

    Killed at any point, the same call again ends it.
    """
    settings, tenant = context.settings, context.manifest.get(erasure.tenant)
    _build(context, [tenant.slug], wait_seconds, watch, full=False)
    with build_lock(settings.home, wait_seconds=wait_seconds):
        unfinished = begin_erasure(settings.home / UNFINISHED, erasure, email)
        known = known_ids(settings.stars(tenant.slug), tenant, email)
        person = Person(email, known, secret=unfinished.secret)
        person.aliases.add(unfinished.values)
        platforms = {source.platform for source in tenant.sources}
        routed = [blueprint for blueprint in context.blueprints.values() if blueprint.platform in platforms]
        learned = partial(unfinished.remember, person.aliases)
        erased = forget_person(tenant, routed, person, settings, learned=learned)
    run_id = _build(context, [tenant.slug], wait_seconds, watch, full=True)
    with build_lock(settings.home, wait_seconds=wait_seconds), Ops(settings.ops) as ops:
        prune(settings.published(tenant.slug), 1, spare_previous=False)
        shutil.rmtree(unpublished(settings, tenant.slug), ignore_errors=True)
        _remove_sandbox(settings.sandbox(tenant.slug))
        blanked = blank_audit(settings.audit_folder, person.aliases.is_mentioned)
        erased |= {"audit": blanked} if blanked else {}
        _remove_traces(ops, tenant.slug, settings)
        _scrub_person(ops, person)
        record_erasure(ops, erasure, erased, settings)
    unfinished.finish()
    return Forgotten(tenant.slug, erased, run_id)


def _remove_sandbox(file: Path) -> None:
    """Remove the star that somebody built by hand, which no build makes anew without the person."""
    for path in file.parent.glob(f"{file.name}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _build(
    context: BuildContext, slugs: Sequence[str], wait_seconds: float, watch: StepObserver | None, *, full: bool
) -> str | None:
    report = verbs.build(context, slugs, full=full, wait_seconds=wait_seconds, watch=watch or unobserved)
    (tenant,) = report.tenants
    if tenant.error:
        raise tenant.error
    return tenant.run_id


def _remove_traces(ops: Ops, slug: Slug, settings: Settings) -> None:
    """Remove what may hold rows of a tenant among the files of everybody: logs of its jobs, replaced files."""
    jobs = Jobs(ops, job_folder(settings))
    for (job_id,) in ops.connection.execute("SELECT id FROM jobs WHERE tenant = ?", (slug,)).fetchall():
        jobs.log_file(job_id).unlink(missing_ok=True)
    for path in removed_for_everybody(settings.home):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


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


def logged_erasures(ops: Ops) -> tuple[Erasure, ...]:
    """The erasures that ops.sqlite holds."""
    rows = ops.connection.execute("SELECT tenant, at, salt, person FROM erasures ORDER BY erasure_id").fetchall()
    return tuple(Erasure(*row) for row in rows)


def record_erasure(ops: Ops, erasure: Erasure, erased: Erased, settings: Settings) -> None:
    """Record the erasure, in ops.sqlite and in the log that survives it."""
    with ops.transaction() as database:
        database.execute(
            "INSERT INTO erasures (tenant, salt, person, rows, at) VALUES (?, ?, ?, ?, ?)",
            (erasure.tenant, erasure.salt, erasure.person, sum(erased.values()), erasure.at),
        )
    add_erasures(settings.home / ERASURES, logged_erasures(ops))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
