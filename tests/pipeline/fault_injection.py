"""Faults in export files, and what becomes of the numbers that they touch.

Every measure that a contract promises is renamed, nested elsewhere, emptied, removed, retyped or spelt in other units,
in every form of the records: the vendor's own, dotted CSV, and the layouts of loaders. The file is read as a landing
reads it, and its connector's engine makes canonical rows of it. A number of these is then right, unknown (NULL), absent
with its record or file, or wrong: `Outcome` says which, and a silently wrong one is a defect.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from copy import deepcopy
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from pipeline.config.accounts import Account
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import Engine, engines_like
from pipeline.contracts.fields import Contract, Leaf, Meaning, field_at, shape_of
from pipeline.contracts.layouts import Layout
from pipeline.contracts.measures import Measure, Sent
from pipeline.ingest.file_scan import FileScan
from pipeline.ingest.formats.reader import Reader, Unreadable
from tests.pipeline.test_measures import as_csv, filled, flat, other_spelling
from tests.pipeline.vendor_records import RECORDS, jsonl
from tests.warehouse.engine_fixture import BLUEPRINTS, CATALOG, a_source, create_inputs, render

Fields = dict[str, Any]  # Any: JSON
Number = Decimal | float | int | None
Numbers = Mapping[str, AbstractSet[Number]]
"""The different numbers of canonical rows, by column, or by column and field of a list in it."""

COUNT = 3
"""Records of a file."""
LOGIC = {"facebook_insights": {"conversion_event_pattern": "purchase"}}
MAIN = Account(name="main", currency="EUR", timezone="UTC")


PARTS_OF_A_SUM = ("externalWebsiteConversions", "oneClickLeads")
"""Measures of which a report may ask for one alone; the canonical number is then of that one."""
COUNTS_OF_UNKNOWN = ("orders.foreign_refunds",)
"""Canonical columns that count what a record does not say."""


@dataclass(frozen=True)
class Subject:
    """One object whose records hold measures, in one form."""

    platform: str
    object: str
    form: str
    layout: Layout | None = None

    @property
    def contract(self) -> type[Contract]:
        return BLUEPRINTS[self.platform, self.object].contract

    @property
    def engines(self) -> list[Engine]:
        return [engine for engine in engines_like(self.platform) if self.object in engine.objects]


class Outcome(StrEnum):
    """What became of the numbers that a measure feeds."""

    RIGHT = "right"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"
    TOLD = "zero, and an unknown field is told"
    ABSENT = "zero, as the contract says of an absent one"
    WRONG = "silently wrong"


@dataclass(frozen=True)
class Trial:
    """One fault in one measure of one form of records."""

    subject: Subject
    measure: Measure
    path: str
    fault: str
    """A name of FAULTS."""
    some: bool
    """The fault is in the first record alone."""

    def __str__(self) -> str:
        where = f"{self.subject.platform}.{self.subject.object} as {self.subject.form}"
        return f"{where}: {self.path} {self.fault}{' in one record' if self.some else ''}"


def _other_names(value: Any) -> Any:  # Any: JSON
    """A value with every name in another client's spelling."""
    if isinstance(value, list):
        return [_other_names(each) for each in value]
    if isinstance(value, dict):
        return {other_spelling(name): _other_names(each) for name, each in value.items()}
    return value


def _airbyte(record: Fields) -> Fields:
    return {"_airbyte_raw_id": "1", "_airbyte_extracted_at": 1769936400000, "_airbyte_data": record}


def _singer(record: Fields) -> Fields:
    return {"type": "RECORD", "stream": "records", "record": record}


FORMS: Mapping[str, Callable[[Sequence[Fields]], str]] = {
    "jsonl": jsonl,
    "csv": as_csv,
    "respelt jsonl": lambda records: jsonl(map(_other_names, records)),
    "respelt csv": lambda records: as_csv(map(_other_names, records)),
    "airbyte jsonl": lambda records: jsonl(map(_airbyte, records)),
    "singer jsonl": lambda records: jsonl(map(_singer, records)),
}
"""Ways to write records; the last word of each is the ending of its files."""


def subjects() -> Iterator[Subject]:
    """Every form of every object that holds measures."""
    for (platform, name), blueprint in sorted(BLUEPRINTS.items()):
        if CATALOG[platform].like is None and blueprint.contract.measures:
            for form in FORMS:
                yield Subject(platform, name, form)
            for layout in blueprint.contract.layouts:
                for form in ("jsonl", "csv"):
                    yield Subject(platform, name, f"{layout.name} {form}", layout)


def trials() -> Iterator[Trial]:
    """Every fault in every place of every measure that a form has."""
    for subject in subjects():
        columns = dict(flat(records_of(subject)[0])) if subject.layout else {}
        for measure in subject.contract.measures:
            for path in measure.paths:
                if subject.layout is None or _title(subject.layout, path) in columns:
                    for fault in sorted(FAULTS.keys() - {"plain"}):
                        yield Trial(subject, measure, path, fault, some=False)
                        yield Trial(subject, measure, path, fault, some=True)


def sample(count: int, seed: int) -> list[Trial]:
    """So many trials, the same for the same seed."""
    every = list(trials())
    return random.Random(seed).sample(every, min(count, len(every)))


@cache
def _vendor_records(platform: str, name: str) -> tuple[Fields, ...]:
    contract = BLUEPRINTS[platform, name].contract
    whole = filled(shape_of(contract))
    made = RECORDS.get((platform, name), lambda number: _told_apart(contract, number))
    records = [_merged(whole, made(number)) for number in range(1, COUNT + 1)]
    for record in records:
        for measure in contract.measures:
            _say_the_same(record, measure)
    return tuple(records)


def _say_the_same(record: Fields, measure: Measure) -> None:
    """Give every field that may hold a measure the number of the first, where both are numbers."""
    places = [place for path in measure.paths for place in _holders(record, path)]
    for holder, name in places[1:]:
        first, first_name = places[0]
        if not isinstance(holder[name], list | dict):
            holder[name] = type(holder[name])(first[first_name])


def records_of(subject: Subject) -> list[Fields]:
    """Records with every field, told apart by their keys, in the names of the subject's form."""
    records = [deepcopy(record) for record in _vendor_records(subject.platform, subject.object)]
    return [_as_row(record, subject.layout) for record in records] if subject.layout else records


def _told_apart(contract: type[Contract], number: int) -> Fields:
    """The first free text of a key, with a number."""
    for path in contract.key:
        names, shape = field_at(shape_of(contract), path)
        if isinstance(shape, Leaf) and shape.meaning is Meaning.TEXT:
            record: Any = str(number)  # Any: JSON
            for name in reversed(names):
                record = {name: record}
            return dict(record)
    return {}


def _merged(whole: Fields, own: Fields) -> Fields:
    """A record with every field, of which the vendor's own values win."""
    result = dict(whole)
    for name, value in own.items():
        before = result.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            result[name] = _merged(before, value)
        elif isinstance(value, list) and isinstance(before, list) and before and isinstance(before[0], dict):
            result[name] = [_merged(before[0], each) if isinstance(each, dict) else each for each in value]
        else:
            result[name] = value
    return result


def _as_row(record: Fields, layout: Layout) -> Fields:
    """The scalars of a record as a row of a loader's table."""
    row: Fields = {}
    for path, value in flat(record):
        title = _title(layout, path)
        if title is not None and not isinstance(value, dict | list):
            row[title] = "2026-02-01 09:00:00" if path in layout.utc else value
    return dict.fromkeys(layout.known_by, "1") | row


def _title(layout: Layout, path: str) -> str | None:
    return layout.columns.get(path, None if "." in path else path)


Holder = tuple[Fields, str]


def _holders(record: Fields, path: str) -> Iterator[Holder]:
    """The objects that a path leads to, through lists, each with the last name of it."""
    head, _, rest = path.partition(".")
    inner = record.get(head)
    if not rest:
        if head in record:
            yield record, head
        return
    for one in inner if isinstance(inner, list) else [inner]:
        if isinstance(one, dict):
            yield from _holders(one, rest)


Fault = Callable[[Fields, Fields, str], None]
"""Spoils a field: of a record, the object that holds it, and its name there."""


def _renamed(to: Callable[[str], str]) -> Fault:
    def spoil(_record: Fields, holder: Fields, name: str) -> None:
        holder[to(name)] = holder.pop(name)

    return spoil


def _valued(to: Callable[[Any], Any]) -> Fault:  # Any: JSON
    def spoil(_record: Fields, holder: Fields, name: str) -> None:
        holder[name] = to(holder[name])

    return spoil


def _removed(_record: Fields, holder: Fields, name: str) -> None:
    del holder[name]


def _moved_up(record: Fields, holder: Fields, name: str) -> None:
    record.setdefault("data", {})[name] = holder.pop(name)


def _boxed(_record: Fields, holder: Fields, name: str) -> None:
    holder[name] = {"value": holder[name]}


def _listed(_record: Fields, holder: Fields, name: str) -> None:
    holder[name] = [holder[name]]


def _spelt(form: Callable[[Decimal], str]) -> Fault:
    """A number as text in another spelling; what is no number is emptied."""

    def spoil(_record: Fields, holder: Fields, name: str) -> None:
        try:
            holder[name] = form(Decimal(str(holder[name])) + 1000)
        except ArithmeticError:
            holder[name] = None

    return spoil


FAULTS: Mapping[str, Fault] = {
    "in another client's spelling": _renamed(other_spelling),
    "in capitals": _renamed(str.upper),
    "with its unit in its name": _renamed(lambda name: f"{name}_usd"),
    "with a prefix": _renamed(lambda name: f"total_{name}"),
    "as another word": _renamed(lambda _: "value"),
    "as a title": _renamed(lambda name: re.sub(r"[_ ]+|(?<=[a-z])(?=[A-Z])", " ", name).title()),
    "nested in another object": _moved_up,
    "as an object with its value": _boxed,
    "as a list of its value": _listed,
    "removed": _removed,
    "null": _valued(lambda _: None),
    "blank": _valued(lambda _: ""),
    "spaces": _valued(lambda _: "  "),
    "an empty object": _valued(lambda _: {}),
    "an empty list": _valued(lambda _: []),
    "a word": _valued(lambda _: "n/a"),
    "a dash": _valued(lambda _: " --"),
    "true": _valued(lambda _: True),
    "not a number": _valued(lambda _: "NaN"),
    "infinite": _valued(lambda _: "Infinity"),
    "plain": _spelt(str),
    "with a thousands separator": _spelt(lambda number: f"{number:,}"),
    "with a decimal comma": _spelt(
        lambda number: f"{number}".replace(".", ",") + ("" if "." in f"{number}" else ",00")
    ),
    "with a sign of currency": _spelt(lambda number: f"${number}"),
    "with a code of currency": _spelt(lambda number: f"{number} EUR"),
    "in per cent": _spelt(lambda number: f"{number} %"),
}

ABSENCES = ("removed", "null", "blank", "spaces", "an empty object", "an empty list")
"""Faults after which the vendor says nothing of the measure."""
UNITS = (
    "with a thousands separator",
    "with a decimal comma",
    "with a sign of currency",
    "with a code of currency",
    "in per cent",
)
"""Faults that spell another number."""


class FaultInjector:
    """Reads spoilt files in a folder, and judges the numbers that their connector's engines make of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._con = duckdb.connect(config={"threads": 1})
        self._con.execute("set global TimeZone = 'UTC'")
        self._references: dict[tuple[str, str], Numbers] = {}

    def judge(self, trial: Trial) -> tuple[Outcome, str]:
        """What became of the numbers, and the words for it: why a file is withheld, or which number is wrong."""
        file = self._file(trial.subject, _spoilt(trial))
        try:
            withheld, told = self._reading(trial.subject.contract, file)
        except Unreadable as problem:
            return Outcome.WITHHELD, problem.reason
        if withheld:
            return Outcome.WITHHELD, withheld
        found = self._numbers(trial.subject, file)
        allowed = [self._reference(trial, fault) for fault in ("", "plain")[: 1 + (trial.fault in UNITS)]]
        strays = [
            (name, value)
            for name, values in sorted(found.items())
            for value in values - frozenset().union(*(each.get(name, ()) for each in allowed))
            if value is not None
        ]
        said = "; ".join(f"{name} is {value}" for name, value in strays)
        if not strays:
            is_unknown = any(None in values and None not in allowed[0].get(name, ()) for name, values in found.items())
            return (Outcome.UNKNOWN if is_unknown else Outcome.RIGHT), ""
        if not any(value for _, value in strays) or trial.path in PARTS_OF_A_SUM:
            if trial.fault in ABSENCES and _may_be_absent(trial):
                return Outcome.ABSENT, said
            if told and (trial.measure.sent is not Sent.ALWAYS or _is_zero_left_out(trial)):
                return Outcome.TOLD, told
        return Outcome.WRONG, said

    def _file(self, subject: Subject, records: Sequence[Fields]) -> Path:
        file = self._folder / f"a.{subject.form.rpartition(' ')[2]}"
        form = subject.form if subject.layout is None else file.suffix[1:]
        file.write_text(FORMS[form](records))
        return file

    def _reading(self, contract: type[Contract], file: Path) -> tuple[str, str]:
        """Why a file or a record of it is withheld, and which fields are unknown; empty texts for nothing."""
        scan = FileScan(self._con, Reader(self._con, contract, self._folder), file)
        quarantined = [each.reason for _, rejected in scan.batches() for each in rejected]
        reasons = [drift.says for drift in scan.drifts()]
        return "; ".join([*reasons, *quarantined]), ", ".join(sorted(scan.unknown))

    def _reference(self, trial: Trial, fault: str) -> Numbers:
        """The numbers of records without the fault, or with a plain number in its place."""
        subject = f"{trial.subject.platform} {trial.subject.object} {trial.subject.form}"
        key = subject, f"{trial.path} {fault} {trial.some}" if fault else ""
        if key not in self._references:
            records = _spoilt(replace(trial, fault=fault)) if fault else records_of(trial.subject)
            self._references[key] = self._numbers(trial.subject, self._file(trial.subject, records))
        return self._references[key]

    def _numbers(self, subject: Subject, file: Path) -> Numbers:
        """The different values of each number in the canonical rows of a file."""
        found: dict[str, set[Number]] = {}
        for engine in subject.engines:
            source = a_source(subject.platform, (MAIN,), LOGIC)
            tenant = Tenant(slug="t", business_name="T", sources=(source,))
            with duckdb.connect(config={"threads": 1}) as con:
                con.execute("set TimeZone = 'UTC'")
                create_inputs(con, engine, subject.platform, {}, {subject.object: [file]}, {}, {})
                result = con.execute(render(engine.macro, engine.call(tenant, source)))
                names = [column[0] for column in result.description or ()]
                for row in result.fetchall():
                    for name, value in zip(names, row, strict=True):
                        for path, number in _numbers_in(f"{engine.fills}.{name}", value):
                            if path in COUNTS_OF_UNKNOWN:
                                continue
                            found.setdefault(path, set()).add(number)
        return {path: frozenset(values) for path, values in found.items()}


def _may_be_absent(trial: Trial) -> bool:
    """Whether the contract says that a record without the measure has none of it."""
    is_none = trial.measure.sent in (Sent.UNLESS_ZERO, Sent.WITH_SOME, Sent.BY_SHOP)
    return is_none or _is_zero_left_out(trial) or trial.path in PARTS_OF_A_SUM


def _is_zero_left_out(trial: Trial) -> bool:
    """Whether a record may leave the measure out at zero, as others of its export have it."""
    return trial.some and (trial.measure.sent is Sent.IF_ASKED or trial.measure.is_zero_left_out)


def _numbers_in(path: str, value: object) -> Iterator[tuple[str, Number]]:
    """The numbers of a value, with their paths; NULL is a number that is not known."""
    if isinstance(value, list):
        for each in value:
            yield from _numbers_in(path, each)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _numbers_in(f"{path}.{name}", each)
    elif value is None or (isinstance(value, int | float | Decimal) and not isinstance(value, bool)):
        yield path, value


def _spoilt(trial: Trial) -> list[Fields]:
    """The records of a form with the fault in all of them, or in the first."""
    records = records_of(trial.subject)
    layout = trial.subject.layout
    path = trial.path if layout is None else str(_title(layout, trial.path))
    for record in records[: 1 if trial.some else None]:
        holders = list(_holders(record, path)) if layout is None else [(record, path)]
        for holder, name in holders:
            FAULTS[trial.fault](record, holder, name)
    return records
