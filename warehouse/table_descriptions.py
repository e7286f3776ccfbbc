"""What the yml of a dbt project says of its models: descriptions, meta, and the references that its tests check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from warehouse.star_schema import Reference


@dataclass(frozen=True, kw_only=True)
class ColumnDescription:
    """One column of a model."""

    description: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)  # Any: what YAML can hold


@dataclass(frozen=True, kw_only=True)
class TableDescription:
    """One model."""

    description: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)  # Any: as of a column
    columns: Mapping[str, ColumnDescription] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    """Of its `relationships` tests; `to` is the full name of the table, such as dim_acme__campaigns."""


TableDescriptions = Mapping[str, TableDescription]
"""By the full name of the table, such as fct_acme__subscriptions."""
