"""Cache of the public keys of an identity provider: fetched on demand, cached, with a minimum refetch interval.

An unknown key id means that the issuer has changed its keys, or that a token is forged: the keys are fetched again for
it, but not more often than every REFETCH_SECONDS. While the issuer cannot be reached the known keys are valid for
STALE_SECONDS; after that no token is accepted.
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
    """The issuer's keys cannot be fetched, and the cached ones are too old."""


class Jwks:
    """The cached keys of one issuer, by their id."""

    def __init__(
        self, issuer: str, address: str | None, fetch: Fetch, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`address` is that of the key set; None reads it from the issuer's metadata."""
        self._issuer, self._address, self._fetch, self._clock = issuer, address, fetch, clock
        self._lock: anyio.Lock | None = None
        self._keys: dict[str, PyJWK] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None

    async def key(self, key_id: str) -> PyJWK | None:
        """The key with the id; None when the issuer has no such key.

        Raises:
            KeysUnreachable: The keys are unknown.
        """
        if key_id in self._keys and self._age() < FRESH_SECONDS:
            return self._keys[key_id]
        self._lock = self._lock or anyio.Lock()  # of the current event loop
        async with self._lock:  # concurrent callers wait for the same fetch
            if key_id not in self._keys or self._age() >= FRESH_SECONDS:
                await self._refetch()
        if self._age() >= STALE_SECONDS:
            self._keys = {}
            raise KeysUnreachable
        return self._keys.get(key_id)

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._clock() - self._fetched_at

    async def _refetch(self) -> None:
        now = self._clock()
        if self._tried_at is not None and now - self._tried_at < REFETCH_SECONDS:
            return
        self._tried_at = now
        from pipeline.bug_reports import event_logger

        try:
            with anyio.fail_after(2 * FETCH_SECONDS):
                address = self._address or await find_keys(self._issuer, self._fetch)
                keys = read_keys(await self._fetch(address))
        except Exception as error:  # noqa: BLE001  # after any error the cached keys stay
            event_logger().warning("keys_not_fetched", issuer=self._issuer, error=type(error).__name__)
            return
        self._keys, self._fetched_at = keys, now
        event_logger().info("keys_fetched", issuer=self._issuer, keys=len(keys))


def read_keys(document: Document) -> dict[str, PyJWK]:
    """The signing keys, by id. Symmetric keys are excluded: every reader of one could make tokens."""
    from jwt import PyJWK
    from jwt.exceptions import PyJWTError

    keys: dict[str, PyJWK] = {}
    for key in list(document.get("keys", ()))[:MOST_KEYS]:
        if key.get("kty") not in {"RSA", "EC", "OKP"} or key.get("use", "sig") != "sig" or not key.get("kid"):
            continue
        try:
            keys[str(key["kid"])] = PyJWK(key)
        except PyJWTError:  # of an unsupported kind: no token signed with it is accepted
            continue
    return keys


async def find_keys(issuer: str, fetch: Fetch) -> str:
    """The address of the issuer's keys, by RFC 8414 or else OpenID Connect discovery.

    Raises:
        ValueError: Neither names one, or the metadata belong to another issuer.
    """
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(issuer)
    path = parts.path.rstrip("/")
    rfc8414 = urlunsplit((parts.scheme, parts.netloc, f"/.well-known/oauth-authorization-server{path}", "", ""))
    for address in (rfc8414, f"{issuer.rstrip('/')}/.well-known/openid-configuration"):
        try:
            metadata = await fetch(address)
        except (OSError, ValueError):
            continue
        if metadata.get("issuer") == issuer and isinstance(metadata.get("jwks_uri"), str):
            return str(metadata["jwks_uri"])
    raise ValueError("no metadata of the issuer name its keys")


async def fetch_json(address: str) -> Document:
    """Fetch a JSON object from an https address, of a bounded size, without following redirects.

    Raises:
        ValueError: It is not a JSON object, or the status is not 200.
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
    document = json.loads(body)
    if not isinstance(document, dict):
        raise ValueError("not an object")  # noqa: TRY004  # a value of the response
    return document
