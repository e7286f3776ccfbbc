"""Arguments of engines that follow from a tenant's accounts: their currency and time zone, as SQL."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.sql import literal


def account_currency(tenant: Tenant, source: Source, account: str = "source_account") -> str:
    """SQL giving the currency of the account that the expression `account` names: its own, else the tenant's."""
    return _by_account(account, {each.name: each.currency for each in source.accounts}, tenant.currency)


def account_timezone(
    tenant: Tenant, source: Source, account: str = "source_account", otherwise: str | None = None
) -> str:
    """SQL giving the IANA zone of the account that `account` names: its own, else `otherwise`, else the tenant's."""
    own = {each.name: each.timezone for each in source.accounts}
    return _by_account(account, own, otherwise or tenant.timezone)


def _by_account(account: str, own: Mapping[str, str | None], otherwise: str) -> str:
    other = {name: text for name, text in sorted(own.items()) if text and text != otherwise}
    cases = " ".join(f"when {literal(name)} then {literal(text)}" for name, text in other.items())
    return f"case {account} {cases} else {literal(otherwise)} end" if other else literal(otherwise)


def with_currency(tenant: Tenant, source: Source) -> Mapping[str, object]:
    """The arguments of an engine for records that may lack a currency."""
    return {"currency": account_currency(tenant, source)}
