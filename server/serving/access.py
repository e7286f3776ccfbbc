"""Access tokens: a credential maps to its caller, one tenant, an agency of several, or the operator.

A token is `gata_<id>_<secret>`. The id names it in lists and logs; the secret is 256 random bits, shown once and
stored as its SHA-256 (a random secret needs no slow hash: it cannot be guessed). Every check reads the store, so that
a revoked token is refused from the next call on, in every process.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pipeline.config.slug import Slug, slug_of, slugs_among
from pipeline.errors import NAMES_SHOWN, AccessError, ConfigError, shorten, suggest

if TYPE_CHECKING:  # a stdio server needs no token, and answers `initialize` before it would have loaded these
    import sqlite3

    from pipeline.storage.ops import Ops

Scope = Literal["read", "owner", "admin"]

LOCAL = "local"
_TOKEN = re.compile(r"gata_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_NO_HASH = "0" * 64  # compared when the id is unknown, so that both refusals take the same time

_COLUMNS = "id, name, tenant, scope, created_at, expires_at, revoked_at, is_agency"
_AGENCY = (
    "(select group_concat(tenant, ' ') from (select tenant from token_tenants where token = id order by position))"
    " as agency"
)
"""The tenants of an agency's token, in the order in which they were named; each is gone with its tenant."""


@dataclass(frozen=True)
class Caller:
    """The caller of a request. A reader and an owner see one tenant; an admin sees all of them.

    An owner is one of the tenant's own people: beside reading, it may check files, upload them, see the values of
    its tenant that were kept out, and have them read again. An agency reads several tenants, and names one of them in
    each call.
    """

    tenant: Slug | None
    """None for an admin, and for an agency."""
    scope: Scope
    token_id: str
    name: str
    agency: tuple[Slug, ...] | None = None
    """The tenants of an agency, as far as they are served; None for every other caller."""

    @property
    def is_operator(self) -> bool:
        """Whether the caller runs the server, and may read its paths and commands in an error."""
        return self.scope == "admin" or self.token_id == LOCAL

    @property
    def sees_values(self) -> bool:
        """Whether the caller may read values of quarantined records, of the tenants that it sees."""
        return self.is_operator or self.scope == "owner"

    def sees(self, slug: str) -> bool:
        return self.scope == "admin" or self.tenant == slug or slug in (self.agency or ())

    @property
    def subject(self) -> str:
        """The name of what the caller sees, which sessions are bound to."""
        return self.tenant or ("admin" if self.agency is None else " ".join(self.agency))


@dataclass(frozen=True)
class Token:
    """A listed token: every field but the secret."""

    id: str
    name: str
    tenant: Slug | None
    """None for an admin's, and for one of several tenants."""
    scope: Scope
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    tenants: tuple[Slug, ...] = ()
    """The tenants that it is for; none for an admin's, which is for all of them."""

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
        AccessError: An admin has none, an agency several.
    """
    if caller.agency is not None:
        names = ", ".join(caller.agency[:NAMES_SHOWN])
        raise AccessError(
            "A token of several tenants needs to be told which one is meant.",
            f'Name it in a call of a tool: "tenant" is one of {names}; or connect with a token of one.',
        )
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
        self,
        *,
        tenant: Slug | None,
        name: str,
        expires: timedelta | None = None,
        owner: bool = False,
        others: Sequence[Slug] = (),
    ) -> tuple[str, Token]:
        """Create a token: scope read or owner for a tenant, admin without one. Its text is returned only here.

        With `others` it is an agency's: it reads `tenant` and all of them, and no owner has one.
        """
        tenants = tuple(dict.fromkeys(check_slug(slug) for slug in (*(() if tenant is None else (tenant,)), *others)))
        is_agency = len(tenants) > 1
        scope: Scope = "admin" if not tenants else "owner" if owner and not is_agency else "read"
        only = tenants[0] if len(tenants) == 1 else None
        now = self._clock()
        ends_at = None if expires is None else now + expires
        token = Token(secrets.token_hex(6), name, only, scope, now, ends_at, None, tenants)
        secret = secrets.token_urlsafe(32)
        with self._ops.transaction() as store:
            store.execute(
                "insert into tokens (id, name, tenant, scope, secret_sha256, created_at, expires_at, is_agency)"
                " values (?, ?, ?, ?, ?, ?, ?, ?)",
                (token.id, name, only, scope, _hash(secret), now.isoformat(), _text(ends_at), int(is_agency)),
            )
            store.executemany(
                "insert into token_tenants (token, position, tenant) values (?, ?, ?)",
                [(token.id, position, slug) for position, slug in enumerate(tenants if is_agency else ())],
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
        if not token.is_live(self._clock()):
            return None
        agency = token.tenants if rows[0]["is_agency"] else None
        return Caller(token.tenant, token.scope, token.id, token.name, agency)

    def is_live(self, token_id: str) -> bool:
        """Whether a token that was verified before is still valid."""
        rows = self._rows("where id = ?", token_id)
        return bool(rows) and _token(rows[0]).is_live(self._clock())

    def tokens(self) -> tuple[Token, ...]:
        """All tokens, also revoked and expired ones, oldest first."""
        return tuple(_token(row) for row in self._rows())

    def revoke(self, token_id: str, tenant: str | None = None) -> Token:
        """Revoke a token: it is refused from the next call on. Revoking it again changes nothing.

        With `tenant` only that one is taken out of a token of several, from its next call on.

        Raises:
            AccessError: No token has this id, or it is not of several tenants with this one among them.
        """
        known = {token.id: token for token in self.tokens()}
        if token_id not in known:
            raise AccessError(f"There is no token with the id {shorten(token_id, 40)!r}.", suggest(token_id, known))
        named = known[token_id].tenants
        if tenant is not None and (tenant not in named or len(named) == 1):
            what = f"{tenant} is not one of several tenants of token {token_id}."
            raise AccessError(what, "Leave --tenant out to revoke the token, or see `gata token list`.")
        with self._ops.transaction() as store:
            if tenant is None:
                store.execute(
                    "update tokens set revoked_at = ? where id = ? and revoked_at is null",
                    (self._clock().isoformat(), token_id),
                )
            else:
                store.execute("delete from token_tenants where token = ? and tenant = ?", (token_id, tenant))
        return next(token for token in self.tokens() if token.id == token_id)

    def _rows(self, where: str = "", *values: str) -> list[sqlite3.Row]:
        sql = f"select {_COLUMNS}, {_AGENCY}, secret_sha256 from tokens {where} order by created_at, id"
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
        tenants=tuple(slugs_among((row["agency"] or row["tenant"] or "").split())),
    )
