"""A tenant's exchange rates: the value of one unit of a currency in the reporting currency, by day.

The file is read as exports are (CSV, JSON, JSON lines, parquet, each also gzipped), and must be valid as a whole: a
wrong rate makes the money of every later row wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import duckdb
import pyarrow as pa

from pipeline.config.codes import CURRENCIES
from pipeline.config.tenant import Tenant
from pipeline.contracts.fields import Contract, DateText, Text
from pipeline.contracts.sql import literal
from pipeline.errors import ConfigError, shorten, suggest
from pipeline.ingest.formats.export_file import format_of, open_file
from pipeline.ingest.formats.reader import LINE, RECORD, WRONG, Batch, Reader, Unreadable

RATE = "DECIMAL(28,18)"
"""The type of a rate: what a file writes with more decimals is rounded, half away from zero."""
COLUMNS = (("date", "DATE"), ("currency", "VARCHAR"), ("rate", RATE))


class ExchangeRate(Contract):
    """One line of a rates file."""

    required: ClassVar[tuple[str, ...]] = ("date", "currency", "rate")

    date: DateText = None
    """The first day of the rate; it applies until the currency's next one."""
    currency: Text = None
    """ISO 4217."""
    rate: Text = None
    """Units of the reporting currency that one unit of `currency` was worth."""


def rates_digest(tenant: Tenant) -> str:
    """A digest of the content of the tenant's rates file; empty without one."""
    if tenant.rates is None:
        return ""
    try:
        return hashlib.sha256(tenant.rates.read_bytes()).hexdigest()
    except OSError:
        return "unreadable"  # the reader raises the error


def write_rates(tenant: Tenant, file: Path) -> None:
    """Write the tenant's rates as a parquet file of `COLUMNS`, without those of the reporting currency itself.

    Raises:
        ConfigError: The file cannot be read, or a line of it is wrong: names file, line and value. Nothing was written.
    """
    if tenant.rates is None:
        raise ValueError(f"{tenant.slug} has no rates file.")
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        _read(connection, tenant.rates)
        _check_rates(connection, tenant.rates, tenant.currency)
        file.parent.mkdir(parents=True, exist_ok=True)
        connection.execute(
            f"copy (select date, currency, rate from rates where currency <> {literal(tenant.currency)}"
            f" order by currency, date) to {literal(str(file))} (format parquet)"
        )


def _read(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Create the table `rates`: `position` in the file, `COLUMNS` (invalid values are NULL), and `rate_text`."""
    try:
        with TemporaryDirectory() as folder:
            batches = list(Reader(connection, ExchangeRate, Path(folder)).read(path))
    except Unreadable as damage:
        raise ConfigError(f"{path}: {damage.reason}.", "Give it the columns date, currency and rate.") from damage
    if wrong := min((row for batch in batches for row in batch.wrong.to_pylist()), key=_position, default=None):
        raise ConfigError(
            f"{_location(path, wrong[LINE])}: {wrong[WRONG]}: {shorten(wrong[RECORD] or '')}.",
            "Write the date as 2026-01-31, an ISO 4217 currency and a rate.",
        )
    connection.register("records", _rows(batches))
    connection.execute(f"""
        create table rates as
        select
            {LINE} as position, cast(date as date) as date, trim(currency) as currency,
            try_cast(trim(rate) as {RATE}) as rate, trim(rate) as rate_text
        from records""")


def _rows(batches: Iterable[Batch]) -> pa.Table:
    """The good rows of all batches."""
    texts = [(name, pa.string()) for name in ExchangeRate.required]
    empty = pa.schema([*texts, (LINE, pa.int64())]).empty_table()
    return pa.concat_tables([empty, *(batch.good.select(empty.column_names).cast(empty.schema) for batch in batches)])


def _position(row: dict[str, int]) -> int:
    return row[LINE]


def _check_rates(connection: duckdb.DuckDBPyConnection, path: Path, reporting: str) -> None:
    """Raise the first error of the rates, by position in the file."""
    known = ", ".join(map(literal, sorted(CURRENCIES)))
    first = connection.execute(f"""
        with judged as (
            select
                *,
                lag(position) over (partition by currency, date order by position) as earlier,
                case
                    when currency not in ({known}) then 'currency'
                    when rate is null or not rate > 0 then 'rate'
                    when currency = {literal(reporting)} and rate <> 1 then 'own'
                    when earlier is not null then 'twice'
                end as problem
            from rates
        )
        select problem, position, earlier, cast(date as varchar), currency, rate_text
        from judged where problem is not null order by position limit 1""").fetchone()
    if first:
        problem, position, earlier, day, currency, rate_text = first
        what, fix = {
            "currency": (
                f"{shorten(currency, 80)!r} is no ISO 4217 currency code.",
                suggest(currency.upper(), CURRENCIES) if currency else "Write one such as USD.",
            ),
            "rate": (
                f"the rate of {currency} on {day} is {shorten(rate_text, 80)!r}.",
                f"Write how many {reporting} one {currency} is worth: a number above 0 and below 10^10.",
            ),
            "own": (
                f"one {currency} is {rate_text} {currency}, and {currency} is what amounts are converted to.",
                "Remove the line, or correct `currency` in tenants.yaml: a rate says what one unit is worth in it.",
            ),
            "twice": (
                f"the rate of {currency} on {day} is said a second time, first in {_line(path, earlier or 0)}.",
                "Keep one of the two.",
            ),
        }[problem]
        raise ConfigError(f"{_location(path, position)}: {what}", fix)
    if not connection.execute("select count(*) from rates").fetchall()[0][0]:
        raise ConfigError(f"{path} has no rates.", "Give it the columns date, currency and rate.")


def _location(path: Path, position: int) -> str:
    return f"{path}, {_line(path, position)}"


def _line(path: Path, position: int) -> str:
    """Line or row of the record at a position, counted from 1: its line, where the file has lines."""
    match format_of(path):
        case "csv":
            with open_file(path) as file:
                filled = [number for number, line in enumerate(file, start=1) if line.strip()]
            return f"line {filled[min(position, len(filled) - 1)]}"  # the first is the header
        case "jsonl" | "ndjson":
            return f"line {position}"
        case _:
            return f"row {position}"
