"""Engines on trial: each case of an engine as tables in a DuckDB of its own, and its macros compiled one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2

from pipeline.config.accounts import Account
from pipeline.config.engine_cases import Case, unit_test_cases
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import Engine, engines_like
from tests.warehouse.engine_fixture import CATALOG, CONNECTORS, MACROS, a_source, create_inputs
from warehouse.projects.canonical_tables import CANONICAL
from warehouse.projects.unit_tests import resolve_expected

PATTERNS = ("purchase", None)
"""The conversions that tenants name."""
MAIN = Account(name="main", currency="SEK", timezone="Asia/Kolkata")
"""An account of which the tenant says what no record says by chance."""
MACRO = re.compile(r"\{% macro (\w+)\(.*?\{%-? endmacro %\}", re.DOTALL)
Rows = list[tuple[Any, ...]]  # Any: values of every DuckDB type


@dataclass(frozen=True)
class Trial:
    """A case of an engine: its records as tables, and the rows it expects of them."""

    engine: Engine
    arguments: Mapping[str, object]
    con: duckdb.DuckDBPyConnection
    columns: Mapping[str, str]
    expected: Rows

    def passes(self, query: str) -> bool:
        """Whether a query gives the rows that are expected; columns that the case leaves out are not compared.

        Raises:
            duckdb.Error: The query is no SQL, or fails on these records.
        """
        typed = ", ".join(f"cast({name} as {type_})" for name, type_ in self.columns.items())
        return sorted(self.con.execute(f"select {typed} from ({query})").fetchall(), key=repr) == self.expected


@dataclass
class Library:
    """Macros by name, each compiled by itself; they call each other by whatever stands here now."""

    texts: Mapping[str, str]
    current: dict[str, Callable[..., str]] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)  # by a trial or by another macro

    def __post_init__(self) -> None:
        self.current |= {name: self.compiled(name, text) for name, text in self.texts.items()}

    def compiled(self, name: str, text: str) -> Callable[..., str]:
        """A macro of this name.

        Raises:
            jinja2.TemplateError: The text is no template.
        """
        calls = {each: self._caller(each) for each in self.texts if each != name}
        macro: Callable[..., str] = getattr(_environment().from_string(text).make_module(calls), name)
        return macro

    def query(self, trial: Trial) -> str:
        return self._caller(trial.engine.macro)(**trial.arguments)

    def _caller(self, name: str) -> Callable[..., str]:
        def call(*values: object, **named: object) -> str:
            self.called.add(name)
            return str(self.current[name](*values, **named))

        return call


def trials_of(name: str) -> Iterator[Trial]:
    """The cases of a connector's engines, for every source that is like it and for what tenants may say."""
    platforms = [name, *(other.name for other in CATALOG.values() if other.like == name)]
    for engine, platform in product(engines_like(name), platforms):
        seen: list[Case] = []
        for pattern in PATTERNS:
            case = unit_test_cases(name)[engine.macro](pattern)
            if case not in seen:
                seen.append(case)
                yield trial_of(engine, platform, case, pattern)


def trial_of(engine: Engine, platform: str, case: Case, pattern: str | None = None) -> Trial:
    """A case for one source of a tenant that names a pattern of conversions, or none."""
    logic = {"facebook_insights": {"conversion_event_pattern": pattern}} if pattern else {}
    source = a_source(platform, (MAIN,), logic)
    tenant = Tenant(slug="t", business_name="T", sources=(source,))
    con = duckdb.connect(config={"threads": 1})
    con.execute("set TimeZone = 'Pacific/Auckland'")  # an engine that reads the session's clock is wrong
    create_inputs(con, engine, platform, case.records, {}, case.records, case.canonical)
    (canonical,) = (each for each in CANONICAL if each.name == engine.fills)
    types = {column.name: column.type for column in canonical.columns if column.name in case.expected[0]}
    return Trial(
        engine, engine.call(tenant, source), con, types, _typed(con, resolve_expected(case, tenant, source), types)
    )


def _typed(con: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, object]], types: Mapping[str, str]) -> Rows:
    """Rows as the engine would give them: what a case writes as text, in the column's type."""
    typed = "select " + ", ".join(f"cast(${name} as {type_})" for name, type_ in types.items())
    return sorted((con.execute(typed, {name: row[name] for name in types}).fetchall()[0] for row in rows), key=repr)


def connectors() -> list[str]:
    """The connectors that have engines of their own."""
    return sorted(path.parent.name for path in CONNECTORS.glob("*/engine.sql") if path.parent.name in CATALOG)


@cache
def macros(connector: str) -> Mapping[str, str]:
    """The macros of a connector's engines by name; of all connectors for `*`."""
    return _macros_in(CONNECTORS.glob(f"{connector}/engine.sql"))


@cache
def shared_macros() -> Mapping[str, str]:
    """The macros of `warehouse/macros/utils` by name."""
    return _macros_in(MACROS.glob("utils/*.sql"))


def _macros_in(paths: Iterable[Path]) -> Mapping[str, str]:
    texts = [path.read_text(encoding="utf-8") for path in sorted(paths)]
    return {found[1]: found[0] for text in texts for found in MACRO.finditer(text)}


@cache
def _environment() -> jinja2.Environment:
    def refuse(message: str) -> None:
        raise jinja2.TemplateError(message)

    environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)  # SQL
    environment.globals |= {
        "ref": lambda name: name,
        "source": lambda _, name: name,
        "exceptions": SimpleNamespace(raise_compiler_error=refuse),
    }
    return environment
