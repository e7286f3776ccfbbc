"""JWTs of an identity provider: only a whole, live one of the right issuer, for us, of one tenant, opens anything."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pipeline.config.layers.configuration import read_settings
from pipeline.errors import ConfigError, CredentialRefused
from pipeline.settings import Settings
from server.app import http_app
from server.asgi.jwks import FRESH_SECONDS, REFETCH_SECONDS, STALE_SECONDS, Jwks, fetch_json, find_keys, read_keys
from server.asgi.oauth import OAuth
from tests.server.published_fixture import PublishedHome

pytestmark = pytest.mark.anyio

ISSUER = "https://login.example.com/realm"
AUDIENCE = "https://gata.example.com/mcp"
METADATA = "/.well-known/oauth-protected-resource"
Change = Callable[[dict[str, Any]], None]


@cache
def private_key(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public(name: str, key_id: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(private_key(name).public_key()))
    return {**found, "kid": key_id or name, "use": "sig", "alg": "ES256"}


class Provider:
    """The issuer's documents, and how often they were asked for."""

    def __init__(self, *names: str) -> None:
        self.keys = [public(name) for name in names]
        self.asked: list[str] = []
        self.is_down = False

    async def fetch(self, address: str) -> Mapping[str, Any]:
        self.asked.append(address)
        await anyio.lowlevel.checkpoint()
        if self.is_down:
            raise OSError("unreachable")
        return {"keys": self.keys}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def settings_of(settings: Settings, **more: object) -> Settings:
    told = {"oauth_issuer": ISSUER, "oauth_audience": AUDIENCE, "oauth_jwks_url": f"{ISSUER}/keys", "audit": "off"}
    return settings.model_copy(update={**told, **more})


def rules(provider: Provider | None = None, clock: Clock | None = None, **more: object) -> OAuth:
    given = provider or Provider("a")
    return OAuth(settings_of(Settings(), **more), Jwks(ISSUER, f"{ISSUER}/keys", given.fetch, clock or Clock()))


def claims(**more: object) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user-1",
        "azp": "agent-1",
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "scope": "openid gata:read",
        "gata_tenant": "alpha",
        **more,
    }


def signed(said: dict[str, Any] | None = None, *, key: str = "a", kid: str | None = "a", **headers: Any) -> str:
    kept = {name: value for name, value in (said or claims()).items() if value is not None}
    return jwt.encode(kept, private_key(key), algorithm="ES256", headers={**({"kid": kid} if kid else {}), **headers})


async def status(oauth: OAuth, token: str) -> int:
    try:
        await oauth.verify(token)
    except CredentialRefused as error:
        return error.status
    return 200


async def test_a_whole_token_is_the_tenant_that_its_claim_names() -> None:
    token = await rules().verify(signed())
    assert token.claims is not None
    caller = token.claims["caller"]
    assert (caller.tenant, caller.scope, caller.name) == ("alpha", "read", "user-1")
    assert (token.client_id, token.subject, token.claims["iss"]) == ("agent-1", "alpha/user-1", ISSUER)
    assert signed() not in repr(token)


@pytest.mark.parametrize(
    ("headers", "more", "expected"),
    [
        ({"typ": "at+jwt"}, {}, 200),
        ({"typ": "application/AT+JWT"}, {}, 200),
        ({"typ": "JWT"}, {}, 200),
        ({"typ": None}, {}, 200),
        ({"typ": "logout+jwt"}, {}, 401),
        ({"typ": "dpop+jwt"}, {}, 401),
        ({"typ": "JWT"}, {"nonce": "n"}, 401),
        ({"typ": None}, {"at_hash": "h"}, 401),
        ({"typ": "at+jwt"}, {"nonce": "n"}, 200),
        ({"typ": "JWT"}, {"typ": "ID"}, 401),
        ({"typ": "JWT"}, {"typ": "Refresh"}, 401),
        ({"typ": "JWT"}, {"typ": "Bearer", "nonce": "n"}, 200),
    ],
)
async def test_an_access_token_is_taken_and_an_id_token_with_the_right_audience_is_not(
    headers: dict[str, Any], more: dict[str, Any], expected: int
) -> None:
    assert await status(rules(), signed(claims(**more), **headers)) == expected


async def test_a_tenants_token_with_the_owner_scope_is_one_of_its_owners_and_never_an_operators() -> None:
    for settings, scope, expected in (
        ({}, "gata:read gata:owner", "read"),
        ({"oauth_owner_scope": "gata:owner"}, "gata:read", "read"),
        ({"oauth_owner_scope": "gata:owner"}, "gata:owner", "owner"),
        ({"oauth_owner_scope": "gata:owner", "oauth_admin_scope": "gata:admin"}, "gata:owner gata:admin", "owner"),
    ):
        token = await rules(**settings).verify(signed(claims(scope=scope)))
        assert token.claims is not None
        assert (token.claims["caller"].scope, token.claims["caller"].tenant) == (expected, "alpha")
    nobody = signed(claims(scope="gata:owner", gata_tenant=None))
    assert await status(rules(oauth_owner_scope="gata:owner"), nobody) == 401


async def test_a_claim_may_list_tenants_and_several_are_an_agency_that_only_reads() -> None:
    for named, scope, expected in (
        (["alpha"], "gata:read", ("alpha", "read", None)),
        (["alpha"], "gata:owner", ("alpha", "owner", None)),
        (["beta", "alpha", "beta"], "gata:read", (None, "read", ("beta", "alpha"))),
        (["beta", "alpha"], "gata:owner gata:admin", (None, "read", ("beta", "alpha"))),
    ):
        settings = {"oauth_owner_scope": "gata:owner", "oauth_admin_scope": "gata:admin"}
        token = await rules(**settings).verify(signed(claims(scope=scope, gata_tenant=named)))
        assert token.claims is not None
        caller = token.claims["caller"]
        assert (caller.tenant, caller.scope, caller.agency) == expected
        assert token.subject == f"{' '.join(dict.fromkeys(named))}/user-1"
    assert await status(rules(), signed(claims(scope="openid", gata_tenant=["alpha", "beta"]))) == 403


now = int(time.time())


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "https://evil.example.com"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": "https://other.example.com"},
        {"aud": None},
        {"aud": []},
        {"exp": now - 60},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": now + 3600},
        {"iat": now + 3600},
        {"sub": None},
        {"sub": ""},
        {"gata_tenant": None},
        {"gata_tenant": None, "scope": "gata:read gata:admin admin"},
        {"gata_tenant": ""},
        {"gata_tenant": "../beta"},
        {"gata_tenant": "Alpha"},
        {"gata_tenant": []},
        {"gata_tenant": ["alpha", "../beta"]},
        {"gata_tenant": ["alpha", 1]},
        {"gata_tenant": [["alpha"]]},
        {"gata_tenant": {"slug": "alpha"}},
        {"gata_tenant": True},
    ],
)
async def test_a_claim_that_is_wrong_or_missing_opens_nothing(wrong: dict[str, Any]) -> None:
    assert await status(rules(), signed(claims(**wrong))) == 401


@pytest.mark.parametrize("scope", ["", "openid", "gata:readx", "GATA:READ", None, 7, {"gata:read": 1}])
async def test_a_token_without_the_scope_is_forbidden(scope: object) -> None:
    assert await status(rules(), signed(claims(scope=scope))) == 403


async def test_a_scope_may_be_listed_and_may_be_left_to_the_issuer() -> None:
    assert await status(rules(), signed(claims(scope=None, scp=["x", "gata:read"]))) == 200
    assert await status(rules(oauth_scope=""), signed(claims(scope=None))) == 200


async def test_an_operator_needs_the_scope_that_was_named_and_no_tenant() -> None:
    token = signed(claims(gata_tenant=None, scope="gata:admin"))
    assert await status(rules(), token) == 401
    known = await rules(oauth_admin_scope="gata:admin").verify(token)
    assert known.claims is not None
    assert (known.claims["caller"].tenant, known.claims["caller"].scope) == (None, "admin")
    of_a_tenant = await rules(oauth_admin_scope="gata:admin").verify(signed(claims(scope="gata:read gata:admin")))
    assert of_a_tenant.claims is not None
    assert (of_a_tenant.claims["caller"].tenant, of_a_tenant.claims["caller"].scope) == ("alpha", "read")


def forged(header: dict[str, Any], signature: bytes = b"") -> str:
    parts = (json.dumps(part).encode() for part in (header, claims()))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, signature))


def signed_with_a_public_key() -> str:
    """The oldest trick: the key that everybody may read, taken for a shared secret."""
    text, _, _ = forged({"alg": "HS256", "kid": "a"}).rpartition(".")
    known = private_key("a").public_key()
    pem = known.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    mark = hmac.new(pem, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


async def test_only_asymmetric_algorithms_are_taken() -> None:
    for token in (
        signed_with_a_public_key(),
        forged({"alg": "none", "kid": "a"}),
        forged({"alg": "None", "kid": "a"}),
        forged({"alg": "ES256", "kid": "a"}),
        forged({"alg": "RS256", "kid": "a"}, b"x" * 256),
        forged({"kid": "a"}),
        signed(key="b"),
        signed(kid=None),
        signed(kid="b"),
        signed(crit=["exp"]),
        signed()[:-8] + "AAAAAAAA",
        "eyJ",
        "eyJ..",
        "eyJhbGciOiJFUzI1NiJ9.e30.x",
        "eyJ" + "A" * 9000,
    ):
        assert await status(rules(Provider("a")), token) == 401, token[:40]


async def test_a_published_secret_is_no_key_and_neither_is_one_to_encrypt_with() -> None:
    oct_key = {"kty": "oct", "k": base64.urlsafe_b64encode(b"x" * 32).decode(), "kid": "o", "alg": "HS256"}
    assert read_keys(
        {"keys": [oct_key, {**public("a"), "use": "enc"}, {"kty": "EC", "kid": "x"}, public("b")]}
    ).keys() == {"b"}
    provider = Provider()
    provider.keys = [oct_key]
    assert await status(rules(provider), jwt.encode(claims(), "x" * 32, "HS256", headers={"kid": "o"})) == 401


async def test_keys_are_fetched_once_and_again_for_a_new_one_but_not_in_a_loop() -> None:
    provider, clock = Provider("a"), Clock()
    oauth = rules(provider, clock)
    for _ in range(5):
        assert await status(oauth, signed()) == 200
    assert len(provider.asked) == 1
    provider.keys.append(public("b"))
    assert await status(oauth, signed(key="b", kid="b")) == 401  # asked a moment ago
    clock.now += REFETCH_SECONDS
    assert await status(oauth, signed(key="b", kid="b")) == 200
    for number in range(50):
        assert await status(oauth, signed(kid=f"made-up-{number}")) == 401
    assert len(provider.asked) == 2


async def test_many_who_come_at_once_cause_one_fetch() -> None:
    provider = Provider("a")
    oauth, token = rules(provider), signed()
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(oauth.verify, token)
    assert len(provider.asked) == 1


async def test_a_key_that_the_issuer_withdraws_is_refused_once_the_keys_are_fetched_again() -> None:
    provider, clock = Provider("a", "b"), Clock()
    oauth = rules(provider, clock)
    assert await status(oauth, signed()) == 200
    provider.keys = [public("b")]
    clock.now += FRESH_SECONDS
    assert await status(oauth, signed()) == 401


async def test_while_keys_cannot_be_had_nothing_is_opened_and_known_ones_hold_for_a_while() -> None:
    provider, clock = Provider("a"), Clock()
    provider.is_down = True
    oauth = rules(provider, clock)
    assert await status(oauth, signed()) == 503
    provider.is_down = False
    clock.now += REFETCH_SECONDS
    assert await status(oauth, signed()) == 200
    provider.is_down = True
    clock.now += STALE_SECONDS - 1
    assert await status(oauth, signed()) == 200
    clock.now += REFETCH_SECONDS
    assert await status(oauth, signed()) == 503


async def test_the_keys_are_found_by_metadata_of_the_very_issuer() -> None:
    documents: dict[str, Mapping[str, Any]] = {
        "https://login.example.com/.well-known/oauth-authorization-server/realm": {
            "issuer": "https://evil.example.com",
            "jwks_uri": "https://evil.example.com/keys",
        },
        f"{ISSUER}/.well-known/openid-configuration": {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/certs"},
    }

    async def fetch(address: str) -> Mapping[str, Any]:
        return documents[address]

    assert await find_keys(ISSUER, fetch) == f"{ISSUER}/certs"
    documents.popitem()
    documents[f"{ISSUER}/.well-known/openid-configuration"] = {"issuer": ISSUER}
    with pytest.raises(ValueError, match="no metadata"):
        await find_keys(ISSUER, fetch)


async def test_keys_are_fetched_from_nowhere_but_https_or_this_machine() -> None:
    for address in ("http://login.example.com/keys", "file:///etc/passwd", "https://user@x.example/keys", "keys"):
        with pytest.raises(ValueError, match="https"):
            await fetch_json(address)


@pytest.mark.parametrize(
    "wrong",
    [
        {"oauth_issuer": "http://login.example.com"},
        {"oauth_issuer": ISSUER},
        {"oauth_issuer": ISSUER, "oauth_audience": " , "},
        {"oauth_jwks_url": "ftp://x"},
        {"oauth_tenant_claim": ""},
    ],
)
def test_settings_that_would_let_in_too_many_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"(?i)oauth_"):
        read_settings(**wrong)


@pytest.fixture
def oauth_app(home: PublishedHome) -> Callable[..., httpx.AsyncClient]:
    def client(provider: Provider | None = None, **more: object) -> httpx.AsyncClient:
        settings = settings_of(home.settings, **more)
        keys = Jwks(ISSUER, f"{ISSUER}/keys", (provider or Provider("a")).fetch)
        app = http_app(settings, hosts=("gata.example.com",), oauth=OAuth(settings, keys))
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gata.example.com")

    return client


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_jwt_and_a_stored_token_open_the_same_interfaces(
    oauth_app: Callable[..., httpx.AsyncClient], home: PublishedHome
) -> None:
    async with oauth_app() as http:
        for headers in (bearer(signed()), home.headers("alpha")):
            assert (await http.get("/semantic-layer/alpha", headers=headers)).status_code == 200
            assert (await http.get("/semantic-layer/beta", headers=headers)).status_code == 404
        assert (
            await http.get("/semantic-layer/alpha", headers=bearer(signed(claims(gata_tenant="zeta"))))
        ).status_code == 403


async def test_refusals_say_where_to_log_in_and_for_which_scope(oauth_app: Callable[..., httpx.AsyncClient]) -> None:
    async with oauth_app(public_url="https://gata.example.com") as http:
        nobody = await http.post("/mcp")
        where = f'resource_metadata="https://gata.example.com{METADATA}/mcp", scope="gata:read"'
        assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, f'Bearer realm="gata", {where}')
        old = await http.get("/models", headers=bearer(signed(claims(exp=now - 60))))
        assert (old.status_code, old.json()["detail"]) == (401, "This JWT has expired.")
        assert 'error="invalid_token"' in old.headers["www-authenticate"]
        assert f'{METADATA}"' in old.headers["www-authenticate"]
        narrow = await http.get("/models", headers=bearer(signed(claims(scope="openid"))))
        assert narrow.status_code == 403
        assert 'error="insufficient_scope"' in narrow.headers["www-authenticate"]
        assert 'scope="gata:read"' in narrow.headers["www-authenticate"]
    async with oauth_app(oauth_admin_scope="gata:admin") as http:
        reader = await http.get("/metrics", headers=bearer(signed()))
        assert reader.status_code == 403
        assert 'scope="gata:admin"' in reader.headers["www-authenticate"]
        admin = bearer(signed(claims(gata_tenant=None, scope="gata:admin")))
        assert (await http.get("/metrics", headers=admin)).status_code == 200
    async with oauth_app(oauth_owner_scope="gata:owner") as http:
        reader = await http.get("/quarantine", headers=bearer(signed()))
        assert (reader.status_code, 'scope="gata:owner"' in reader.headers["www-authenticate"]) == (403, True)
        owner = await http.get("/quarantine", headers=bearer(signed(claims(scope="gata:owner"))))
        assert owner.status_code == 200


async def test_a_provider_that_is_down_is_said_and_stored_tokens_go_on(
    oauth_app: Callable[..., httpx.AsyncClient], home: PublishedHome
) -> None:
    provider = Provider("a")
    provider.is_down = True
    async with oauth_app(provider) as http:
        refused = await http.get("/models", headers=bearer(signed()))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
        assert (await http.get("/models", headers=home.headers("alpha"))).status_code == 200


async def test_the_metadata_name_the_resource_they_were_asked_for(oauth_app: Callable[..., httpx.AsyncClient]) -> None:
    async with oauth_app(oauth_admin_scope="gata:admin") as http:
        for suffix in ("", "/mcp", "/sse"):
            told = (await http.get(METADATA + suffix)).json()
            assert told["resource"] == f"http://gata.example.com{suffix}"
            assert told["authorization_servers"] == [ISSUER]
            assert told["scopes_supported"] == ["gata:read", "gata:admin"]
            assert told["bearer_methods_supported"] == ["header"]
        assert (await http.get(f"{METADATA}/else")).status_code == 404


async def test_without_an_issuer_a_jwt_is_nothing_and_no_metadata_are_there(home: PublishedHome) -> None:
    app = http_app(home.settings.model_copy(update={"audit": "off"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
        refused = await http.get("/models", headers=bearer(signed()))
        assert refused.status_code == 401
        assert "resource_metadata" not in refused.headers["www-authenticate"]
        assert (await http.get(METADATA)).status_code == 404


async def test_no_refusal_repeats_the_token(
    oauth_app: Callable[..., httpx.AsyncClient], capsys: pytest.CaptureFixture[str]
) -> None:
    token = signed(claims(exp=now - 60))
    async with oauth_app() as http:
        refused = await http.get("/models", headers=bearer(token))
    said = refused.text + str(refused.headers) + capsys.readouterr().err
    assert all(part not in said for part in token.split("."))
