"""A case per engine: records as the vendor sends them, and the canonical rows the engine makes of them.

Cases are found by their connector's name: `warehouse/cases/<connector>.py` declares them in `CASES`, by macro.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from pipeline.tenants import Source, Tenant

Row = dict[str, Any]  # Any: JSON values
Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Case:
    """What an engine makes of some records; columns that `expected` leaves out are not compared.

    A record may name its account (`_account`) and its export (`_exported_at`). An expected value that depends on what
    the tenant says of its accounts is a function, such as `main_currency`.
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


@cache
def cases_like(connector: str) -> Cases:
    """The cases of a connector's engines."""
    found: Cases = import_module(f"{__name__}.{connector}").CASES
    return found
