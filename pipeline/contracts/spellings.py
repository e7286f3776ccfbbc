"""Spellings: other names of a contract's fields, as typed clients and loaders write them.

A client of protobuf writes `cost_micros` for `costMicros`, a loader flattens `metrics.costMicros` to
`metrics__cost_micros`, `metrics_cost_micros` or a key `metrics.cost_micros`, and a field that is a word of the client's
language ends in an underscore, `type_`. All of them have the letters and digits of the contract's own path, in order.
So a field is the contract's where these are those of exactly one path, and that path does not stand in the record under
its own name. A name that fits several paths is refused, never guessed. Values keep the contract's units.

Sources: protobuf.dev/programming-guides/json (field names in JSON and in proto); dlt-hub/verified-sources,
source google_ads (`preserving_proto_field_name`); dlthub.com/docs/general-usage/
naming-convention and the flattening of targets built with sdk.meltano.com (`__`); airbytehq/airbyte source-google-ads
(dotted keys).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache

from pipeline.contracts.fields import Contract, Many, Record, Shape, shape_of
from pipeline.contracts.measures import Sent

LOADER_COLUMNS = ("_sdc_", "_airbyte_", "_ab_", "_dlt_", "_fivetran_")
"""Prefixes of the columns that Stitch and Singer targets, Airbyte, dlt and Fivetran add to records. Sources:
stitchdata.com/docs (_sdc), docs.airbyte.com (destinations, metadata columns), dlthub.com/docs (system tables),
fivetran.com/docs (system columns)."""

FORMS_READ = 1
"""Counts the extensions of what spellings and envelopes are read: a file withheld before one is read again."""

Path = tuple[str, ...]
"""The names from a record down to one of its values; those through a list are of the list's elements."""


class AmbiguousNameError(ValueError):
    """A name of a file that may be one of several fields, or several names that may be one field."""


@dataclass(frozen=True)
class Placement:
    """A value of a record, and the field that it is."""

    source: Path
    """Its names in the file."""
    target: Path
    """Its path in the contract; an unknown one lies beside the fields of the object that it came in."""
    shape: Shape | None
    """None where the contract does not know it."""
    found: object
    """The structure of the value: a dict, a list of one structure, or anything for a scalar."""

    @property
    def is_moved(self) -> bool:
        """Whether it is a field of the contract under another name."""
        return self.shape is not None and self.source != self.target

    @property
    def is_flattened(self) -> bool:
        """Whether it came at another depth than the contract has it."""
        return self.is_moved and len(self.source) != len(self.target)


def is_of_a_loader(name: str) -> bool:
    """Whether a column says something about a load, and nothing about the record."""
    return name.lower().startswith(LOADER_COLUMNS)


def letters_of(names: str | Iterable[str]) -> str:
    """A name or path without signs and case."""
    return re.sub(r"[\W_]", "", names if isinstance(names, str) else "".join(names)).lower()


def placements(found: Mapping[str, object], shape: Record) -> list[Placement]:
    """Where each value of a record belongs.

    Args:
        found: The structure of the record, or of all records of a batch.

    Raises:
        AmbiguousNameError: A name may be one of several fields, or several names may be one field.
    """
    placed = list(_placing(found, shape, ambiguous=False).of(found, (), ()))
    sources: dict[Path, Path] = {}
    for each in placed:
        if each.shape is not None and sources.setdefault(each.target, each.source) != each.source:
            names = f"{'.'.join(sources[each.target])} and {'.'.join(each.source)}"
            raise AmbiguousNameError(f"{names} may both be {'.'.join(each.target)}")
    return placed


def is_respelled(
    found: Mapping[str, object], contract: type[Contract], written: AbstractSet[str] | None = None
) -> bool:
    """Whether records with this structure are written in another spelling than the vendor's.

    They have every required field, in some spelling. One field at another depth shows it then, or one of those that
    every fact needs, under another name; other names may be the shop's own, such as an event property `device` beside
    the vendor's `$device`.

    Args:
        written: The names as they are written, where `found` has them in the contract's case.
    """
    shape = shape_of(contract)
    came = {".".join(each.target) for each in _candidates_of(found, shape) if each.shape is not None}
    above = {path.rpartition(".")[0] for path in came}
    lost = [path for path in contract.required if path not in came and not came & set(_objects_above(path))]
    if set(lost) - above or not _has_moved(found, shape, _needed(contract), ""):
        return False
    kept = [path[-1] for path in _own(found, shape, ()) if written is None or path[-1] in written]
    return _is_consistent(_moved_everywhere(found, shape), kept)


def _objects_above(path: str) -> Iterator[str]:
    while path := path.rpartition(".")[0]:
        yield path


def _has_moved(found: Mapping[str, object], shape: Record, needed: frozenset[str], above: str) -> bool:
    for each in _candidates_of(found, shape):
        if each.is_flattened or (each.is_moved and above + ".".join(each.target) in needed):
            return True
        element = _element(each)
        if element and _has_moved(*element, needed, f"{above}{'.'.join(each.target)}."):
            return True
    return False


def _moved_everywhere(found: Mapping[str, object], shape: Record) -> Iterator[Placement]:
    """The fields under other names, in lists too."""
    for each in _candidates_of(found, shape):
        if each.is_moved:
            yield each
        if element := _element(each):
            yield from _moved_everywhere(*element)


def _is_consistent(moved: Iterable[Placement], kept: Sequence[str]) -> bool:
    """Whether no field stands under its own name that the writer of the others would have renamed too.

    One renamed field among the vendor's own is a change of the vendor, and not the spelling of a client.
    """
    changes = {change for each in moved for change in _changes(each)}
    return not any(
        (change == "small letters" and name != name.lower())
        or (change == "no underscores" and re.search("[a-z0-9]_[a-z0-9]", name))
        or (change == "no signs" and name.startswith("$"))
        for change in changes
        for name in kept
    )


def _changes(moved: Placement) -> Iterator[str]:
    """How the writer changes names: compared with the contract's own, however these are joined."""
    ours, theirs = "_".join(moved.target), "_".join(moved.source)
    if ours != ours.lower() and theirs in (theirs.lower(), theirs.upper()):
        yield "small letters"
    last = moved.target[-1].lower().lstrip("$")
    if re.search("[a-z0-9]_[a-z0-9]", last) and not theirs.lower().rstrip("_").endswith(last):
        yield "no underscores"
    if "$" in ours and "$" not in theirs:
        yield "no signs"


def _candidates_of(found: Mapping[str, object], shape: Record) -> Iterator[Placement]:
    """The placements, an ambiguous one for each field that it may be."""
    return _placing(found, shape, ambiguous=True).of(found, (), ())


def _placing(found: Mapping[str, object], shape: Record, *, ambiguous: bool) -> _Placing:
    return _Placing(_names_of(shape), frozenset(_own(found, shape, ())), ambiguous)


def _element(each: Placement) -> tuple[Mapping[str, object], Record] | None:
    """The structure and the shape of a list's elements, where these are objects."""
    if isinstance(each.shape, Many) and isinstance(each.shape.of, Record) and isinstance(each.found, list):
        inner = each.found[0] if each.found else None
        return (inner, each.shape.of) if isinstance(inner, dict) else None
    return None


@cache
def _needed(contract: type[Contract]) -> frozenset[str]:
    """The paths of a contract's key, date, version and measures, and of every object and list above them."""
    rules = (*contract.key, *contract.required, contract.date_field, contract.version_field or "")
    measures = [path for one in contract.measures if one.sent is not Sent.BY_SHOP for path in one.paths]
    parts = [path.split(".") for path in filter(None, (*rules, *measures))]
    return frozenset(".".join(names[:depth]) for names in parts for depth in range(1, len(names) + 1))


@dataclass(frozen=True)
class _Names:
    """The paths of an object, as far as no list lies on them, and those that are spelt with the same letters."""

    paths: dict[Path, Shape]
    by_letters: dict[str, tuple[Path, ...]]


@cache
def _names_of(shape: Record) -> _Names:
    paths = dict(_paths(shape, ()))
    spelt = defaultdict[str, list[Path]](list)
    for path in paths:
        spelt[letters_of(path)].append(path)
    return _Names(paths, {name: tuple(alike) for name, alike in spelt.items()})


def _paths(shape: Record, above: Path) -> Iterator[tuple[Path, Shape]]:
    for name, inner in shape:
        yield (*above, name), inner
        if isinstance(inner, Record):
            yield from _paths(inner, (*above, name))


def _own(found: Mapping[str, object], shape: Record, above: Path) -> Iterator[Path]:
    """The fields that stand under their own names."""
    fields = dict(shape.fields)
    for name, inner in found.items():
        if name in fields:
            yield (*above, name)
            below = fields[name]
            if isinstance(inner, dict) and isinstance(below, Record):
                yield from _own(inner, below, (*above, name))


def _targets(source: Path, names: _Names) -> tuple[Path, ...]:
    """The fields that a name may be: the one it spells out with dots or `__`, else all that have its letters."""
    if source in names.paths:
        return (source,)
    for sign in (".", "__"):
        joined = tuple(part for name in source for part in name.split(sign))
        if joined in names.paths:
            return (joined,)
    return names.by_letters.get(letters_of(source), ())


@dataclass(frozen=True)
class _Placing:
    """Places the values of one record, or of all records of a batch.

    Attributes:
        own: The fields that stand under their own names: no other name stands for one of them.
        ambiguous: A name that may be several fields is placed as each of them; else it is refused.
    """

    names: _Names
    own: frozenset[Path]
    ambiguous: bool

    def of(self, found: Mapping[str, object], source: Path, target: Path) -> Iterator[Placement]:
        """The placements of an object's members; `source` and `target` are the object's own path, and its field."""
        for name, inner in found.items():
            at = (*source, name)
            targets = [path for path in _targets(at, self.names) if path == at or path not in self.own]
            if len(targets) > 1 and not self.ambiguous:
                choices = " or ".join(".".join(path) for path in targets)
                raise AmbiguousNameError(f"{'.'.join(at)} may be {choices}")
            if isinstance(inner, dict) and not any(self._is_value(path) for path in targets):
                yield from self._of_object(inner, at, targets, target if source else ())
            elif targets:
                yield from (Placement(at, path, self.names.paths[path], inner) for path in targets)
            else:
                yield Placement(at, _beside(at, target), None, inner)

    def _of_object(
        self, inner: Mapping[str, object], at: Path, targets: Sequence[Path], above: Path
    ) -> Iterator[Placement]:
        """The placements inside an object; one that holds no field of the contract stays whole."""
        start = letters_of(at)
        below: list[Placement] = []
        if targets or any(name.startswith(start) for name in self.names.by_letters):
            below = list(self.of(inner, at, targets[0] if targets else ()))
        if targets or any(each.shape is not None for each in below):
            yield from below
        else:
            yield Placement(at, _beside(at, above), None, inner)

    def _is_value(self, path: Path) -> bool:
        return not isinstance(self.names.paths[path], Record)


def _beside(source: Path, above: Path) -> Path:
    """The place of an unknown value: in the field that its object is, else where it came."""
    return (*above, source[-1]) if above else source
