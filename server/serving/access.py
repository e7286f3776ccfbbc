"""Access tokens: a credential maps to its caller, one tenant or the operator.

A token is `gata_<id>_<secret>`. The id names it in lists and logs; the secret is 256 random bits, shown once and
stored as its SHA-256 (a random secret needs no slow hash: it cannot be guessed). Every check reads the store, so that
a revoked token is refused from the next call on, in every process.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pipeline.config.slug import Slug, slug_of
from pipeline.errors import AccessError, ConfigError, shorten, suggest

if TYPE_CHECKING:  # a stdio server needs no token, and answers `initialize` before it would have loaded these
    import sqlite3

    from pipeline.storage.ops import Ops

Scope = Literal["read", "owner", "admin"]

LOCAL = "local"
_TOKEN = re.compile(r"gata_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NO_HASH = "0" * 64  # compared when the id is unknown, so that both refusals take the same time

_COLUMNS = "id, name, tenant, scope, created_at, expires_at, revoked_at"


@dataclass(frozen=True)
class Caller:
    """The caller of a request. A reader and an owner see one tenant; an admin (tenant is None) sees all of them.

    An owner is one of the tenant's own people: beside reading, it may check files, upload them and see the values of
    its tenant that were kept out.
    """

    tenant: Slug | None
    scope: Scope
    token_id: str
    name: str

    @property
    def is_operator(self) -> bool:
        """Whether the caller runs the server, and may read its paths and commands in an error."""
        return self.scope == "admin" or self.token_id == LOCAL

    @property
    def sees_values(self) -> bool:
        """Whether the caller may read values of quarantined records, of the tenants that it sees."""
        return self.is_operator or self.scope == "owner"

    def sees(self, slug: str) -> bool:
        return self.scope == "admin" or self.tenant == slug


@dataclass(frozen=True)
class Token:
    """A listed token: every field but the secret."""

    id: str
    name: str
    tenant: Slug | None
    scope: Scope
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def local_caller(slug: str) -> Caller:
    """The caller of a stdio server or the command line: the operating system has authenticated the user."""
    return Caller(check_slug(slug), "read", LOCAL, LOCAL)


def check_slug(text: str) -> Slug:
    """Parse a slug; an invalid one gets the same answer as an unknown tenant.

    Raises:
        AccessError: The text is not a slug.
    """
    try:
        return slug_of(text)
    except ConfigError as error:
        raise no_such_tenant() from error


def no_such_tenant() -> AccessError:
    """The same error for a missing tenant and for another caller's tenant."""
    return AccessError("There is no such tenant here.", "Ask for the tenant of your token.")


def tenant_of(caller: Caller) -> Slug:
    """The tenant of a caller, for requests that do not name one.

    Raises:
        AccessError: An admin has none.
    """
    if caller.tenant is None:
        raise AccessError(
            "An admin token belongs to no tenant.", "Connect with a token of one: `gata token create --tenant SLUG`."
        )
    return caller.tenant


class Access:
    """The tokens of ops.sqlite: create, verify, list and revoke. Safe to share between threads."""

    def __init__(self, ops: Ops, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._ops = ops
        self._clock = clock

    def create(
        self, *, tenant: Slug | None, name: str, expires: timedelta | None = None, owner: bool = False
    ) -> tuple[str, Token]:
        """Create a token: scope read or owner for a tenant, admin without one. Its text is returned only here."""
        scope: Scope = "admin" if tenant is None else "owner" if owner else "read"
        if tenant is not None:
            check_slug(tenant)
        now = self._clock()
        token = Token(secrets.token_hex(6), name, tenant, scope, now, None if expires is None else now + expires, None)
        secret = secrets.token_urlsafe(32)
        with self._ops.transaction() as store:
            store.execute(
                "insert into tokens (id, name, tenant, scope, secret_sha256, created_at, expires_at)"
                " values (?, ?, ?, ?, ?, ?, ?)",
                (token.id, name, tenant, scope, _hash(secret), now.isoformat(), _text(token.expires_at)),
            )
        return f"gata_{token.id}_{secret}", token

    def verify(self, text: str) -> Caller | None:
        """The caller of a token; None when it is malformed, unknown, expired or revoked."""
        match = _TOKEN.fullmatch(text)
        if match is None:
            return None
        rows = self._rows("where id = ?", match[1])
        is_secret = hmac.compare_digest(_hash(match[2]), rows[0]["secret_sha256"] if rows else _NO_HASH)
        if not rows or not is_secret:
            return None
        token = _token(rows[0])
        return Caller(token.tenant, token.scope, token.id, token.name) if token.is_live(self._clock()) else None

    def is_live(self, token_id: str) -> bool:
        """Whether a token that was verified before is still valid."""
        rows = self._rows("where id = ?", token_id)
        return bool(rows) and _token(rows[0]).is_live(self._clock())

    def tokens(self) -> tuple[Token, ...]:
        """All tokens, also revoked and expired ones, oldest first."""
        return tuple(_token(row) for row in self._rows())

    def revoke(self, token_id: str) -> Token:
        """Revoke a token: it is refused from the next call on. Revoking it again changes nothing.

        Raises:
            AccessError: No token has this id.
        """
        with self._ops.transaction() as store:
            store.execute(
                "update tokens set revoked_at = ? where id = ? and revoked_at is null",
                (self._clock().isoformat(), token_id),
            )
        known = {token.id: token for token in self.tokens()}
        if token_id not in known:
            raise AccessError(f"There is no token with the id {shorten(token_id, 40)!r}.", suggest(token_id, known))
        return known[token_id]

    def _rows(self, where: str = "", *values: str) -> list[sqlite3.Row]:
        sql = f"select {_COLUMNS}, secret_sha256 from tokens {where} order by created_at, id"
        return self._ops.connection.execute(sql, values).fetchall()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _timestamp(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _token(row: sqlite3.Row) -> Token:
    return Token(
        id=row["id"],
        name=row["name"],
        tenant=row["tenant"],
        scope=row["scope"],
        created_at=datetime.fromisoformat(row["created_at"]),
        expires_at=_timestamp(row["expires_at"]),
        revoked_at=_timestamp(row["revoked_at"]),
    )
