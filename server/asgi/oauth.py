"""OAuth 2.1 resource server: verifies JWTs of an identity provider.

The issuer logs people in and signs; this server only verifies: signature (asymmetric algorithms only, with a key that
the issuer publishes), issuer, audience, times, scope, and the claim that names the tenant. A token without that claim
is refused, unless it has the scope that the operator has configured for admins. Sources: RFC 9068, RFC 9728, RFC 6750
and the MCP specification 2026-07-28, authorization.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from pipeline.config.slug import Slug, slug_of
from pipeline.errors import ConfigError, CredentialRefused
from server.asgi.jwks import Jwks, KeysUnreachable, fetch_json
from server.serving.access import Caller

if TYPE_CHECKING:
    from mcp.server.auth.provider import AccessToken
    from starlette.types import Scope

    from pipeline.settings import Settings

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
ID_TOKEN_CLAIMS = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})
LEEWAY_SECONDS = 30
LONGEST_TOKEN = 8_192
METADATA_PATH = "/.well-known/oauth-protected-resource"
RETRY_AFTER_SECONDS = 30
FIXES = {
    401: "Send `Authorization: Bearer TOKEN`; the operator makes one with `gata token create`.",
    403: "Log in again and ask for the scope that the WWW-Authenticate header names.",
    503: f"Ask again in {RETRY_AFTER_SECONDS} seconds.",
}

Claims = dict[str, Any]  # Any: JSON values


def credential_refused(status: int, what: str) -> CredentialRefused:
    """The error of a refused credential, with the step that works for its status."""
    headers = {"retry-after": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
    return CredentialRefused(status, what, FIXES[status], headers)


class OAuth:
    """The verifier of JWTs of one issuer."""

    def __init__(self, settings: Settings, keys: Jwks) -> None:
        assert settings.oauth_issuer is not None  # noqa: S101  # see `oauth_of`
        self._settings, self._keys, self.issuer = settings, keys, settings.oauth_issuer

    async def verify(self, text: str) -> AccessToken:
        """Verify a JWT and return its access token with the caller.

        Raises:
            CredentialRefused: It is not valid here, or it cannot be verified now.
        """
        from mcp.server.auth.provider import AccessToken

        claims = await self._claims(text)
        scopes = scopes_of(claims)
        caller = self._caller(claims, scopes)
        client = claims.get("azp") or claims.get("client_id") or claims["sub"]
        return AccessToken(
            token=caller.token_id,  # never the JWT: this object passes through third-party code
            client_id=str(client),
            scopes=[caller.scope],
            expires_at=int(claims["exp"]) + LEEWAY_SECONDS,
            subject=f"{caller.subject}/{claims['sub']}",
            claims={"iss": self.issuer, "caller": caller},
        )

    async def _claims(self, text: str) -> Claims:
        """The claims of a token, after its issuer, audience, signature and times are verified."""
        import jwt

        bad = credential_refused(401, "This JWT is not one that this server takes.")
        if len(text) > LONGEST_TOKEN:
            raise bad
        try:
            header = jwt.get_unverified_header(text)
            key_id = header.get("kid")
            if header.get("alg") not in ALGORITHMS or not isinstance(key_id, str) or not _has_access_type(header):
                raise bad
            key = await self._keys.key(key_id)
            if key is None:
                raise bad
            claims: Claims = jwt.decode(
                text,
                key,
                algorithms=list(ALGORITHMS),
                issuer=self.issuer,
                audience=list(self._settings.oauth_audiences),
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"], "verify_iat": True, "verify_nbf": True},
            )
        except KeysUnreachable as error:
            what = "The identity provider's keys cannot be had, so no JWT can be checked."
            raise credential_refused(503, what) from error
        except jwt.ExpiredSignatureError as error:
            raise credential_refused(401, "This JWT has expired.") from error
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise bad from error
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise bad
        if is_id_token(header, claims):
            raise credential_refused(401, "This JWT is an ID token, which says who logged in and gives no access.")
        return claims

    def _caller(self, claims: Claims, scopes: frozenset[str]) -> Caller:
        """The caller: the tenants of the claim, the owner of one where the token says so; without any the operator."""
        settings = self._settings
        token_id = "jwt_" + hashlib.sha256(f"{self.issuer} {claims['sub']}".encode()).hexdigest()[:12]
        name = str(claims["sub"])[:100]
        tenant = claims.get(settings.oauth_tenant_claim)
        if tenant is None:
            if settings.oauth_admin_scope and settings.oauth_admin_scope in scopes:
                return Caller(None, "admin", token_id, name)
            raise credential_refused(401, f"This JWT has no claim {settings.oauth_tenant_claim}, and names no tenant.")
        slugs = self._tenants(tenant)
        is_owner = bool(settings.oauth_owner_scope) and settings.oauth_owner_scope in scopes
        if not is_owner and settings.oauth_scope and settings.oauth_scope not in scopes:
            raise credential_refused(403, f"This JWT lacks the scope {settings.oauth_scope}.")
        if len(slugs) > 1:  # an owner is of one tenant: with several its holder reads
            return Caller(None, "read", token_id, name, slugs)
        return Caller(slugs[0], "owner" if is_owner else "read", token_id, name)

    def _tenants(self, claim: object) -> tuple[Slug, ...]:
        """The tenants that a claim names: one as text, or one or several as a list."""
        named = claim if isinstance(claim, list) else [claim]
        try:
            slugs = tuple(dict.fromkeys(slug_of(text if isinstance(text, str) else "") for text in named))
        except ConfigError as error:
            raise self._no_tenant() from error
        if not slugs:
            raise self._no_tenant()
        return slugs

    def _no_tenant(self) -> CredentialRefused:
        return credential_refused(401, f"The claim {self._settings.oauth_tenant_claim} of this JWT names no tenant.")

    def hints(self, scope: Scope, *, needs: str = "read") -> dict[str, str]:
        """Parameters of the WWW-Authenticate header: the address of the resource metadata, and the required scope."""
        suffix = "/mcp" if scope["path"].startswith("/mcp") else "/sse" if scope["path"] == "/sse" else ""
        hints = {"resource_metadata": f"{self.base(scope)}{METADATA_PATH}{suffix}"}
        settings = self._settings
        scopes = {"admin": settings.oauth_admin_scope, "owner": settings.oauth_owner_scope}
        required_scope = scopes.get(needs, settings.oauth_scope)
        return hints | ({"scope": required_scope} if required_scope else {})

    def base(self, scope: Scope) -> str:
        """The base address for callers: the public address, else the Host of the request, checked by HostCheck."""
        if self._settings.public_url:
            return self._settings.public_url.rstrip("/")
        host = next((value for name, value in scope["headers"] if name == b"host"), b"localhost")
        return f"{scope.get('scheme', 'http')}://{host.decode('latin-1')}"

    def metadata(self, scope: Scope) -> dict[str, object]:
        """Resource metadata by RFC 9728: the resource and its issuer. The rest of the well-known path is its path."""
        settings = self._settings
        named = (settings.oauth_scope, settings.oauth_owner_scope, settings.oauth_admin_scope)
        scopes = [name for name in named if name]
        return {
            "resource": self.base(scope) + scope["path"].removeprefix(METADATA_PATH).rstrip("/"),
            "authorization_servers": [self.issuer],
            "scopes_supported": scopes,
            "bearer_methods_supported": ["header"],
            "resource_name": "gata",
        }


def oauth_of(settings: Settings) -> OAuth | None:
    """The OAuth verifier of the settings; None without an issuer."""
    if settings.oauth_issuer is None:
        return None
    return OAuth(settings, Jwks(settings.oauth_issuer, settings.oauth_jwks_url, fetch_json))


def _has_access_type(header: Claims) -> bool:
    """Whether `typ` may be that of an access token: `at+jwt` (RFC 9068), `JWT`, or none, as older providers send."""
    kind = header.get("typ")
    return kind is None or (isinstance(kind, str) and kind.lower().removeprefix("application/") in {"at+jwt", "jwt"})


def is_id_token(header: Claims, claims: Claims) -> bool:
    """Whether a JWT is an ID token: of a provider whose `typ` does not say, by what only ID tokens have.

    `nonce` and the hashes are those of OpenID Connect Core 1.0, sections 2 and 3.3.2.11. A claim `typ` is Keycloak's,
    whose access tokens (Bearer) have had a nonce too.
    """
    if str(header.get("typ")).lower().endswith("at+jwt"):
        return False
    if isinstance(kind := claims.get("typ"), str):
        return kind.lower() != "bearer"
    return not ID_TOKEN_CLAIMS.isdisjoint(claims)


def scopes_of(claims: Claims) -> frozenset[str]:
    """The scopes of a token: `scope`, a space-separated text (RFC 9068), or `scp`, a list or a text."""
    scopes: set[str] = set()
    for name in ("scope", "scp"):
        value = claims.get(name)
        scopes |= (
            set(value.split()) if isinstance(value, str) else set(map(str, value or ())) if _is_list(value) else set()
        )
    return frozenset(scopes)


def _is_list(value: object) -> bool:
    return isinstance(value, list)
