"""How often the keys of a fact repeat, from the definitions of its run: whether grouping by them first leaves few rows.

Numbers are kept as bits (10 for a thousand), rounded so that groups are never taken for fewer than they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from semantic.catalog.catalog import DATE
from semantic.catalog.expression import columns_in
from semantic.catalog.run_definitions import ROWS_OF_A_GROUP, DimensionDefinition, FactDefinition, RunDefinitions
from semantic.planning.query_shape import Key

_BITS_OF_A_GROUP = ROWS_OF_A_GROUP.bit_length() - 1
_DAYS_OF = {"day": 1, "week": 7, "month": 28, "quarter": 90, "year": 365}
_EXACT = {"count": "count", "minimum": "min", "maximum": "max"}


@dataclass(frozen=True, kw_only=True)
class FactSize:
    """The size of a fact, in bits."""

    rows: int
    days: int
    """Of its first day to its last one."""
    keys: Mapping[str, int]
    """By column of a join, its different keys."""
    values: Mapping[str, int]
    """By dimension, its values where they are few."""
    beside: Mapping[str, Mapping[str, int]]
    """By column of a join, and by dimension in the fact's own columns: its values for each key."""

    def has_few_groups(self, columns: Iterable[str], keys: Iterable[Key]) -> bool:
        """Whether columns of joins, together with dimensions of the fact, have few groups for its rows."""
        joined = tuple(columns)
        bits = [*(self.keys.get(column) for column in joined), *(self._bits(key, joined) for key in keys)]
        known = [each for each in bits if each is not None]
        return len(known) == len(bits) and sum(known) + _BITS_OF_A_GROUP <= self.rows

    def _bits(self, key: Key, columns: Iterable[str]) -> int | None:
        """The bits of a dimension's values beside these keys; None where they are not known to be few."""
        if key.name == DATE:
            return _bits_of((1 << self.days) // _DAYS_OF[key.grain or "day"] + 1)
        known = [self.values.get(key.name), *(self.beside.get(column, {}).get(key.name) for column in columns)]
        return min((each for each in known if each is not None), default=None)


def fact_size(fact: str, definitions: RunDefinitions) -> FactSize:
    """The size of a fact of a run."""
    known, dimensions = definitions.facts[fact], _columns_of(fact, definitions)
    joins = [each for each in definitions.relationships if each.from_model == fact and each.keys]
    return FactSize(
        rows=max(0, known.rows.bit_length() - 1),
        days=_bits_of(_days(known)),
        keys={each.column: _bits_of((each.keys or 0) + 1) for each in joins},  # and rows without one
        values={
            name: _bits_of(count + 1)
            for name, each in definitions.dimensions.items()
            if fact in each.paths and (count := _values(each))
        },
        beside={
            each.column: {
                name: _bits_of(each.groups[column] // (each.keys or 1) + 1)
                for name, column in dimensions.items()
                if column in each.groups
            }
            for each in joins
        },
    )


def exact_aggregates(fact: str, definitions: RunDefinitions) -> dict[str, str]:
    """The measures of a fact whose values of parts give exactly that of the whole: sum, count, min or max of each.

    A sum of doubles depends on the order of its rows, and is none of them.
    """
    measures, found = definitions.measures_of(fact), {}
    for name, metric in definitions.metrics.items():
        if metric.fact != fact or name not in measures:
            continue
        if metric.kind in _EXACT:
            found[name] = _EXACT[metric.kind]
        elif metric.kind == "sum" and metric.type != "number" and measures[name].endswith(".sum()"):
            found[name] = "sum"
    return found


def determined_dimensions(fact: str, definitions: RunDefinitions) -> dict[str, tuple[str, ...]]:
    """By dimension in a fact's own columns: the keys of joins of which each has one value of it."""
    joins = [each for each in definitions.relationships if each.from_model == fact]
    by = {
        name: tuple(join_key(each.column) for each in joins if column in each.determines)
        for name, column in _columns_of(fact, definitions).items()
    }
    return {name: keys for name, keys in by.items() if keys}


def _columns_of(fact: str, definitions: RunDefinitions) -> dict[str, str]:
    """By dimension in a fact's own columns: the only column that it reads."""
    read = {name: columns_in(text) for name, text in definitions.models[fact].dimensions.items()}
    return {name: columns[0] for name, columns in read.items() if len(columns) == 1}


def join_key(column: str) -> str:
    """The name of a scan's key that is the column of a join."""
    return f"by_{column}"


def _days(fact: FactDefinition) -> int:
    return (fact.last_date - fact.first_date).days + 1 if fact.first_date and fact.last_date else 0


def _values(dimension: DimensionDefinition) -> int:
    return 2 if dimension.type == "boolean" else len(dimension.values or dimension.order)


def _bits_of(number: int) -> int:
    """The bits of a number, rounded up."""
    return max(0, number - 1).bit_length()
