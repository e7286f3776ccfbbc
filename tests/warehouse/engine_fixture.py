"""An engine without dbt: its macro rendered by Jinja, over records parsed as the intermediate view parses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import jinja2

from pipeline.config.accounts import Account
from pipeline.config.connector_catalog import load_catalog
from pipeline.config.engine_cases import Rows
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import Engine
from pipeline.contracts.fields import wire_type
from pipeline.contracts.registry import Blueprint, blueprints
from pipeline.contracts.sql import literal, quote, struct_json, whole_record
from pipeline.ingest.formats.reader import Reader
from warehouse.projects.canonical_tables import CANONICAL
from warehouse.projects.engines import engines_like
from warehouse.projects.reference_tables import SEEDS, reference_names, reference_rows, reference_types
from warehouse.projects.unit_tests import parsed_rows, typed_rows

ROOT = Path(__file__).resolve().parents[2]
MACROS = ROOT / "warehouse" / "macros"
CONNECTORS = ROOT / "pipeline" / "connectors"
CATALOG = load_catalog(ROOT / "supported_connectors.yaml")
BLUEPRINTS = blueprints(CATALOG)

Answer = list[dict[str, Any]]


def run_engine(
    macro: str,
    records: Mapping[str, Rows] = {},  # never changed
    *,
    platform: str,
    files: Mapping[str, Sequence[Path]] = {},
    history: Mapping[str, Rows] = {},
    canonical: Mapping[str, Rows] = {},
    logic: Mapping[str, Mapping[str, Any]] = {},
    accounts: Sequence[Account] = (Account(),),
    timezone: str = "UTC",
    currency: str = "USD",
    macros: Path = MACROS,
) -> Answer:
    """The rows an engine makes, by canonical column.

    Args:
        records: Payloads as the vendor sends them, by object; `_account` names an account other than main.
        files: Export files by object, read by the real readers; the good records follow those of `records`.
        history: Payloads of objects that are read with all their versions; may carry in_force_from and in_force_to.
        canonical: Rows of canonical tables that the engine reads.
        logic: The tenant's table logic for the platform, by object.
        macros: The folder of macros that engines share, for those that were changed on purpose.
    """
    con = duckdb.connect(config={"threads": 1})
    con.execute("set TimeZone = 'UTC'")
    source = a_source(platform, accounts, logic)
    tenant = Tenant(slug="t", business_name="T", sources=(source,), timezone=timezone, currency=currency)
    engine = next(engine for engine in engines_like(source.reads_as) if engine.macro == macro)
    create_inputs(con, engine, platform, records, files, history, canonical)
    return _rows(con, render(macro, engine.call(tenant, source), macros))


def a_source(platform: str, accounts: Sequence[Account] = (Account(),), logic: Mapping[str, Any] = {}) -> Source:
    """An enabled source of a tenant."""
    connector = CATALOG[platform]
    return Source(
        platform=platform,
        domain=connector.domain,
        objects=connector.objects,
        like=connector.like,
        enabled=True,
        accounts=tuple(accounts),
        tables={name: dict(rules) for name, rules in logic.items()},
    )


def render(macro: str, arguments: Mapping[str, object], macros: Path = MACROS) -> str:
    """The SQL of a macro call, with refs and sources as plain table names."""
    return str(getattr(_module(macros), macro)(**arguments))


def render_model(text: str, macros: Path = MACROS) -> str:
    """The SQL of a generated model, with refs and sources as plain table names."""
    model: jinja2.Template = _templates(macros).environment.from_string(text)
    return model.render(_module(macros).__dict__ | _DBT)


def add_references(con: duckdb.DuckDBPyConnection) -> None:
    """The reference tables of the hub, read from their files when a query names them."""
    for name in reference_names():
        types = ", ".join(f"'{column}': '{type_}'" for column, type_ in reference_types(name).items())
        con.execute(f"create view {name} as from read_csv('{SEEDS / name}.csv', header = true, columns = {{{types}}})")


def _module(macros: Path) -> Any:  # Any: Jinja's module has each macro as an attribute
    return _templates(macros).make_module(_DBT)


class _Exceptions:
    """dbt's way to stop a template."""

    def raise_compiler_error(self, message: str) -> None:
        raise ValueError(message)


_DBT: dict[str, Any] = {
    "ref": lambda name: name,
    "source": lambda _, name: name,
    "exceptions": _Exceptions(),
    "var": lambda *_: None,
}
"""The names that dbt gives a template."""


@cache
def _templates(macros: Path) -> jinja2.Template:
    paths = [path for folder in ("utils", "visits", "factories") for path in sorted((macros / folder).glob("*.sql"))]
    texts = [path.read_text(encoding="utf-8") for path in (*paths, *sorted(CONNECTORS.glob("*/engine.sql")))]
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)  # SQL
    return environment.from_string("\n".join(texts))


def create_inputs(
    con: duckdb.DuckDBPyConnection,
    engine: Engine,
    platform: str,
    records: Mapping[str, Rows],
    files: Mapping[str, Sequence[Path]],
    history: Mapping[str, Rows],
    canonical: Mapping[str, Rows],
) -> None:
    """Everything an engine reads, as the tables that its macro names."""
    for name in engine.objects:
        blueprint = BLUEPRINTS[platform, name]
        table = f"int_t__{platform}_{name}"
        con.execute(f"create table {table} as {parsed_rows(blueprint, records.get(name, ()))}")
        for path in files.get(name, ()):
            con.execute(f"insert into {table} by name {_file_rows(con, blueprint, path)}")
    for name in engine.history:
        rows = parsed_rows(BLUEPRINTS[platform, name], history.get(name, ()), is_history=True)
        con.execute(f"create table int_t__{platform}_{name}_history as {rows}")
    for table in CANONICAL:
        if table.name in engine.canonical:
            con.execute(f"create table int_t__{table.name} as {typed_rows(table, canonical.get(table.name, ()))}")
    for name in engine.references:
        con.execute(f"create table {name} as {reference_rows(name)}")


def _file_rows(con: duckdb.DuckDBPyConnection, blueprint: Blueprint, path: Path) -> str:
    """A query of a file's good records, as the intermediate view has them."""
    shape = blueprint.shape
    with TemporaryDirectory() as folder:
        good = [batch.good for batch in Reader(con, blueprint.contract, Path(folder)).read(path)]
    con.execute("create or replace temp table landed as select * from (select 1) where false")
    for number, table in enumerate(good):
        con.register("batch_rows", table)
        verb = "create or replace temp table landed as" if number == 0 else "insert into landed"
        con.execute(f"{verb} select * from batch_rows")
        con.unregister("batch_rows")
    fields = ", ".join(f"record.{quote(name)} as {quote(name)}" for name, _ in shape)
    typed = ", ".join(f"{quote(name)}::{wire_type(inner)} as {quote(name)}" for name, inner in shape)
    landed = f"select *, {whole_record(shape)} as payload from (select {typed}, _extra, _source_line from landed)"
    parsed = f"select *, from_json(payload, {literal(struct_json(shape))}) as record from ({landed})"
    return (
        f"select 'file ' || _source_line as tenant_skey, 'main' as source_account, _source_line as source_position, "
        f"timestamp '2026-03-01' as exported_at, payload as raw_data_payload, {fields} from ({parsed})"
    )


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> Answer:
    result = con.execute(query)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
