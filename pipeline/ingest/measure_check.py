"""Measures of one file: which of those that its contract promises it holds, and what came in place of the others.

A record is known by its key and date, and whatever else it lacks would count as 0. So where no record of a file has a
measure that every export carries, or where an unknown field has taken a measure's place, the file has drifted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

import duckdb
import pyarrow as pa

from pipeline.contracts.fields import Contract, Leaf, Many, Record, Shape, shape_of
from pipeline.contracts.measures import Measure, Sent
from pipeline.contracts.sql import literal, quote
from pipeline.ingest.drift import MIN_RECORDS, Drift, none_came
from pipeline.ingest.values.wire_values import EXTRA

LOOKED_AT = 1_000
"""Records of a batch whose nested fields are looked at by name: a source renames a field in all of its records."""
ALIKE = 0.9
"""Similarity of two names from which on one stands in the other's place: `conversions` for `conversion`, and not
`clicks` for `unique_clicks`."""
NEAR = 0.6
"""Similarity from which on a name is worth saying, where a measure that every export carries is absent."""
LONGEST_ENDING = 2
"""Letters by which a name that stands in another's place may be longer: `price_set` is not `price`."""


@dataclass(frozen=True)
class Place:
    """Where a measure's field lies: as a path of JSON in a column, `list_path` the innermost list on the way."""

    column: str
    path: str
    list_path: str | None
    is_list: bool

    @property
    def value(self) -> str:
        """SQL of its value as text; of one in a list, of the values."""
        column = f"{quote(self.column)}::varchar"
        return column if self.path == "$" else f"json_extract_string({column}, {literal(self.path)})"


class MeasureCheck:
    """Looks at a file's good records, batch by batch, for the measures of its contract and for unknown nested fields.

    Attributes:
        held: Names of the measures that a record so far has a value of.
        promised: Names of the measures whose place was there: that of a measure in a list is where the list has an
            element.
        unknown: Dotted paths of nested fields that the contract does not know.
        present: Dotted paths of all nested fields, with a value or without.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, contract: type[Contract]) -> None:
        self._con, self._contract, self._shape = con.cursor(), contract, shape_of(contract)
        nested = [(name, inner) for name, inner in self._shape if not isinstance(inner, Leaf)]
        self._nested: list[tuple[str, Shape]] = [*nested, (EXTRA, Record(()))]
        self.held = set[str]()
        self.promised = set[str]()
        self.unknown = set[str]()
        self._inside_unknown = set[str]()
        self.present = set[str]()
        self._records = 0

    def add(self, good: pa.Table) -> None:
        """Look at the good records of a batch."""
        if not good.num_rows:
            return
        self._records += good.num_rows
        self._look(good.slice(0, LOOKED_AT), self._nested)
        if good.num_rows > LOOKED_AT:
            self._look(good.slice(LOOKED_AT), [])

    def drifts(self, names: AbstractSet[str], steady: AbstractSet[str]) -> Iterator[Drift]:
        """The measures that the file lacks although its contract promises them, or that another field replaced.

        Args:
            names: The file's top-level fields, with a value or without.
            steady: Names of measures that every export held so far.
        """
        if not self._records:
            return
        others = (names - dict(self._shape.fields).keys()) | self.unknown | self._inside_unknown
        for measure in self._contract.measures:
            if measure.name in self.held or measure.name not in self.promised or measure.sent is Sent.BY_SHOP:
                continue
            near = _nearest(measure, others)
            if says := self._broken_promise(measure, near, names, steady):
                yield Drift(measure.name, says, _came(measure, near, others), self._records, self._records)

    def _broken_promise(
        self, measure: Measure, near: str | None, names: AbstractSet[str], steady: AbstractSet[str]
    ) -> str | None:
        """What the contract says of a measure that no record has; None where its absence is in order."""
        if near is not None and _likeness(measure, near) >= ALIKE:
            return measure.sent
        is_named = any(path in names | self.present for path in measure.paths)
        if is_named and self._records < MIN_RECORDS:  # dirt: the field came, with no value
            return None
        if measure.sent is Sent.ALWAYS and not self._was_not_asked_for(measure):
            return measure.sent
        if measure.sent is Sent.IF_ASKED and is_named:
            return measure.sent
        is_a_column = measure.sent in (Sent.IF_ASKED, Sent.ON_REQUEST)
        return "in every export so far" if is_a_column and measure.name in steady else None

    def _was_not_asked_for(self, measure: Measure) -> bool:
        """Whether the file has, of all measures, only such as are asked for without this one."""
        return bool(self.held) and self.held <= set(measure.alone)

    def _look(self, rows: pa.Table, nested: Sequence[tuple[str, Shape]]) -> None:
        """Look for the measures that are not held yet, and at the names inside the nested columns given."""
        missing = [measure for measure in self._contract.measures if measure.name not in self.held]
        items = [_measure_items(self._contract, measure) for measure in missing]
        items += [f"json_group_structure({quote(name)}::json)::varchar" for name, _ in nested]
        if not items:
            return
        self._con.register("batch", rows)
        found = self._con.execute(f"select {', '.join(items)} from batch").fetchall()[0]
        self._con.unregister("batch")
        flags, structures = found[: 2 * len(missing)], found[2 * len(missing) :]
        for measure, is_held, is_promised in zip(missing, flags[::2], flags[1::2], strict=True):
            self.held |= {measure.name} if is_held else set()
            self.promised |= {measure.name} if is_promised else set()
        for (name, shape), text in zip(nested, structures, strict=True):
            structure = json.loads(text)
            if name == EXTRA:
                self._inside_unknown.update(_paths_in(structure, ""))
            else:
                self.unknown.update(_unknown_in(structure, shape, name))
                self.present.update(_paths_in(structure, f"{name}."))


@cache
def _measure_items(contract: type[Contract], measure: Measure) -> str:
    """Two select items: whether a record holds a measure, and whether its place is there."""
    places = [place_in(contract, path) for path in measure.paths]
    held, promised = (" or ".join(map(test, places)) for test in (_is_held, _is_promised))
    return f"bool_or({held}), bool_or({promised})"


@cache
def place_in(contract: type[Contract], path: str) -> Place:
    """Where the field at a dotted path lies in the landing rows of a contract.

    Raises:
        ValueError: The contract declares no such field.
    """
    head, *inside = path.split(".")
    shape: Shape = shape_of(contract)
    json_path, list_path = "$", None
    for number, name in enumerate([head, *inside]):
        if isinstance(shape, Many):
            list_path, json_path, shape = json_path, f"{json_path}[*]", shape.of
        fields = dict(shape.fields) if isinstance(shape, Record) else {}
        if name not in fields:
            raise ValueError(f"{path} is no field of the contract.")
        json_path += f".{json.dumps(name, ensure_ascii=False)}" if number else ""
        shape = fields[name]
    return Place(head, json_path, list_path, isinstance(shape, Many))


def _is_held(place: Place) -> str:
    if place.is_list:
        lengths = f"json_array_length({quote(place.column)}::varchar, {literal(place.path)})"
        return f"coalesce({f'list_max({lengths})' if place.list_path else lengths}, 0) > 0"
    if place.list_path:
        return f"coalesce(len(list_filter({place.value}, lambda v: coalesce(trim(v), '') <> '')), 0) > 0"
    return f"coalesce(trim({place.value}), '') <> ''"


def _is_promised(place: Place) -> str:
    """Whether a record has the list that the measure lies in, with an element."""
    if place.list_path is None:
        return "true"
    elements = f"json_extract({quote(place.column)}::varchar, {literal(place.list_path + '[*]')})"
    return f"coalesce(len({elements}), 0) > 0"


def _unknown_in(found: object, shape: Shape, path: str) -> Iterator[str]:
    """The fields of a JSON structure that a shape does not have."""
    if isinstance(found, list) and isinstance(shape, Many):
        yield from _unknown_in(found[0], shape.of, path)
    elif isinstance(found, dict) and isinstance(shape, Record):
        fields = dict(shape.fields)
        for name, inner in found.items():
            if name in fields:
                yield from _unknown_in(inner, fields[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"


def _paths_in(found: object, path: str) -> Iterator[str]:
    """Every path of a JSON structure."""
    if isinstance(found, list):
        yield from _paths_in(found[0], path)
    elif isinstance(found, dict):
        for name, inner in found.items():
            yield f"{path}{name}"
            yield from _paths_in(inner, f"{path}{name}.")


def _came(measure: Measure, near: str | None, others: Iterable[str]) -> str:
    """What came instead: the name that is most like the measure's, else the unknown ones that stand beside its own."""
    if near:
        return f"none came, and {near}, which it does not know, came"
    objects = {path.rpartition(".")[0] for path in measure.paths}
    return none_came({other for other in others if other.rpartition(".")[0] in objects}, "unknown to it")


def _nearest(measure: Measure, others: Iterable[str]) -> str | None:
    """The unknown field that is spelt most like a measure; None where none is like it."""
    scored = [(_likeness(measure, other), other) for other in sorted(others)]
    score, name = max(scored, key=lambda each: each[0], default=(0.0, ""))
    return name if score >= NEAR else None


def _likeness(measure: Measure, other: str) -> float:
    """How much a field's name is like a measure's, from 0 to 1; 1 where they differ by signs and case alone."""
    return max(_alike(path, other) for path in measure.paths)


def _alike(path: str, other: str) -> float:
    if _letters(path) == _letters(other):
        return 1.0
    ours, theirs = (_letters(each.rpartition(".")[2]) for each in (path, other))
    ratio = SequenceMatcher(None, ours, theirs).ratio()
    return ratio if abs(len(ours) - len(theirs)) <= LONGEST_ENDING else min(ratio, ALIKE - 0.01)


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()
