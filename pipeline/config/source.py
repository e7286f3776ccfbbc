"""A tenant's use of one connector."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict

from pipeline.config.accounts import ACCOUNT_KEYS, Account, read_accounts
from pipeline.config.blocks.generation import read_generation
from pipeline.config.blocks.table_logic import read_tables
from pipeline.config.entry import Entry
from pipeline.contracts.connector import Connector, Domain

_KEYS = ("enabled", "ended", "accounts", *ACCOUNT_KEYS, "generation", "tables")


class Source(BaseModel):
    """One platform of a tenant. `domain` and `objects` are copied from its connector."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    platform: str
    domain: Domain
    objects: tuple[str, ...]
    like: str | None = None
    """The connector that the platform shares contracts and engines with."""
    enabled: bool = False
    ended: date | None = None
    """Its last day: nothing is expected of it afterwards."""
    accounts: tuple[Account, ...] = (Account(),)
    generation: dict[str, Any] = {}  # Any: numbers, and `funnel` a map of numbers
    tables: dict[str, dict[str, Any]] = {}  # Any: values differ by logic key; table_logic.py checked them

    @property
    def reads_as(self) -> str:
        """The name under which its contracts and engines are found."""
        return self.like or self.platform

    def logic(self, key: str) -> list[Any]:  # Any: as `tables`
        """The different values that the source's tables give a logic key; empty without one."""
        values: list[Any] = []
        for logic in self.tables.values():
            if key in logic and logic[key] not in values:
                values.append(logic[key])
        return values


def read_source(entry: Entry, connector: Connector) -> Source:
    fields = entry.fields(_KEYS)
    source = Source(
        platform=connector.name,
        domain=connector.domain,
        objects=connector.objects,
        like=connector.like,
        enabled=fields["enabled"].flag() if "enabled" in fields else False,
        ended=fields["ended"].day() if "ended" in fields else None,
        accounts=read_accounts(entry, connector),
        generation=read_generation(fields["generation"], connector) if "generation" in fields else {},
        tables=read_tables(fields["tables"], connector) if "tables" in fields else {},
    )
    for key in ("conversion_event_pattern", "conversion_events", "funnel_steps", "purchase_events"):
        if len(values := source.logic(key)) > 1:
            listed = " and ".join(str(value) for value in values)
            raise fields["tables"].wrong(
                f"The tables of {connector.name} give {key} {len(values)} values: {listed}.", "Keep one of them."
            )
    return source
