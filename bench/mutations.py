"""Would a unit test notice? Every engine with one thing wrong, run against the cases of its dbt unit test.

`python -P -m bench.mutations` runs all in twenty minutes; `--engine google_ads` runs the macros of one connector, and
`--engine shared` those that engines share (`cast_as`, `major_units`, ...), against the cases of all. `--quick` swaps a
column for the two likeliest alone, not for every one it could be taken for; `--only FILE` runs the mutants that an
earlier run has printed there, to see whether they are noticed now.

A mutant that no case notices is printed with its change, and the exit code is 1: extend
`unit_tests.py` beside the engine until one does, or say in `equivalent_mutants.py` why none ever can.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import duckdb
import jinja2
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.engine_trials import Library, Trial, connectors, macros, shared_macros, trials_of
from bench.equivalent_mutants import RULES, Rule
from bench.macro_source import ALIAS, Macro, Mutant
from bench.mutants import mutants
from pipeline.contracts.engine import engines_like
from pipeline.contracts.fields import Shape
from tests.warehouse.engine_fixture import BLUEPRINTS
from warehouse.projects.canonical_tables import CANONICAL

SHARED = "shared"
"""The name of the macros of `macros/utils` here."""
ALL = 10**6
"""As many columns as a column could be taken for."""
QUICK = 2
STATUSES = "platform_ref__order_statuses"
CURRENCIES = "platform_ref__currencies"
STATUS_CHANGES = {"financial_status": "'other'", "is_cancelled": "not is_cancelled"}
NO_SQL = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException, jinja2.TemplateError, TypeError)
Judged = Iterator[tuple[Mutant, bool]]
"""Mutants, each with whether a case notices it."""
Wanted = Collection[str] | None
"""The mutants to run, as they are printed; None for all."""


@dataclass(frozen=True)
class Verdict:
    """What became of the mutants of one connector's engines, or of the macros that engines share."""

    name: str
    killed: int
    equivalent: int
    survivors: tuple[Mutant, ...]
    refuted: tuple[tuple[Rule, Mutant], ...]  # rules that call a mutant equivalent which a case notices
    used: frozenset[Rule]
    seconds: float

    @property
    def mutants(self) -> int:
        return self.killed + self.equivalent + len(self.survivors)


@dataclass
class Bench:
    """Macros and the trials they must pass; the trial that noticed the last mutant is asked first."""

    library: Library
    trials: list[tuple[Trial, str]]
    leaves_out_unreached: bool = False

    @classmethod
    def of(cls, trials: Iterable[Trial], texts: Mapping[str, str]) -> Bench:
        """Trials that pass as the macros are.

        Raises:
            ValueError: A case fails without any mutant.
        """
        library = Library(texts)
        queries = [(trial, library.query(trial)) for trial in trials]
        for trial, query in queries:
            if not trial.passes(query):
                raise ValueError(f"The case of {trial.engine.macro} fails as it is. Run its connector's tests first.")
        return cls(library, queries)

    def notices(self, macro: str, mutant: Mutant) -> bool | None:
        """Whether a case fails; None where the mutant is no SQL, or where it is left out as no case reaches it."""
        original = self.library.current[macro]
        try:
            self.library.current[macro] = self.library.compiled(macro, mutant.text)
            queries = [(trial, self.library.query(trial), was) for trial, was in self.trials]
            changed = [(trial, query) for trial, query, was in queries if query != was]
            if self.leaves_out_unreached and not changed:
                return None
            return any(self._fails(trial, query) for trial, query in changed)
        except NO_SQL:
            return None
        finally:
            self.library.current[macro] = original

    def _fails(self, trial: Trial, query: str) -> bool:
        try:
            fails = not trial.passes(query)
        except NO_SQL:
            raise
        except duckdb.Error:
            fails = True
        if fails:
            self.trials.sort(key=lambda pair: pair[0] is not trial)
        return fails


def judge(name: str, siblings: int = ALL, only: Collection[str] | None = None) -> Verdict:
    """Run every mutant of a connector's macros and of the reference tables that they read, or of the shared macros.

    Args:
        only: Sentences as they are printed: no other mutant is run.

    Raises:
        ValueError: A case fails without any mutant.
    """
    started = time.perf_counter()
    wanted = None if only is None else {each.removeprefix(f"{name}: ") for each in only}
    judged = _of_shared(siblings, wanted) if name == SHARED else _of_engines(name, siblings, wanted)
    return verdict(name, judged, RULES, started)


def verdict(name: str, judged: Judged, rules: Sequence[Rule], started: float) -> Verdict:
    """Count what became of mutants; a survivor is equivalent by the first rule that covers it."""
    survivors, refuted, used = [], [], []
    killed = 0
    for mutant, is_noticed in judged:
        rule = next((rule for rule in rules if rule.covers(name, mutant)), None)
        killed += is_noticed
        if rule is not None:
            used.append(rule)
            refuted += [(rule, mutant)] if is_noticed else []
        elif not is_noticed:
            survivors.append(mutant)
    equivalent = len(used) - len(refuted)
    seconds = time.perf_counter() - started
    return Verdict(name, killed, equivalent, tuple(survivors), tuple(refuted), frozenset(used), seconds)


def sources(name: str) -> dict[str, Macro]:
    """The macros of a connector, by name."""
    texts = macros(name)
    return {macro: Macro(text, _shapes(name), _families(name, text)) for macro, text in texts.items()}


def _of_engines(name: str, siblings: int, wanted: Wanted) -> Judged:
    bench = Bench.of(trials_of(name), {**shared_macros(), **macros(name)})
    of_macros = (of_macro(macro, source, bench, siblings, wanted) for macro, source in sources(name).items())
    return chain(chain.from_iterable(of_macros), _of_references(name, bench.trials, wanted))


def _of_shared(siblings: int, wanted: Wanted) -> Judged:
    """What no engine calls is left to the tests of the factories and of the filters, which do."""
    texts = {**shared_macros(), **macros("*")}
    bench = Bench.of(chain.from_iterable(trials_of(name) for name in connectors()), texts)
    bench.leaves_out_unreached = True
    for name, text in shared_macros().items():
        if name in bench.library.called:
            yield from of_macro(name, Macro(text, (), [_aliases(text)]), bench, siblings, wanted)


def of_macro(name: str, macro: Macro, bench: Bench, siblings: int, wanted: Wanted = None) -> Judged:
    """The mutants of a macro that are SQL; of those of one site, so many."""
    counted: Counter[int] = Counter()
    for mutant in mutants(macro):
        if wanted is not None and str(mutant) not in wanted:
            continue
        if mutant.site is None or counted[mutant.site] < siblings:
            is_noticed = bench.notices(name, mutant)
            if is_noticed is not None:
                yield mutant, is_noticed
                counted.update([mutant.site] if mutant.site is not None else [])


def _of_references(name: str, trials: Sequence[tuple[Trial, str]], wanted: Wanted) -> Judged:
    """Rows of reference tables that say something else: where the money is, what was cancelled, what a unit is."""
    for trial, query in list(trials):
        for table, changes in (STATUSES, _of_statuses), (CURRENCIES, _of_currencies):
            if table in trial.engine.references:
                for change, where in changes(name, trial, query):
                    mutant = Mutant("reference", "", f"{table} where {where}  ->  {change}")
                    if wanted is not None and str(mutant) not in wanted:
                        continue
                    trial.con.begin()
                    trial.con.execute(f"update {table} set {change} where {where}")
                    yield mutant, not trial.passes(query)
                    trial.con.rollback()


def _of_statuses(name: str, trial: Trial, query: str) -> Iterator[tuple[str, str]]:
    """Every status of a shop, in every column that its engine reads."""
    known = trial.con.execute(f"select raw_status from {STATUSES} where source_platform = '{name}'").fetchall()
    for column, to in STATUS_CHANGES.items():
        if f"statuses.{column}" in query:
            for (status,) in known:
                yield f"{column} = {to}", f"source_platform = '{name}' and raw_status = '{status}'"


def _of_currencies(_name: str, trial: Trial, _query: str) -> Iterator[tuple[str, str]]:
    """Every currency that has other units than hundredths, by ISO 4217 or by the provider; the rest at once."""
    others = f"select currency from {CURRENCIES} where stripe_exponent <> 2 or stripe_exponent <> exponent"
    change = "stripe_exponent = case stripe_exponent when 2 then 0 else 2 end"
    for (currency,) in trial.con.execute(others).fetchall():
        yield change, f"currency = '{currency}'"
    yield change, f"currency not in ({others})"


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
    return [*families, _aliases(text)]


def _aliases(text: str) -> list[str]:
    return list(dict.fromkeys(one or other for one, other in ALIAS.findall(text)))


def _table(verdicts: Sequence[Verdict]) -> Table:
    table = Table("engines of", "mutants", "killed", "survived", "equivalent", "seconds")
    figures = [(each.mutants, each.killed, len(each.survivors), each.equivalent, each.seconds) for each in verdicts]
    totals = tuple(sum(column) for column in zip(*figures, strict=True))
    for name, (*counts, seconds) in zip([*(each.name for each in verdicts), "all"], [*figures, totals], strict=True):
        table.add_row(name, *map(str, counts), f"{seconds:.1f}")
    return table


def wrong(verdicts: Sequence[Verdict], rules: Sequence[Rule], *, is_part: bool = False) -> Iterator[str]:
    """What is to be mended, as sentences: survivors, and rules of equivalence that do not hold or are of no use.

    A run of a part does not make every mutant, so it does not say which rules are of no use.
    """
    names = {each.name for each in verdicts}
    used = frozenset[Rule]().union(*(each.used for each in verdicts))
    for each in verdicts:
        yield from (f"{each.name}: {mutant}" for mutant in each.survivors)
        yield from (f"{each.name}: a case notices {mutant}, but: {rule.why}" for rule, mutant in each.refuted)
    unused = [rule for rule in rules if rule.engines in names and rule not in used and not is_part]
    yield from (f"{rule.engines}: no mutant is {rule.change!r}, so no rule is needed" for rule in unused)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [*connectors(), SHARED]
    parser.add_argument("--engine", choices=known, action="append", help="Only these.")
    parser.add_argument("--quick", action="store_true", help="Swap a column for the two likeliest alone.")
    parser.add_argument("--only", type=Path, metavar="FILE", help="Only mutants that an earlier run has printed there.")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    names = track(arguments.engine or known, "Mutating", console=console)
    only = arguments.only and set(arguments.only.read_text(encoding="utf-8").splitlines())
    verdicts = [judge(name, QUICK if arguments.quick else ALL, only) for name in names]
    sentences = list(wrong(verdicts, RULES, is_part=arguments.quick or only is not None))
    print("".join(f"{sentence}\n" for sentence in sentences), end="")
    Console().print(_table(verdicts))
    sys.exit(bool(sentences))


if __name__ == "__main__":
    main()
