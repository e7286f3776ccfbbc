"""Verbs about tokens: create (shown once), list, revoke."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.options import AsJson, read_command_settings

if TYPE_CHECKING:
    from pipeline.config.slug import Slug
    from pipeline.config.tenant import Tenant
    from pipeline.settings import Settings
    from server.serving.access import Access, Token

_SPAN = re.compile(r"([1-9]\d{0,4})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


def create(
    tenant: Annotated[
        list[str] | None,
        typer.Option(
            "--tenant",
            metavar="SLUG",
            help="The tenant whose answers it may read; repeated, an agency's tenants, one of which each call names.",
        ),
    ] = None,
    admin: Annotated[
        bool, typer.Option("--admin", help="For the operator: every tenant, and the admin routes.")
    ] = False,
    owner: Annotated[
        bool,
        typer.Option("--owner", help="With --tenant: may also check and upload files, and see what was kept out."),
    ] = False,
    name: Annotated[str | None, typer.Option("--name", metavar="N", help="Who it is for; shown in lists.")] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="SPAN", help="When it ends: 90d, 12h or 4w. Left out: never.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Make a token for REST and MCP over HTTP. It is shown once, now; only its hash is kept."""
    if bool(tenant) == admin:
        raise typer.BadParameter("give one of them.", param_hint=["--tenant", "--admin"])
    if owner and len(set(tenant or ())) != 1:
        raise typer.BadParameter("an owner is of one tenant: name it with --tenant.", param_hint="--owner")
    span = _read_span(expires)
    settings = read_command_settings()
    from server.cli.output.stdout import print_json, print_text
    from server.orchestration.build_context import open_build_context

    manifest = open_build_context(settings).manifest if tenant else None
    slugs = [_active_slug(manifest.get(slug)) for slug in tenant or ()] if manifest else []
    who = " and ".join(dict.fromkeys(slugs))
    with _access(settings) as access:
        first, others = (slugs[0], slugs[1:]) if slugs else (None, [])
        text, token = access.create(tenant=first, name=name or who or "admin", expires=span, owner=owner, others=others)
    if as_json:
        fields = _token_dict(token)
        print_json({"token": text, **{key: fields[key] for key in ("id", "tenant", "tenants", "scope", "expires_at")}})
        return
    until = f"until {token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else "until it is revoked"
    sys.stderr.write(f"Token {token.id} for {who or 'the operator'}, good {until}. It is shown only now:\n")
    print_text(text)


def list_tokens(as_json: AsJson = False) -> None:
    """List every token there ever was, without its secret."""
    settings = read_command_settings()
    from server.cli.output.stdout import print_json, print_text

    with _access(settings) as access:
        tokens = access.tokens()
    if as_json:
        print_json({"tokens": [_token_dict(token) for token in tokens]})
        return
    from server.cli.output.tables import add_row, render, table

    rows = table("id", "name", "tenant", "scope", "created", "expires", "state")
    for token in tokens:
        add_row(
            rows,
            token.id,
            token.name,
            ", ".join(token.tenants) if token.scope != "admin" else "(all)",
            token.scope,
            f"{token.created_at:%Y-%m-%d %H:%M}",
            f"{token.expires_at:%Y-%m-%d %H:%M}" if token.expires_at else "never",
            _state(token),
        )
    print_text(render(rows))


def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="The token's id, from `gata token list`.")],
    tenant: Annotated[
        str | None, typer.Option("--tenant", metavar="SLUG", help="Take only this one out of a token of several.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Refuse a token from the next call on, in every running server."""
    settings = read_command_settings()
    from server.cli.output.stdout import print_json, print_text

    with _access(settings) as access:
        token = access.revoke(token_id, tenant)
    if as_json:
        print_json(_token_dict(token))
    elif tenant:
        print_text(f"Token {token.id} ({token.name}) is of {' and '.join(token.tenants)} now.")
    else:
        print_text(f"Token {token.id} ({token.name}) is revoked.")


@contextmanager
def _access(settings: Settings) -> Iterator[Access]:
    from pipeline.storage.ops import Ops
    from server.serving.access import Access

    with Ops(settings.ops) as ops:
        yield Access(ops)


def _active_slug(tenant: Tenant) -> Slug:
    """The slug of a tenant that tokens can be created for.

    Raises:
        ConfigError: It is offboarded.
    """
    from pipeline.errors import ConfigError

    if tenant.status == "offboarded":
        raise ConfigError(
            f"{tenant.slug} is offboarded: its tokens open nothing.", "Set its status to active first, and build it."
        )
    return tenant.slug


def _read_span(text: str | None) -> timedelta | None:
    if text is None:
        return None
    match = _SPAN.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no length of time; write 90d, 12h or 4w.", param_hint="--expires")
    return timedelta(hours=int(match[1]) * _HOURS[match[2]])


def _token_dict(token: Token) -> dict[str, Any]:  # Any: JSON values
    return {
        "id": token.id,
        "name": token.name,
        "tenant": token.tenant,
        "tenants": None if token.scope == "admin" else list(token.tenants),
        "scope": token.scope,
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at and token.expires_at.isoformat(),
        "revoked_at": token.revoked_at and token.revoked_at.isoformat(),
        "state": _state(token),
    }


def _state(token: Token) -> str:
    if token.revoked_at:
        return "revoked"
    return "live" if token.is_live(datetime.now(UTC)) else "expired"
