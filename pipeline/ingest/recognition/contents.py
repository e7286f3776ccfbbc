"""What the records of a file hold: days, sums of promised measures by currency, accounts; never a person's value."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import duckdb
import pyarrow as pa

from pipeline.contracts.fields import Contract, Leaf, Record, Shape, field_at, shape_of
from pipeline.contracts.meaning import Meaning
from pipeline.contracts.sql import parsed_columns, payload_date
from pipeline.ingest.measure_check import Place, place_in

ACCOUNT = re.compile(r"(account|advertiser|profile)_?(id|number)|customer\.id", re.IGNORECASE)
"""Paths of fields that name an account of a platform. A shop's customer is a person, and in `identity`."""
CURRENCY = re.compile(r"(.*_|.*\.|[a-z]*)?currency(_?code)?", re.IGNORECASE)
NO_CURRENCY = re.compile(r"presentment|transactional|settlement", re.IGNORECASE)
"""Currencies beside that of the record's amounts: the shopper's, the store's, the bank's."""
MONEY = re.compile(r"spend|cost|price|total|amount|revenue|value|sales", re.IGNORECASE)
"""Names of measures that are money, among numbers with a fraction: conversions can have one too."""
MOST_NAMED = 20
_SUMS = {
    Meaning.DECIMAL: "sum(try_cast({} as decimal(38, 6)))",
    Meaning.MICROS: "sum(try_cast({} as decimal(38, 0)))",
    Meaning.MINOR_UNITS: "sum(try_cast({} as decimal(38, 0)))",
    Meaning.INTEGER: "sum(try_cast({} as decimal(38, 0)))",
}


@dataclass
class Contents:
    """What the good records of a file hold, added up batch by batch.

    Attributes:
        days: Those that have a record.
        sums: Field of a measure -> currency, or None where it is no money or names none -> sum; in major units,
            except money of the fields `in_minor_units`.
    """

    contract: type[Contract]
    days: set[date] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    currencies: set[str] = field(default_factory=set)
    sums: dict[str, dict[str | None, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    in_minor_units: set[str] = field(default_factory=set)

    def add(self, con: duckdb.DuckDBPyConnection, good: pa.Table) -> None:
        """Add the good records of a batch."""
        if not good.num_rows:
            return
        shape = shape_of(self.contract)
        con.register("checked", good)
        rows = f"(select {', '.join(['*', *parsed_columns(shape)])} from checked)"
        try:
            self._add_days(con, shape, rows)
            self._add_accounts(con, rows)
            self._add_sums(con, rows)
        finally:
            con.unregister("checked")

    def _add_days(self, con: duckdb.DuckDBPyConnection, shape: Record, rows: str) -> None:
        if self.contract.date_field:
            day = payload_date(shape, self.contract.date_field, "null::date")
            self.days |= {found for (found,) in con.execute(f"select distinct {day} from {rows}").fetchall() if found}

    def _add_accounts(self, con: duckdb.DuckDBPyConnection, rows: str) -> None:
        for path in _account_paths(self.contract):
            if len(self.accounts) < MOST_NAMED:
                value = place_in(self.contract, path).value
                found = con.execute(f"select distinct {value}::varchar from {rows} limit {MOST_NAMED}").fetchall()
                self.accounts |= {one for (one,) in found if one}

    def _add_sums(self, con: duckdb.DuckDBPyConnection, rows: str) -> None:
        currency = _currency_of(self.contract)
        measures = list(_summed(self.contract))
        items = [_SUMS[meaning].format(place.value) for _, place, meaning in measures]
        listed = ", ".join([f"{currency} as currency", *items])
        for code, *sums in con.execute(f"select {listed} from {rows} group by 1").fetchall():
            self.currencies |= {code} if code else set()
            for (path, _, meaning), value in zip(measures, sums, strict=True):
                if value is not None:
                    of = code if meaning is not Meaning.INTEGER and MONEY.search(path) else None
                    major = Decimal(value).scaleb(-6) if meaning is Meaning.MICROS else Decimal(value)
                    self.sums[path][of] = self.sums[path].get(of, Decimal(0)) + major
                    self.in_minor_units |= {path} if meaning is Meaning.MINOR_UNITS else set()


def _summed(contract: type[Contract]) -> Iterator[tuple[str, Place, Meaning]]:
    """The promised measures that are one number of a record: path, place, meaning."""
    shape = shape_of(contract)
    for path in dict.fromkeys(path for measure in contract.measures for path in measure.paths):
        place = place_in(contract, path)
        if place.list_path is None and not place.is_list:
            _, inner = field_at(shape, path)
            if isinstance(inner, Leaf) and inner.meaning in _SUMS:
                yield path, place, inner.meaning


def _leaves(shape: Shape, path: str = "") -> Iterator[tuple[str, Leaf]]:
    """The scalars of a record, by path; none in a list."""
    for name, inner in shape if isinstance(shape, Record) else ():
        if isinstance(inner, Leaf):
            yield f"{path}{name}", inner
        else:
            yield from _leaves(inner, f"{path}{name}.")


def _account_paths(contract: type[Contract]) -> list[str]:
    return [
        path for path, _ in _leaves(shape_of(contract)) if ACCOUNT.fullmatch(path) and not is_personal(contract, path)
    ]


def _currency_of(contract: type[Contract]) -> str:
    """SQL of the currency of a record's amounts, in upper case; NULL where records name none."""
    paths = [path for path, leaf in _leaves(shape_of(contract)) if leaf.meaning is Meaning.TEXT]
    found = [path for path in paths if CURRENCY.fullmatch(path) and not NO_CURRENCY.search(path)]
    found.sort(key=lambda path: not path.startswith("default_"))  # BigCommerce's, which its amounts are in
    values = [f"nullif(upper(trim({place_in(contract, path).value})), '')" for path in found]
    return f"coalesce({', '.join(values)}, null)" if values else "null::varchar"


def is_personal(contract: type[Contract], path: str) -> bool:
    """Whether a field, or the object that it lies in, is of a person."""
    plain = re.sub(r"\.\d+(?=\.|$)", "", path)
    return any(
        plain == one or plain.startswith(f"{one}.") or one.startswith(f"{plain}.")
        for one in (*contract.identity, *contract.personal)
    )
