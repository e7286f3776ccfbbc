"""Unit-test cases of engines: records as the vendor sends them, and the canonical rows the engine returns for them.

`pipeline/connectors/<connector>/unit_tests.py` declares them in `CASES`, by macro. Those files are no part of the
installed package: tests and benchmarks of a checkout read them, and no build does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.connector import connector_part

Row = dict[str, Any]  # Any: JSON values
Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Case:
    """Input records of an engine, and the rows it must return; columns that `expected` leaves out are not compared.

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
    """The currency of records that carry none."""
    return next((each.currency for each in source.accounts if each.name == "main" and each.currency), tenant.currency)


def main_clock(local: str, otherwise: str | None = None) -> Callable[[Tenant, Source], str]:
    """A local time of the account main, in UTC; `otherwise` is the zone where the account names none."""

    def in_utc(tenant: Tenant, source: Source) -> str:
        own = next((each.timezone for each in source.accounts if each.name == "main"), None)
        zone = ZoneInfo(own or otherwise or tenant.timezone)
        return datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")

    return in_utc


def delivering_platform(_tenant: Tenant, source: Source) -> str:
    """The platform of the source that delivered the records: the connector itself, or another one like it."""
    return source.platform


def unit_test_cases(connector: str) -> Cases:
    """The cases of a connector's engines; none where its unit tests are not installed."""
    cases: Cases = connector_part(connector, "unit_tests", "CASES") or {}
    return cases
