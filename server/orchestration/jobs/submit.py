"""Job submission: checks what was posted, writes tenants.yaml and starts the process; all of it or nothing."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pydantic import SecretStr

from pipeline.bug_reports import event_logger
from pipeline.config.connector_catalog import load_catalog
from pipeline.config.slug import Slug, slug_of
from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import TenantsFile, load_tenants
from pipeline.contracts.connector import Connector
from pipeline.errors import AccessError, BuildError, ConfigError, QueryError, Taken, shorten, suggest
from pipeline.extras import require_extra
from pipeline.settings import Settings, environment_variables, setting_variable
from pipeline.storage.ops import Ops
from server.orchestration.build_context import open_build_context
from server.orchestration.forgetting import is_known
from server.orchestration.jobs.job import DIED, Job, Jobs, Kind, new_job_id
from server.orchestration.jobs.posted_tenant import check_files, check_tree
from server.orchestration.jobs.process import job_folder, undo_job
from server.orchestration.jobs.tenants_edit import with_changes, with_tenant
from server.orchestration.jobs.tenants_edit_file import (
    TenantsFileChange,
    apply_change,
    checked_change,
    file_of,
    locked_tenants_file,
    plan_change,
    undo_change,
)
from server.orchestration.jobs.undo_record import UndoRecord
from server.orchestration.run_history.quarantine_replay import choose_sources

SECTIONS = ("semantic", "attribution", "logic")

Plain = Any  # a tree of what JSON can carry


@dataclass(frozen=True)
class Posted:
    """A request for a job: an admin's, or of a replay an owner's, whose tenant the caller of this has checked."""

    kind: Kind
    sent: Mapping[str, Plain]
    by: str
    key: str | None = None
    """The Idempotency-Key of the request."""
    content: str = field(init=False)
    """SHA-256 of its content, independent of key order and spacing."""

    def __post_init__(self) -> None:
        canonical = json.dumps([self.kind, self.sent], sort_keys=True)
        object.__setattr__(self, "content", hashlib.sha256(canonical.encode()).hexdigest())


class JobService:
    """Submits jobs, one at a time, and reaps jobs with a dead process."""

    def __init__(self, settings: Settings, ops: Ops) -> None:
        self._settings = settings
        self.jobs = Jobs(ops, job_folder(settings))

    def submit(self, posted: Posted) -> Job:
        """Submit a job for what was posted; an equal earlier job is returned instead of a new one.

        A replay is done anew whenever it is posted, and only one that is not over is the same: files may be mended.

        Raises:
            QueryError: The posted change is wrong, or its Idempotency-Key belongs to another content.
            Taken: The tenant exists already, or is being built.
            AccessError: There is no tenant whose quarantine could be replayed.
            ConfigError: tenants.yaml itself is wrong, or cannot be written.
            BuildError: No process can be started.
            MissingExtra: This installation only serves.
        """
        require_extra("build", "Building")
        check_tree(posted.sent)
        with locked_tenants_file(self._settings):
            if earlier := self._same_key(posted):
                return earlier
            slug = _text(posted.sent, "slug" if posted.kind == "onboard" else "tenant")
            if posted.kind == "replay":
                return self._replay(posted, slug)
            catalog = load_catalog()
            if earlier := self._same_content(posted, slug, catalog):
                return earlier
            change = (self._new_tenant if posted.kind == "onboard" else self._changes)(posted, slug, catalog)
            return self._begin(posted, slug_of(slug), change)

    def reap(self, job: Job) -> Job:
        """The current job; one with a dead process is marked as failed and its change of tenants.yaml undone."""
        if job.is_over or self.jobs.is_alive(job.id):
            return job
        job = self.jobs.find(job.id) or job  # it may have ended since it was read
        if job.is_over:
            return job
        remainder = undo_job(job, self._settings)
        if self.jobs.move(job, "failed", reason=DIED, fix=remainder or "Send the request again."):
            self.jobs.settle(job)
        return self.jobs.find(job.id) or job

    def _same_key(self, posted: Posted) -> Job | None:
        earlier = self.jobs.by_key(posted.by, posted.key) if posted.key else None
        if earlier and earlier.content != posted.content:
            raise QueryError(
                f"The Idempotency-Key {shorten(posted.key or '', 60)!r} was sent with another content before.",
                "Send each request under a key of its own.",
            )
        return earlier and self.reap(earlier)

    def _same_content(self, posted: Posted, slug: str, catalog: Mapping[str, Connector]) -> Job | None:
        """The tenant's last job of the kind, when its content is the same and its change is still in tenants.yaml.

        Raises:
            Taken: Another job for the tenant is not over.
        """
        newest = self.jobs.newest(slug, posted.kind)
        newest = newest and self.reap(newest)
        if newest and newest.content == posted.content and newest.state != "failed":
            if posted.kind == "update":
                change = self._changes(posted, slug, catalog)
                still_stands = change.before == change.after
            else:
                still_stands = slug in load_tenants(self._settings.tenants, catalog).locations
            if still_stands:
                return newest
        if other := self._unfinished(slug):
            raise _not_over(other)
        return None

    def _unfinished(self, slug: str) -> Job | None:
        other = self.jobs.unfinished(slug)
        return other if other and not self.reap(other).is_over else None

    def _replay(self, posted: Posted, slug: str) -> Job:
        if other := self._unfinished(slug):
            if other.content != posted.content:
                raise _not_over(other)
            return other
        context = open_build_context(self._settings)
        names = {key: name for key, name in posted.sent.items() if key != "tenant"}
        choice = choose_sources(_built_tenant(context.manifest, slug), context.blueprints, names)
        return self._begin(posted, slug_of(slug), None, json.dumps(asdict(choice)))

    def _new_tenant(self, posted: Posted, slug: str, catalog: Mapping[str, Connector]) -> TenantsFileChange:
        settings, manifest = self._settings, load_tenants(self._settings.tenants, catalog)
        if slug in manifest.locations:
            raise Taken(
                f"There is a tenant named {slug!r} already.", "Choose another slug, or POST /semantic-layer/update."
            )
        if posted.sent.get("status", "active") != "active":
            raise QueryError("status is not active.", "Leave it out: a posted tenant is built at once.")
        change = plan_change(settings.tenants, lambda text: with_tenant(text, posted.sent))
        checked = checked_change(change, settings, catalog, slug)
        tenant = checked.get(slug)
        check_files(tenant, settings)
        last = self.jobs.newest(slug, "onboard")
        if is_known(tenant.slug, settings) and not (last and last.state == "failed"):
            raise Taken(
                f"There are data of an earlier tenant named {slug!r}.",
                f"Choose another slug, or erase them first: `gata forget --tenant {slug}`.",
            )
        return change

    def _changes(self, posted: Posted, slug: str, catalog: Mapping[str, Connector]) -> TenantsFileChange:
        manifest = load_tenants(self._settings.tenants, catalog)
        if slug not in manifest.locations:
            raise QueryError(f"There is no tenant named {shorten(slug, 80)!r}.", suggest(slug, manifest.locations))
        if manifest.get(slug).status != "active":
            raise QueryError(
                f"{slug} is {manifest.get(slug).status}, and not built.", "Set its status to active first."
            )
        changes = {name: value for name, value in posted.sent.items() if name != "tenant"}
        for name in changes:
            if name not in SECTIONS:
                raise QueryError(f"There is no section named {shorten(name, 80)!r}.", suggest(name, SECTIONS))
        if not changes:
            raise QueryError("There is nothing to change.", f"Send one of: {', '.join(SECTIONS)}.")
        _check_logic(changes.get("logic", {}), [source.platform for source in manifest.get(slug).sources])
        change = plan_change(file_of(manifest, slug), lambda text: with_changes(text, slug, changes))
        checked_change(change, self._settings, catalog, slug)
        return change

    def _begin(self, posted: Posted, slug: Slug, change: TenantsFileChange | None, *arguments: str) -> Job:
        """Store the job, write the file, start the process: in this order, so that every change can be undone."""
        job_id = new_job_id()
        with self.jobs.hold_lock(job_id) as lock:
            self.jobs.make(
                job_id,
                kind=posted.kind,
                tenant=slug,
                content=posted.content,
                asked_by=posted.by,
                key=posted.key,
                undo=self._undo_record(posted, slug, change).model_dump_json() if change else None,
            )
            job = self.jobs.find(job_id)
            assert job is not None  # noqa: S101  # it was inserted just now
            try:
                if change:
                    apply_change(change)
                self._spawn(job_id, lock, *arguments)
            except (ConfigError, BuildError, OSError) as error:
                if change:
                    undo_change(change, slug, is_new=posted.kind == "onboard")
                self.jobs.move(job, "failed", reason=str(error), fix="Send the request again.")
                self.jobs.settle(job)
                if isinstance(error, OSError):
                    raise BuildError("No process could be begun for the build.", "Send the request again.") from error
                raise
        event_logger().info("job_accepted", job=job_id, kind=posted.kind, tenant=slug, by=posted.by)
        return job

    def _undo_record(self, posted: Posted, slug: Slug, change: TenantsFileChange) -> UndoRecord:
        leftovers: Literal["yes", ""] = "yes" if posted.kind == "onboard" and is_known(slug, self._settings) else ""
        return UndoRecord(file=change.file, before=change.before, after=change.after, leftovers=leftovers)

    def _spawn(self, job_id: str, lock: int, *arguments: str) -> None:
        """Start the job's process; it inherits the lock file, and ends on its own."""
        with self.jobs.log_file(job_id).open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  # our own program
                # -P: a server.py in the working directory must not be imported
                [sys.executable, "-P", "-m", "server.orchestration.jobs.process", job_id, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=settings_environment(self._settings),
                pass_fds=(lock,),
                start_new_session=True,
            )
        threading.Thread(target=process.wait, name=job_id, daemon=True).start()


def settings_environment(settings: Settings) -> dict[str, str]:
    """The environment of a child: ours, with exactly the settings of this process, whichever layer they came from.

    Secrets are not in it: a build needs none, and alerts about it are sent by the server.
    """
    variables = dict(environment_variables())
    for name, value in settings:
        variables.pop(setting_variable(name), None)
        if value is not None and not isinstance(value, SecretStr):
            plain = settings.model_dump(mode="json", include={name})[name]
            variables[setting_variable(name)] = plain if isinstance(plain, str) else json.dumps(plain)
    return {**variables, "GATA_HOME": str(settings.home.absolute()), "GATA_TENANTS": str(settings.tenants.absolute())}


def _not_over(job: Job) -> Taken:
    return Taken(f"The job {job.id} for {job.tenant} is not over.", "Wait for its end, then send this again.")


def _built_tenant(manifest: TenantsFile, slug: str) -> Tenant:
    """The tenant, where builds take it.

    Raises:
        AccessError: There is none.
        QueryError: It is not active, or its entry is wrong; the text names no path, for an owner reads it.
    """
    for tenant in manifest.tenants:
        if tenant.slug == slug and tenant.status in ("active", "onboarding"):
            return tenant
        if tenant.slug == slug:
            what = f"{slug} is {tenant.status}, and not built."
            raise QueryError(what, "Ask whoever runs gata to set its status to active.")
    if any(entry.slug == slug for entry in manifest.refused):
        raise QueryError(f"The entry of {slug} in tenants.yaml is wrong.", "Ask whoever runs gata to mend it.")
    raise AccessError("There is no such tenant here.", "Ask for the tenant of your token.")


def _text(sent: Mapping[str, Plain], name: str) -> str:
    value = sent.get(name)
    if not isinstance(value, str) or not value:
        raise QueryError(f"{name} is missing, or is no text.", f'Send one, such as "{name}": "acme".')
    return value


def _check_logic(logic: Plain, platforms: list[str]) -> None:
    """Check that logic is keyed by platform and object; its values are checked as a part of tenants.yaml."""
    form = 'Write it like {"google_analytics": {"events": {"conversion_events": ["purchase"]}}}.'
    if not isinstance(logic, Mapping):
        raise QueryError("logic is no mapping.", form)
    for platform, objects in logic.items():
        if platform not in platforms:
            raise QueryError(f"The tenant has no source named {shorten(platform, 80)!r}.", suggest(platform, platforms))
        if not isinstance(objects, Mapping):
            raise QueryError(f"logic of {platform} is no mapping.", form)
