"""Doctor checks of callers: the clock that tokens expire by, tokens that end soon, the provider, the audit log."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.errors import GataError
from pipeline.publish.pointer import latest_readable
from pipeline.publish.run_manifest import read_manifest
from pipeline.settings import Settings
from pipeline.storage.disk import nearest_folder
from pipeline.storage.ops import Ops
from server.cli.doctor.line import DoctorLine

if TYPE_CHECKING:
    from server.serving.access import Token

SOON = timedelta(days=7)
CLOCK_LEEWAY = timedelta(minutes=5)
MEGABYTE = 1_000_000
LARGE_AUDIT = 1_000 * MEGABYTE


def check_callers(settings: Settings) -> Iterator[DoctorLine]:
    """Every check about callers."""
    yield check_clock(settings)
    if settings.ops.exists():
        yield from check_tokens(settings)
    if settings.oauth_issuer:
        yield check_oauth(settings)
    if settings.audit != "off":
        yield check_audit(settings)


def check_clock(settings: Settings, now: datetime | None = None) -> DoctorLine:
    """Whether the clock is plausible: tokens and named time ranges depend on it."""
    moment = now or datetime.now(UTC)
    for folder in sorted((settings.home / "published").glob("*")):
        run_id = latest_readable(folder)
        try:
            published_at = read_manifest(folder / run_id).published_at if run_id else moment
        except GataError:
            continue  # the check of the run reports it
        if published_at > moment + CLOCK_LEEWAY:
            return DoctorLine(
                "clock",
                "fail",
                f"It is {moment:%Y-%m-%d %H:%M} UTC, and {folder.name} was published {published_at:%Y-%m-%d %H:%M}.",
                "Set the clock of this machine; tokens end by it.",
            )
    if settings.today is not None and settings.env == "prod":
        return DoctorLine(
            "clock", "warn", f"GATA_TODAY holds the day at {settings.today}.", "Unset GATA_TODAY in prod."
        )
    return DoctorLine("clock", "ok", f"{moment:%Y-%m-%d %H:%M} UTC.")


def check_tokens(settings: Settings) -> Iterator[DoctorLine]:
    """Live tokens that end soon, a line for each; else how many are live."""
    from server.serving.access import Access

    now = datetime.now(UTC)
    try:
        with Ops(settings.ops) as ops:
            live = [token for token in Access(ops).tokens() if token.is_live(now)]
    except GataError:
        return  # the check of the ledger reports it
    ending = [token for token in live if token.expires_at is not None and token.expires_at - now < SOON]
    for token in ending:
        yield _ending(token)
    if not ending:
        yield DoctorLine("tokens", "ok", f"{len(live)} live, none ends within {SOON.days} days.")


def _ending(token: Token) -> DoctorLine:
    owner = " --owner" if token.scope == "owner" else ""
    named = " ".join(f"--tenant {slug}" for slug in token.tenants)
    scope_option = "--admin" if token.scope == "admin" else f"{named}{owner}"
    what = f"Token {token.id} ({token.name}) ends {token.expires_at:%Y-%m-%d %H:%M} UTC."
    return DoctorLine("tokens", "warn", what, f"Make another: `gata token create {scope_option} --expires 90d`.")


def check_oauth(settings: Settings) -> DoctorLine:
    """Whether the issuer's keys can be fetched: without them no JWT is accepted."""
    import anyio

    from server.asgi.jwks import fetch_json, find_keys, read_keys

    issuer = settings.oauth_issuer or ""

    async def count_keys() -> tuple[str, int]:
        address = settings.oauth_jwks_url or await find_keys(issuer, fetch_json)
        return address, len(read_keys(await fetch_json(address)))

    try:
        address, count = anyio.run(count_keys)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        what = f"The keys of {issuer} cannot be had: {error or type(error).__name__}."
        return DoctorLine("oauth", "fail", what, "See GATA_OAUTH_ISSUER and GATA_OAUTH_JWKS_URL, and the way there.")
    if not count:
        return DoctorLine(
            "oauth", "fail", f"{address} has no key that signs.", "Set GATA_OAUTH_JWKS_URL to the issuer's keys."
        )
    return DoctorLine("oauth", "ok", f"{address} has {count} keys.")


def check_audit(settings: Settings) -> DoctorLine:
    """Whether the audit log can be written, and how large it is."""
    folder = settings.audit_folder
    files = list(folder.glob("*.jsonl")) if folder.is_dir() else []
    size = sum(path.stat().st_size for path in files)
    if not os.access(nearest_folder(folder), os.W_OK):
        return DoctorLine(
            "audit", "fail", f"{folder} cannot be written.", "Make it writable: calls are written down there."
        )
    what = f"{size / MEGABYTE:,.0f} MB in {len(files)} files, kept for {settings.audit_days} days."
    if size > LARGE_AUDIT:
        return DoctorLine("audit", "warn", what, "Set GATA_AUDIT_DAYS lower, or move old files away.")
    return DoctorLine("audit", "ok", what)
