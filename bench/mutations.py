"""Would a unit test notice? Every engine with one thing wrong, run against the cases of its dbt unit test.

`python -m bench.mutations` runs all in two minutes; `--engine google_ads` runs the macros of one connector. A mutant
that no case notices is printed with its change, and the exit code is 1: extend `warehouse/cases/<connector>.py` until
one does.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, product
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.mutants import ALIAS, Macro, Mutant, mutants
from pipeline.contracts.fields import Shape
from pipeline.tenants import Account, Tenant
from tests.warehouse.engine_rig import BLUEPRINTS, CATALOG, MACROS, a_source, create_inputs
from warehouse.canonical import CANONICAL
from warehouse.cases import Case, cases_like
from warehouse.engines import Engine, engines_like
from warehouse.star_unit_tests import settled

ALTERNATIVES = 2
"""How many siblings a column is swapped for."""
STATUSES = "platform_ref__order_statuses"
PATTERNS = ("purchase", None)
"""What tenants name as their conversions."""
MAIN = Account(name="main", currency="SEK", timezone="Asia/Kolkata")
"""An account of which the tenant says what no record says by chance."""

EQUIVALENT: Sequence[tuple[str, str, str]] = (
    ("amazon_ads", r"coalesce\(reports.spend, reports.cost\)", "They are two names of one number."),
    (
        "amazon_ads",
        r"coalesce\(reports.campaignId, ad_groups.campaignId, ads",
        "An ad is in the campaign of its ad group.",
    ),
    (
        "bing_ads",
        r"coalesce\(reports.AccountNumber, reports.AccountId",
        "An account has one id and one number, both its own.",
    ),
    ("facebook_ads", r"-> +insights.ad_id, insights.date_st\w+$", "Ranges of one thing are one day or never overlap."),
    ("shopify", r"is_cancelled = not is_cancelled$", "Shopify says by cancelled_at which orders were cancelled."),
    ("linkedin_ads", r"^order: upper\(coalesce\(dailyBudget", "All money of a campaign is in one currency."),
    (
        "linkedin_ads",
        r"coalesce\(accounts.currency, campaigns.currency",
        "An account's currency is that of all its campaigns.",
    ),
    ("linkedin_ads", r"-> +coalesce\(pivotValues, \[pivotValue\]\)", "A pivot that is NULL has no type."),
    ("linkedin_ads", r"other urn:li:", "Of a URN, only the type and the id are read."),
    ("linkedin_ads", r"\)\[-1\], ':'", "A row has one pivot of a type."),
    (
        "tiktok_ads",
        r"coalesce\(reports.campaign_id, ad_groups.campaign_id, ads",
        "An ad is in the campaign of its ad group.",
    ),
    ("tiktok_ads", r"other (4 advertiser|2 hour)", "It is the last in alphabetical order before and after."),
    ("woocommerce", r"when statuses.raw_status = 'refunded'", "WooCommerce's only word for refunded is refunded."),
    (
        "google_analytics",
        r"case when true then .*event_param\('currency'\)",
        "Looked up for purchases alone, to save time.",
    ),
    ("google_ads", r"^order: .*resourceName", "The resource names and ids of one row always agree."),
    ("google_ads", r"^dropped: .*regexp_extract", "A resource name always holds the id that it is asked for."),
)
"""Mutants that give the same rows whatever a vendor sends: connector, pattern of the mutant, why."""

NO_SQL = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, jinja2.TemplateError, TypeError)
MACRO = re.compile(r"\{% macro (\w+)\(.*?\{%-? endmacro %\}", re.DOTALL)
Rows = list[tuple[Any, ...]]  # Any: values of every DuckDB type


@dataclass(frozen=True)
class Verdict:
    """What became of the mutants of one connector's engines."""

    name: str
    killed: int
    equivalent: int
    survivors: tuple[Mutant, ...]
    seconds: float


@dataclass(frozen=True)
class Trial:
    """A case of an engine: its records as tables, and the rows it expects of them."""

    engine: Engine
    arguments: Mapping[str, object]
    con: duckdb.DuckDBPyConnection
    columns: Mapping[str, str]
    expected: Rows

    def passes(self, query: str) -> bool:
        """Whether a query gives the rows that are expected; columns that the case leaves out are not compared."""
        typed = ", ".join(f"cast({name} as {type_})" for name, type_ in self.columns.items())
        return sorted(self.con.execute(f"select {typed} from ({query})").fetchall(), key=repr) == self.expected


@dataclass
class Library:
    """Macros by name, each compiled by itself; they call each other by whatever stands here now."""

    texts: dict[str, str]
    current: dict[str, Callable[..., str]] = field(default_factory=dict)

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
        return str(self.current[trial.engine.macro](**trial.arguments))

    def _caller(self, name: str) -> Callable[..., str]:
        return lambda *values, **named: self.current[name](*values, **named)  # noqa: PLW0108 (a mutant replaces it later)


def judge(name: str) -> Verdict:
    """Run every mutant of a connector's macros, and of what the status map says of its orders.

    Raises:
        ValueError: A case fails without any mutant.
    """
    started = time.perf_counter()
    trials, library = list(_trials(name)), Library(_macros("utils/*.sql") | _macros(f"engines/{name}.sql"))
    queries = [library.query(trial) for trial in trials]
    for trial, query in zip(trials, queries, strict=True):
        if not trial.passes(query):
            raise ValueError(f"The case of {trial.engine.macro} fails as it is. Run the tests of {name} first.")
    survivors, killed, equivalent = [], 0, 0
    for mutant, is_noticed in chain(_of_macros(name, library, trials, queries), _of_statuses(name, trials, queries)):
        if is_noticed:
            killed += 1
        elif any(each == name and re.search(pattern, str(mutant)) for each, pattern, _ in EQUIVALENT):
            equivalent += 1
        else:
            survivors.append(mutant)
    return Verdict(name, killed, equivalent, tuple(survivors), time.perf_counter() - started)


Judged = Iterator[tuple[Mutant, bool]]
"""Mutants, each with whether a case notices it."""


def _of_macros(name: str, library: Library, trials: Sequence[Trial], queries: Sequence[str]) -> Judged:
    for macro_name, text in _macros(f"engines/{name}.sql").items():
        counted: Counter[int] = Counter()
        for mutant in mutants(Macro(text, _shapes(name), _families(name, text))):
            if mutant.site is None or counted[mutant.site] < ALTERNATIVES:
                is_noticed = _is_noticed(macro_name, mutant, library, trials, queries)
                if is_noticed is not None:
                    yield mutant, is_noticed
                    counted.update([mutant.site] if mutant.site is not None else [])


def _of_statuses(name: str, trials: Sequence[Trial], queries: Sequence[str]) -> Judged:
    """Every status of a shop that means something else for the money, or for whether the order was cancelled."""
    for trial, query in zip(trials, queries, strict=True):
        if STATUSES in trial.engine.references:
            rows = f"from {STATUSES} where source_platform = '{name}'"
            for (status,) in trial.con.execute(f"select raw_status {rows}").fetchall():
                for change in ("financial_status = 'other'", "is_cancelled = not is_cancelled"):
                    trial.con.begin()
                    trial.con.execute(
                        f"update {STATUSES} set {change} where source_platform = ? and raw_status = ?", [name, status]
                    )
                    yield Mutant("literal", "", f"{STATUSES} of {status}  ->  {change}"), not trial.passes(query)
                    trial.con.rollback()


def _is_noticed(
    name: str, mutant: Mutant, library: Library, trials: Sequence[Trial], queries: Sequence[str]
) -> bool | None:
    """Whether a case fails; None where the mutant is no SQL, or the same SQL."""
    original = library.current[name]
    try:
        library.current[name] = library.compiled(name, mutant.text)
        changed = [library.query(trial) for trial in trials]
        tried = [(trial, query) for trial, query, was in zip(trials, changed, queries, strict=True) if query != was]
        return not all(trial.passes(query) for trial, query in tried) if tried else None
    except NO_SQL:
        return None
    except duckdb.Error:
        return True
    finally:
        library.current[name] = original


def _trials(name: str) -> Iterator[Trial]:
    """The cases of a connector's engines, for every source that is like it and for what tenants may say."""
    platforms = [name, *(other.name for other in CATALOG.values() if other.like == name)]
    for engine, platform in product(engines_like(name), platforms):
        seen: list[Case] = []
        for pattern in PATTERNS:
            case = cases_like(name)[engine.macro](pattern)
            if case not in seen:
                seen.append(case)
                yield _trial(engine, platform, case, pattern)


def _trial(engine: Engine, platform: str, case: Case, pattern: str | None) -> Trial:
    logic = {"facebook_insights": {"conversion_event_pattern": pattern}} if pattern else {}
    source = a_source(platform, (MAIN,), logic)
    tenant = Tenant(slug="t", business_name="T", sources=(source,))
    con = duckdb.connect(config={"threads": 1})
    con.execute("set TimeZone = 'UTC'")
    create_inputs(con, engine, platform, case.records, {}, case.records, case.canonical)
    (canonical,) = (each for each in CANONICAL if each.name == engine.fills)
    types = {column.name: column.type for column in canonical.columns if column.name in case.expected[0]}
    return Trial(engine, engine.call(tenant, source), con, types, _typed(con, settled(case, tenant, source), types))


def _typed(con: duckdb.DuckDBPyConnection, rows: Sequence[Mapping[str, object]], types: Mapping[str, str]) -> Rows:
    """Rows as the engine would give them: what a case writes as text, in the column's type."""
    typed = "select " + ", ".join(f"cast(${name} as {type_})" for name, type_ in types.items())
    return sorted((con.execute(typed, {name: row[name] for name in types}).fetchall()[0] for row in rows), key=repr)


@cache
def _macros(files: str) -> dict[str, str]:
    texts = [path.read_text(encoding="utf-8") for path in sorted(MACROS.glob(files))]
    return {found[1]: found[0] for text in texts for found in MACRO.finditer(text)}


@cache
def _environment() -> jinja2.Environment:
    def refuse(message: str) -> None:
        raise jinja2.TemplateError(message)

    environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)
    environment.globals |= {
        "ref": lambda name: name,
        "source": lambda _, name: name,
        "exceptions": SimpleNamespace(raise_compiler_error=refuse),
    }
    return environment


@cache
def _shapes(name: str) -> tuple[Shape, ...]:
    objects = sorted({each for engine in engines_like(name) for each in (*engine.objects, *engine.history)})
    return tuple(BLUEPRINTS[name, each].shape for each in objects)


def _families(name: str, text: str) -> list[list[str]]:
    """Siblings beside the contracts' fields: canonical columns of one type, what the macro itself names."""
    filled = {engine.fills for engine in engines_like(name)}
    columns = [column for each in CANONICAL if each.name in filled for column in each.columns]
    types = dict.fromkeys(column.type for column in columns)
    families = [list(dict.fromkeys(each.name for each in columns if each.type == type_)) for type_ in types]
    return [*families, list(dict.fromkeys(one or other for one, other in ALIAS.findall(text)))]


def connectors() -> list[str]:
    """The connectors that have engines of their own."""
    return sorted(path.stem for path in (MACROS / "engines").glob("*.sql") if path.stem in CATALOG)


def _table(verdicts: Iterable[Verdict]) -> Table:
    table = Table("engines of", "mutants", "killed", "survived", "equivalent", "seconds")
    figures = [(each.killed, len(each.survivors), each.equivalent, each.seconds) for each in verdicts]
    names = [*(each.name for each in verdicts), "all"]
    totals = [sum(column) for column in zip(*figures, strict=True)]
    for name, (killed, survived, equivalent, seconds) in zip(names, [*figures, totals], strict=True):
        counts = (killed + survived + equivalent, killed, survived, equivalent)
        table.add_row(name, *map(str, counts), f"{seconds:.1f}")
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=connectors(), action="append", help="Only this connector's engines.")
    names = parser.parse_args().engine or connectors()
    verdicts = [judge(name) for name in track(names, description="Mutating", console=Console(stderr=True))]
    for verdict in verdicts:
        for mutant in verdict.survivors:
            print(f"{verdict.name}: {mutant}")
    Console().print(_table(verdicts))
    sys.exit(any(verdict.survivors for verdict in verdicts))


if __name__ == "__main__":
    main()
