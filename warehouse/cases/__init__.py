"""A case per engine: records as the vendor sends them, and the canonical rows the engine makes of them.

Cases are found by their connector's name: `warehouse/cases/<connector>.py` declares them in `CASES`, by macro.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.tenants import Source, Tenant

Row = dict[str, Any]  # Any: JSON values
Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Case:
    """What an engine makes of some records; columns that `expected` leaves out are not compared.

    A record may name its account (`_account`) and its export (`_exported_at`). An expected value that depends on the
    source or the tenant is a function of both, such as `main_currency`.
    """

    sentence: str
    records: Mapping[str, Rows]
    expected: Rows
    canonical: Mapping[str, Rows] = field(default_factory=dict)  # rows of canonical tables it reads beside them


Cases = Mapping[str, Callable[[str | None], Case]]
"""By engine macro; the argument is the tenant's conversion pattern for its platform."""


def main_currency(tenant: Tenant, source: Source) -> str:
    """The currency of records that do not say theirs."""
    return next((each.currency for each in source.accounts if each.name == "main" and each.currency), tenant.currency)


def main_clock(local: str, otherwise: str | None = None) -> Callable[[Tenant, Source], str]:
    """What the clock of the account main says, as UTC; `otherwise` is the zone where the account names none."""

    def in_utc(tenant: Tenant, source: Source) -> str:
        own = next((each.timezone for each in source.accounts if each.name == "main"), None)
        zone = ZoneInfo(own or otherwise or tenant.timezone)
        return datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

    return in_utc


def own_platform(_tenant: Tenant, source: Source) -> str:
    """The source that delivered the records, where another may be like the connector."""
    return source.platform


@cache
def cases_like(connector: str) -> Cases:
    """The cases of a connector's engines."""
    found: Cases = import_module(f"{__name__}.{connector}").CASES
    return found
