"""SQL of the records of a download: its rows in the contract's own form, without totals, several rows as one record.

Of a thing that has a name and no id in the file, the name is its id: a report's key has ids alone, and a second
download of a day replaces the first because both name the same day. Two rows of one name and day count both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.contracts.downloads import DateOrder, Discount, Element, NumberStyle, Ref, Template, fold
from pipeline.contracts.fields import Contract, shape_of
from pipeline.contracts.sql import literal
from pipeline.ingest.downloads.download_fields import DAYS, NUMBERS, TIMES, DownloadField, fields_of, value_of
from pipeline.ingest.downloads.number_styles import NOT_WRITTEN_SO
from pipeline.ingest.downloads.recognition import Recognised

ROWS, CELLS, VALUES = "download_rows", "download_cells", "download_values"
"""Three tables of a file's rows: its cells as the texts c0, c1, ... and `position`; also the cells of its fields
without blanks; also the values of its fields in the contract's own form."""
_DAY = "regexp_full_match({}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}')"


@dataclass(frozen=True)
class RecordQuery:
    """The query of a download's records, with `_source_line`, and the contract path or title of each of its columns."""

    sql: str
    columns: tuple[tuple[str, str], ...]


class DownloadRows:
    """The rows of a recognised download in the table ROWS, as SQL.

    Attributes:
        fields: The fields that the file has.
    """

    def __init__(self, found: Recognised, titles: Sequence[str], contract: type[Contract]) -> None:
        self._found, self._titles, self._shape = found, titles, shape_of(contract)
        self.fields: Mapping[str, DownloadField] = fields_of(found, titles, contract)

    @property
    def cells(self) -> str:
        """The query of the table CELLS over ROWS; rows without any cell are left out."""
        items = [item for field in self.fields.values() for item in field.cell_items]
        filled = ", ".join(f"c{number}" for number in range(len(self._titles)))
        return f"select *, {', '.join(items)} from {ROWS} where coalesce({filled}) is not null"

    def values(self, style: NumberStyle, order: DateOrder) -> str:
        """The query of the table VALUES over CELLS, with numbers and dates read in a style and an order."""
        values = self._values(style, order)
        items = [f"{values[name]} as {column}" for name, column in self._names.items()]
        return f"select *, position as _source_line, {', '.join(items)} from {CELLS}"

    @property
    def records(self) -> RecordQuery:
        """The records of the table VALUES."""
        names = self._names
        others = {title: f"c{number}" for number, title in enumerate(self._titles) if self._is_other(title)}
        rows = self._with_names_as_ids(self._no_totals, names)
        sql = (
            self._as_one_record(rows, names, others) if self._found.download.rows_of else self._with_lists(rows, names)
        )
        fields = dict(self._shape.fields)
        paths = [(name, column) for name, column in names.items() if name.partition(".")[0] in fields]
        lists = [(path, f"list_{path}") for path in self._lists()]
        return RecordQuery(
            sql, tuple(paths + lists + [(self._own_title(title), cell) for title, cell in others.items()])
        )

    @property
    def checked(self) -> list[tuple[DownloadField, str]]:
        """The fields whose cells must be numbers or dates, each with its column in VALUES."""
        names = self._names
        kinds = NUMBERS | DAYS | TIMES
        of_kind = [field for field in self.fields.values() if field.meaning in kinds and field.name in names]
        return [(field, names[field.name]) for field in of_kind if field.name not in self._found.download.values]

    def faulty(self, field: DownloadField, column: str) -> str:
        """The query of the first cell of a field that is no number or date, and its row."""
        is_fault = f"ends_with({column}, {literal(NOT_WRITTEN_SO)})"
        return f"select {field.cell}, position from ({self._no_totals}) where {is_fault} order by position limit 1"

    @property
    def several_days(self) -> str | None:
        """The query of the first and the last day of a row that covers several; None where each row says one day."""
        names, download = self._names, self._found.download
        if download.day not in names or download.last_day not in names:
            return None
        day, last = names[download.day], names[download.last_day]
        differ = f"{day} is distinct from {last}"
        return f"select {day}, {last} from ({self._no_totals}) where {differ} order by position limit 1"

    @property
    def _names(self) -> dict[str, str]:
        """The column of each field's value in VALUES."""
        return {name: f"f{number}" for number, name in enumerate(self._values("1,234.56", "DMY"))}

    @property
    def _no_totals(self) -> str:
        return f"select * from {VALUES} where not ({self._is_total(self._names)})"

    def _values(self, style: NumberStyle, order: DateOrder) -> dict[str, str]:
        """SQL of every field's value, constants and the currency of a title too."""
        download = self._found.download
        money = self.fields.get(download.currency)
        code = literal(self._found.currency) if self._found.currency else "null::varchar"
        currency = f"coalesce({money.cell}, {code})" if money else code
        values = {
            name: value_of(field, self._found, style, order, currency)
            for name, field in self.fields.items()
            if name != download.currency
        }
        if money or self._found.currency:
            values[download.currency] = currency
        for identity, name in download.ids_by_name:
            if identity not in values and name in values:
                values[identity] = self.fields[name].cell
        return values | {name: literal(text) for name, text in download.constants.items()}

    def _is_other(self, title: str) -> bool:
        """Whether a column is no field of these records: an unknown one, or one of another object of the download."""
        return fold(title) not in {fold(one) for name, one in self._found.columns.items() if self._is_read(name)}

    def _is_read(self, name: str) -> bool:
        download, field = self._found.download, self.fields[name]
        identifies = {each for pair in download.ids_by_name for each in pair} | {*download.breakdowns, *download.names}
        return name in {*identifies, download.currency} or field.is_placed

    def _own_title(self, title: str) -> str:
        """The name under which an unknown column is kept, so that it is never taken for a field of the contract."""
        fields = {name.lower() for name in dict(self._shape.fields)}
        return f"column {title}" if title.partition(".")[0].strip().lower() in fields else title

    def _present_names(self) -> list[str]:
        return [name for name in self._found.download.names if name in self.fields]

    def _is_total(self, names: Mapping[str, str]) -> str:
        """SQL: the row is a total. It says so in a cell and has no day, or it names nothing of what others name."""
        download = self._found.download
        conditions = []
        if self._found.language.totals and download.day in names:
            labels = [literal(label.lower()) for label in self._found.language.totals]
            starts = [
                f"starts_with(ltrim(lower(c{number})), {label})"
                for number in range(len(self._titles))
                for label in labels
            ]
            said = " or ".join(f"coalesce({start}, false)" for start in starts)
            conditions.append(f"(not coalesce({_DAY.format(self._day(names))}, false) and ({said}))")
        if named := [f"{names[name]} is null" for name in self._present_names() if name in names]:
            conditions.append(f"({' and '.join(named)})")
        return " or ".join(conditions) or "false"

    def _day(self, names: Mapping[str, str]) -> str:
        """SQL of the row's day as text; of a date object, its parts as such a text."""
        column = names[self._found.download.day]
        is_object = f"starts_with({column}, '{{')"
        return f"case when {is_object} then '2000-01-01' else {column} end"

    def _with_names_as_ids(self, rows: str, names: Mapping[str, str]) -> str:
        """The rows with the finest names told apart where two rows have the same on one day."""
        download = self._found.download
        levels = [pair for pair in download.ids_by_name if pair[0] in names]
        if not levels or levels[-1][0] in self.fields:
            return rows
        finest = names[levels[-1][0]]
        same = [names[name] for name in (download.day, *download.breakdowns) if name in names]
        same += [names[identity] for identity, _ in levels]
        ordinal = f"row_number() over (partition by {', '.join(same)} order by position)"
        apart = f"case when {ordinal} > 1 then {finest} || ' (' || {ordinal} || ')' else {finest} end"
        return f"select * replace ({apart} as {finest}) from ({rows})"

    def _lists(self) -> list[str]:
        """The lists that elements fill, as far as the file has their fields."""
        held = [each.path for each in self._found.download.elements if each.where in self.fields]
        return list(dict.fromkeys(held))

    def _elements(self, path: str, names: Mapping[str, str]) -> list[str]:
        """SQL of the JSON text of every element of a list; NULL where a row has none."""
        present = [one for one in self._found.download.elements if one.path == path and one.where in self.fields]
        return [_element_text(element, names) for element in present]

    def _with_lists(self, rows: str, names: Mapping[str, str]) -> str:
        items = [f"{_list_text(self._elements(path, names))} as list_{path}" for path in self._lists()]
        return f"select *, {', '.join(items)} from ({rows})" if items else rows

    def _as_one_record(self, rows: str, names: Mapping[str, str], others: Mapping[str, str]) -> str:
        """The rows of each record as one: the first value of every field, and the elements of its rows as lists."""
        download = self._found.download
        identity = names[download.rows_of]
        if download.rows_with in names:
            shared = names[download.rows_with]
            filled = f"last_value({identity} ignore nulls) over (partition by {shared} order by position)"
            rows = f"select * replace ({filled} as {identity}) from ({rows})"
        rows = f"select *, coalesce({identity}, 'row ' || position) as record from ({rows})"
        if download.discounted:
            rows = spread_discount(rows, names, download.discounted)
        items = [
            f"arg_min({column}, position) filter ({column} is not null) as {column}"
            for column in (*names.values(), *others.values())
        ]
        for path in download.per_row:
            if path in self._lists():
                parts = self._elements(path, names)
                element = parts[0] if len(parts) == 1 else f"concat_ws(',', {', '.join(parts)})"
                text = f"'[' || string_agg(nullif({element}, ''), ',' order by position) || ']'"
                items.append(f"{text} as list_{path}")
        grouped = f"select min(position) as _source_line, {', '.join(items)} from ({rows}) group by record"
        once = [path for path in self._lists() if path not in download.per_row]
        lists = [f"{_list_text(self._elements(path, names))} as list_{path}" for path in once]
        return f"select *, {', '.join(lists)} from ({grouped})" if lists else grouped


def spread_discount(rows: str, names: Mapping[str, str], of: Discount) -> str:
    """The rows with the record's discount spread over their line discounts; unchanged where a part is unknown."""
    wanted = (of.subtotal, of.discount, of.quantity, of.price)
    if any(name not in names for name in (*wanted, of.line_discount)):
        return rows
    subtotal, discount, quantity, price = (f"try_cast({names[name]} as decimal(18, 6))" for name in wanted)
    line = f"coalesce(try_cast({names[of.line_discount]} as decimal(18, 6)), 0)"
    worth = f"cast({quantity} * {price} - {line} as decimal(18, 6))"
    over = "over (partition by record)"
    sums = (
        f"select *, {worth} as worth, sum({worth}) {over} as lines_worth, max({subtotal}) {over} as subtotal, "
        f"max({discount}) {over} as discount, max(position) filter ({worth} is not null) {over} as last_line "
        f"from ({rows})"
    )
    spread = "least(greatest(lines_worth - subtotal, 0), discount)"
    shares = f"select *, round({spread} * worth / nullif(lines_worth, 0), 2) as share from ({sums})"
    rest = f"{spread} - coalesce(sum(case when position <> last_line then share end) {over}, 0)"
    own = f"case when position = last_line then {rest} else share end"
    whole = f"cast({line} + ({own}) as decimal(18, 6))::varchar"
    changed = f"case when {spread} > 0 and worth is not null then {whole} else {names[of.line_discount]} end"
    return f"select * replace ({changed} as {names[of.line_discount]}) from ({shares})"


def _element_text(element: Element, names: Mapping[str, str]) -> str:
    where = names[element.where]
    present = f"{where} is not null"
    if element.unless_zero:
        present += f" and coalesce(try_cast({where} as double), 1) <> 0"
    return f"case when {present} then {_json(element.template, names)} end"


def _json(template: Template, names: Mapping[str, str]) -> str:
    """SQL of the JSON text of a template; members without a value are left out."""
    if isinstance(template, Ref):
        return f"to_json({names[template.field]})::varchar" if template.field in names else "null::varchar"
    if isinstance(template, str):
        return literal(json.dumps(template))
    if isinstance(template, tuple):
        return f"'[' || {' || '.join(_json(each, names) for each in template)} || ']'"
    members = ", ".join(f"{literal(json.dumps(name) + ':')} || {_json(each, names)}" for name, each in template.items())
    return f"'{{' || concat_ws(',', {members}) || '}}'"


def _list_text(elements: Sequence[str]) -> str:
    return f"'[' || nullif(concat_ws(',', {', '.join(elements)}), '') || ']'"
