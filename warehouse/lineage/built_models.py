"""The models of a build as they ran: compiled SQL, what dbt says of them, and the contracts of the records they read.

A build writes them beside its star file, a push beside those, and a published run keeps both: the lineage of a run is
that of what was built, also after a rollback or a change of the code.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.contracts.fields import Leaf, Many, Shape
from pipeline.contracts.registry import Blueprint

STAR_MODELS: Final = "star_models.json.gz"
"""Beside a star file: the models that made it."""
PUSH_MODELS: Final = "push_models.json.gz"
"""In the folder of a tenant's star: the models of its last push."""


Kind = TypeVar("Kind", bound=BaseModel)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BuiltModel(_Frozen):
    """One model that ran."""

    name: str
    sql: str
    reads: tuple[str, ...] = ()
    """The models and tables that dbt says it depends on."""
    macros: tuple[str, ...] = ()
    """The macros that its SELECT is made by, in the order of their calls."""
    unique: tuple[str, ...] = ()
    """The columns that a test of dbt proves to be unique."""


class ContractField(_Frozen):
    """A field of a vendor's record."""

    wire: str
    """Its DuckDB type as the vendor sends it."""
    meaning: str
    """How the value is read; of an object or a list, which of the two it is."""


class SourceContract(_Frozen):
    """The contract that records of one object were read by."""

    platform: str
    object: str
    version: str
    landing_table: str
    sink: str
    fields: dict[str, ContractField]
    """By path, such as line_items[].price."""


class BuiltModels(_Frozen):
    """The models of one dbt project that ran."""

    models: tuple[BuiltModel, ...] = ()
    contracts: tuple[SourceContract, ...] = ()


class RunModels(_Frozen):
    """The models behind a published run."""

    version: Literal[1] = 1
    star: BuiltModels
    push: BuiltModels | None = None
    """None where an earlier release pushed last."""


def contract_of(blueprint: Blueprint) -> SourceContract:
    """The contract of a blueprint, as it is written down."""
    return SourceContract(
        platform=blueprint.platform,
        object=blueprint.object,
        version=blueprint.version,
        landing_table=blueprint.landing_table,
        sink=blueprint.sink,
        fields=dict(_fields("", blueprint.shape)),
    )


def _fields(path: str, shape: Shape) -> Iterator[tuple[str, ContractField]]:
    if isinstance(shape, Leaf):
        yield path, ContractField(wire=shape.wire, meaning=str(shape.meaning))
        return
    if path:
        yield path, ContractField(wire="JSON", meaning="list" if isinstance(shape, Many) else "object")
    if isinstance(shape, Many):
        yield from _fields(f"{path}[]", shape.of)
        return
    for name, inner in shape:
        yield from _fields(f"{path}.{name}" if path else name, inner)


def write_models(path: Path, built: BaseModel) -> None:
    """Write models, the same bytes for the same models."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(built.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), compresslevel=6, mtime=0))


def read_built_models(path: Path) -> BuiltModels | None:
    """The models that a build or a push wrote; None where there are none, or they are damaged."""
    return _read(path, BuiltModels)


def read_run_models(path: Path) -> RunModels | None:
    """The models of a published run; None where it has none, or they are damaged."""
    return _read(path, RunModels)


def _read(path: Path, kind: type[Kind]) -> Kind | None:
    try:
        return kind.model_validate_json(gzip.decompress(path.read_bytes()))
    except (OSError, EOFError, zlib.error, ValidationError):
        return None
