"""The public keys of an identity provider: fetched when they are needed, kept for a while, never fetched in a loop.

An unknown key id means that the issuer has changed its keys, or that somebody makes up tokens: the keys are fetched
again for it, but not more often than every REFETCH_SECONDS. While the issuer cannot be reached the known keys hold for
STALE_SECONDS, then nothing does.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import anyio

if TYPE_CHECKING:
    from jwt import PyJWK

FRESH_SECONDS = 600.0
STALE_SECONDS = 3600.0
REFETCH_SECONDS = 30.0
FETCH_SECONDS = 5.0
MOST_BYTES = 256 * 1024
MOST_KEYS = 100

Document = Mapping[str, Any]  # Any: JSON values
Fetch = Callable[[str], Awaitable[Document]]


class KeysUnreachable(Exception):
    """The issuer's keys could not be had, and those known are too old."""


class Jwks:
    """The keys of one issuer by their id."""

    def __init__(
        self, issuer: str, address: str | None, fetch: Fetch, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`address` of the key set; None: named by the issuer's own metadata."""
        self._issuer, self._address, self._fetch, self._clock = issuer, address, fetch, clock
        self._lock: anyio.Lock | None = None
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None

    async def key(self, key_id: str) -> PyJWK | None:
        """The key of that id; None when the issuer has no such key.

        Raises:
            KeysUnreachable: Nobody can tell.
        """
        if key_id in self._keys and self._age() < FRESH_SECONDS:
            return self._keys[key_id]
        self._lock = self._lock or anyio.Lock()  # of the loop that asks
        async with self._lock:  # whoever comes meanwhile waits for the same answer
            if key_id not in self._keys or self._age() >= FRESH_SECONDS:
                await self._renew()
        if self._age() >= STALE_SECONDS:
            self._keys = {}
            raise KeysUnreachable
        return self._keys.get(key_id)

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._clock() - self._fetched_at

    async def _renew(self) -> None:
        now = self._clock()
        if self._tried_at is not None and now - self._tried_at < REFETCH_SECONDS:
            return
        self._tried_at = now
        from pipeline.bug_reports import event_logger

        try:
            with anyio.fail_after(2 * FETCH_SECONDS):
                address = self._address or await find_keys(self._issuer, self._fetch)
                found = read_keys(await self._fetch(address))
        except Exception as error:  # noqa: BLE001  # whatever it is, the keys could not be had
            event_logger().warning("keys_not_fetched", issuer=self._issuer, error=type(error).__name__)
            return
        self._keys, self._fetched_at = found, now
        event_logger().info("keys_fetched", issuer=self._issuer, keys=len(found))


def read_keys(document: Document) -> dict[str, PyJWK]:
    """The keys that sign, by id. A symmetric one is never one of them: whoever reads it could make tokens."""
    from jwt import PyJWK
    from jwt.exceptions import PyJWTError

    found: dict[str, PyJWK] = {}
    for key in list(document.get("keys", ()))[:MOST_KEYS]:
        if key.get("kty") not in {"RSA", "EC", "OKP"} or key.get("use", "sig") != "sig" or not key.get("kid"):
            continue
        try:
            found[str(key["kid"])] = PyJWK(key)
        except PyJWTError:  # of a kind nobody here can read: no token of it is accepted
            continue
    return found


async def find_keys(issuer: str, fetch: Fetch) -> str:
    """The address of the issuer's keys, by RFC 8414 or else OpenID Connect discovery.

    Raises:
        ValueError: Neither names one, or the metadata are somebody else's.
    """
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    inserted = urlunsplit((parts.scheme, parts.netloc, f"/.well-known/oauth-authorization-server{path}", "", ""))
    for address in (inserted, f"{issuer.rstrip('/')}/.well-known/openid-configuration"):
        try:
            metadata = await fetch(address)
        except (OSError, ValueError):
            continue
        if metadata.get("issuer") == issuer and isinstance(metadata.get("jwks_uri"), str):
            return str(metadata["jwks_uri"])
    raise ValueError("no metadata of the issuer name its keys")


async def fetch_json(address: str) -> Document:
    """A JSON object from an https address, of a bounded size, without following anybody elsewhere.

    Raises:
        ValueError: It is none, or not there.
        OSError: It cannot be reached.
    """
    import json

    import httpx2

    from pipeline.settings import is_secure

    if not is_secure(address):
        raise ValueError("not an https address")
    try:
        async with (
            httpx2.AsyncClient(timeout=FETCH_SECONDS, follow_redirects=False) as http,
            http.stream("GET", address, headers={"accept": "application/json"}) as answer,
        ):
            if answer.status_code != 200:
                raise ValueError(f"status {answer.status_code}")
            body = bytearray()
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MOST_BYTES:
                    raise ValueError("too large")
    except httpx2.HTTPError as error:
        raise OSError(type(error).__name__) from error
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004  # a value that somebody sent
    return found
