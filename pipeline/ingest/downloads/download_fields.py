"""The fields of a recognised download: the cell of each, what it means, and SQL of its value in the contract's form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.contracts.downloads import DateOrder, NumberStyle, Ref, Template, fold
from pipeline.contracts.fields import Contract, Leaf, Many, Record, Shape, field_at, is_date_object, shape_of
from pipeline.contracts.meaning import Meaning
from pipeline.contracts.sql import literal
from pipeline.ingest.downloads import date_styles, number_styles
from pipeline.ingest.downloads.recognition import Recognised
from pipeline.ingest.values.meaning_sql import layout_value

TEXT = Leaf("VARCHAR", Meaning.TEXT)
NUMBERS = frozenset({Meaning.DECIMAL, Meaning.MICROS, Meaning.MINOR_UNITS, Meaning.PERCENT, Meaning.INTEGER})
DAYS = frozenset({Meaning.DATE})
TIMES = frozenset({Meaning.INSTANT, Meaning.UTC_TIME, Meaning.LOCAL_TIME, Meaning.EPOCH_SECONDS})
BLANKS = ("--", "-", "\u2013", "\u2014", "n/a", "N/A")
"""Cells that say that there is no value."""
_SPACE = " \t\r\n\u00a0\u202f"


@dataclass(frozen=True)
class DownloadField:
    """A field of a download.

    Attributes:
        source: The column of its cell as it stands in the file.
        cell: The column of CELLS with its cell without blanks; NULL where it is absent. Of a date or time, `<cell>_day`
            and `<cell>_clock` are its parts.
        shape: The contract's; of a field of the download's own, that of its place in a list.
        is_placed: The records have a place for it.
    """

    name: str
    source: str
    cell: str
    shape: Shape
    is_placed: bool

    @property
    def cell_items(self) -> list[str]:
        """Select items of its columns in CELLS, over the rows of the file."""
        text = _without_blanks(self.source)
        parts = [(text, self.cell)]
        if self.meaning in DAYS | TIMES:
            day, clock = date_styles.split(text)
            parts += [(day, f"{self.cell}_day"), (clock, f"{self.cell}_clock")]
        return [f"{sql} as {column}" for sql, column in parts]

    @property
    def meaning(self) -> Meaning:
        if is_date_object(self.shape):
            return Meaning.DATE
        return self.shape.meaning if isinstance(self.shape, Leaf) else Meaning.ANYTHING

    @property
    def is_whole(self) -> bool:
        """Whether it counts things."""
        return self.meaning is Meaning.INTEGER


def fields_of(found: Recognised, titles: Sequence[str], contract: type[Contract]) -> dict[str, DownloadField]:
    """The fields that a file has, by name; its columns are c0, c1, ... in the order of its titles."""
    cells = {fold(title): f"c{number}" for number, title in enumerate(titles)}
    shapes = _shapes(found, contract)
    return {
        name: DownloadField(name, cells[fold(title)], f"t{number}", shapes.get(name, TEXT), name in shapes)
        for number, (name, title) in enumerate(found.columns.items())
    }


def value_of(field: DownloadField, found: Recognised, style: NumberStyle, order: DateOrder, currency: str) -> str:
    """SQL of a field's value in the contract's own form, over CELLS; what does not convert is a fault later.

    Args:
        currency: SQL of the row's currency code.
    """
    download, text, meaning = found.download, field.cell, field.meaning
    if field.name in download.values:
        known = download.values[field.name]
        whens = " ".join(f"when {literal(said)} then {literal(means)}" for said, means in known.items())
        return f"case lower({text}) {whens} else {text} end"
    if field.name in download.digits:
        return f"regexp_replace({text}, '[^0-9]', '', 'g')"
    if meaning in NUMBERS:
        return _number(number_styles.number_text(text, style), meaning, _exponent(download.minor_units, currency))
    if meaning in DAYS:
        day = date_styles.day_text(text, order)
        return layout_value(field.shape, f"({day})", is_utc=False) or day if is_date_object(field.shape) else day
    if meaning in TIMES:
        return date_styles.time_text(text, order, meaning, is_utc=field.name in download.utc)
    return text


def _number(number: str, meaning: Meaning, minor_exponent: str) -> str:
    if meaning is Meaning.MICROS:
        return _scaled(number, "6")
    return _scaled(number, minor_exponent) if meaning is Meaning.MINOR_UNITS else number


def _scaled(number: str, exponent: str) -> str:
    """SQL of a major amount in units of 10^-exponent; an amount that is no whole number of them keeps its fraction."""
    units = f"case {exponent} when 0 then 1 when 2 then 100 when 3 then 1000 else 1000000 end"
    scaled = f"(try_cast(({number}) as decimal(18, 6))::decimal(26, 6) * ({units})::decimal(8, 0))::varchar"
    return f"coalesce(regexp_replace({scaled}, '[.]0+$', ''), {number})"


def _exponent(exponents: Mapping[str, int], currency: str) -> str:
    whens = " ".join(f"when {literal(code)} then {exponent}" for code, exponent in sorted(exponents.items()))
    return f"(case upper({currency}) {whens} else 2 end)" if whens else "2"


def _without_blanks(column: str) -> str:
    trimmed = f"trim({column}, {literal(_SPACE)})"
    return f"(case when {trimmed} not in ('', {', '.join(map(literal, BLANKS))}) then {trimmed} end)"


def _shapes(found: Recognised, contract: type[Contract]) -> dict[str, Shape]:
    """The shape of each field of the records: of its path in the contract, or of where an element of a list has it."""
    shape = shape_of(contract)
    download = found.download
    placed: dict[str, Shape] = {}
    for element in download.elements:
        placed |= dict(_referred(element.template, dict(shape.fields)[element.path]))
    if download.discounted:
        decimal = Leaf("VARCHAR", Meaning.DECIMAL)
        placed = {download.discounted.line_discount: decimal} | placed
    for name in found.language.titles:
        if name.partition(".")[0] in dict(shape.fields):
            placed[name] = field_at(shape, name)[1]
    return placed


def _referred(template: Template, shape: Shape) -> Iterator[tuple[str, Shape]]:
    """The fields that a template refers to, with the shape of their places."""
    if isinstance(shape, Many):
        shape = shape.of
    if isinstance(template, Ref):
        yield template.field, shape
    elif isinstance(template, tuple):
        for each in template:
            yield from _referred(each, shape)
    elif isinstance(template, Mapping) and isinstance(shape, Record):
        inside = dict(shape.fields)
        for name, each in template.items():
            yield from _referred(each, inside[name])
