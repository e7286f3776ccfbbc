"""Reads `meta: {gata: ...}` of a dbt project's yml, which wins over what is inferred."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import ConfigError

Role = Literal["key", "date", "flag", "money", "measure", "dimension", "none"]
Aggregation = Literal["sum", "average", "minimum", "maximum", "median", "count_distinct", "none"]
_NAME = r"^[a-z][a-z0-9_]*$"


class ColumnMeta(BaseModel):
    """`meta.gata` of a column."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role | None = None
    aggregation: Aggregation | None = None
    metric: str | None = Field(None, pattern=_NAME)
    dimension: str | None = Field(None, pattern=_NAME)
    unit: str | None = None
    label: str | None = None
    synonyms: tuple[str, ...] = ()
    personal: bool | None = None


class TableMeta(BaseModel):
    """`meta.gata` of a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: str | None = None
    """The column of the day of each row."""
    metric: str | None = Field(None, pattern=_NAME)
    """The name of the count of rows."""
    synonyms: tuple[str, ...] = ()
    """Of that count."""


Meta = TypeVar("Meta", bound=BaseModel)


def read_meta(meta: Mapping[str, Any], kind: type[Meta], of: str) -> Meta:  # Any: what YAML can hold
    """Read the `gata` entry of a meta; everything is left to inference where there is none.

    Raises:
        ConfigError: It is of another form; names the key.
    """
    try:
        return kind.model_validate(meta.get("gata") or {})
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        path = ".".join(["meta", "gata", *map(str, wrong["loc"])])
        raise ConfigError(
            f"{path} of {of}: {wrong['msg'].lower()}.", f"It may have {', '.join(kind.model_fields)}."
        ) from error
