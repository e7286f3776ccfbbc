"""Reads export files of every format in bulk into the wire types of a contract, with every value checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.contracts.fields import Contract, shape_of
from pipeline.ingest.envelopes.items import Texts
from pipeline.ingest.envelopes.records import records_of_file
from pipeline.ingest.formats.csv_file import PLAIN, CsvRules, read_csv
from pipeline.ingest.formats.export_file import Unreadable, format_of
from pipeline.ingest.formats.json_file import first_records, rows_of_texts
from pipeline.ingest.formats.json_texts import json_texts, line_texts
from pipeline.ingest.formats.parallel import convert_in_parallel, prefetched
from pipeline.ingest.formats.parquet_file import read_parquet
from pipeline.ingest.formats.respelling import form_of
from pipeline.ingest.formats.zip_file import extracted
from pipeline.ingest.values.wire_values import LINE, RECORD, WRONG
from pipeline.storage.build_memory import UNLIMITED, DuckDbMemory

__all__ = ["LINE", "RECORD", "WRONG", "Batch", "Reader", "Unreadable"]


@dataclass(frozen=True)
class Batch:
    """Some records of a file, in no guaranteed order."""

    good: pa.Table
    """The contract's fields in their wire types (nested ones as JSON text), `_extra`, `_source_line`; hashes of key and
    content where the contract asks for them."""
    wrong: pa.Table
    """`_source_line`, `_wrong` (the reason), `_record` (its text)."""


@dataclass
class Reader:
    """Reads files of one contract with one DuckDB instance; its TimeZone is UTC for all connections.

    Attributes:
        folder: For unpacked copies, each removed once its file is read.
        names: Names of the top-level fields of files, with a value or without; contract fields by the contract's names.
        workers: How many batches are converted at a time.
        rules: How CSV files are read, beside the contract.
    """

    con: duckdb.DuckDBPyConnection
    contract: type[Contract]
    folder: Path
    names: set[str] = field(default_factory=set)
    workers: int = 1
    rules: CsvRules = PLAIN

    @property
    def unknown(self) -> set[str]:
        """The names that the contract does not have."""
        return self.names - dict(shape_of(self.contract).fields).keys()

    def read(self, path: Path) -> Iterator[Batch]:
        """The records of one file, in batches.

        Raises:
            Unreadable: The file is damaged or of an unknown format. Batches read before are incomplete.
        """
        try:
            with extracted(path, self.folder) as file:
                yield from map(_split_by_validity, self._tables(file))
        except (duckdb.Error, pa.ArrowInvalid, UnicodeDecodeError) as error:
            if not _is_damage(error):
                raise
            raise Unreadable(_first_line(error), lasting=not isinstance(error, duckdb.IOException)) from error

    def _tables(self, path: Path) -> Iterator[pa.Table]:
        """Landing rows, good and bad."""
        match format_of(path):
            case "parquet":
                return prefetched(read_parquet(self.con, path, self.contract, self.names, self.workers))
            case "csv":
                return read_csv(self.con, path, self.contract, self.names, self.workers, rules=self.rules)
            case ending:
                return self._json_tables(path, ending)

    def _json_tables(self, path: Path, ending: str) -> Iterator[pa.Table]:
        """Landing rows of a JSON file."""

        def items() -> Iterator[Texts]:
            if ending == "json":
                return json_texts(self.con.cursor(), path, self.contract, self.folder)
            return line_texts(path)

        records = records_of_file(self.con.cursor(), items, self.contract)
        first = next(records, None)
        if first is None:
            return iter(())
        form = form_of(first_records(first[1]), self.contract)
        return convert_in_parallel(
            self.con,
            chain([first], records),
            lambda con, batch: rows_of_texts(con, batch, self.contract, self.names, form),
            self.workers,
        )


@contextmanager
def reading_connection(folder: Path, memory: DuckDbMemory = UNLIMITED) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory to read files with, in UTC on every machine; `folder` is for what does not fit in memory.

    One thread per query: two share a file badly and spin, for 1.5 times the CPU. Batches are converted in parallel.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "temp_directory": str(folder),
        "autoinstall_known_extensions": False,
        **memory,
    }
    with duckdb.connect(config=config) as con:
        con.execute("set global TimeZone = 'UTC'")
        yield con


def _split_by_validity(table: pa.Table) -> Batch:
    """Split landing rows into good and wrong ones."""
    if table[WRONG].null_count < table.num_rows:
        is_wrong = pc.is_valid(table[WRONG])
        wrong = table.filter(is_wrong).select([LINE, WRONG, RECORD])
        good = table.filter(pc.invert(is_wrong))
    else:
        wrong, good = table.slice(0, 0).select([LINE, WRONG, RECORD]), table
    return Batch(good.drop_columns([WRONG, RECORD]), wrong)


def _is_damage(error: Exception) -> bool:
    """Whether an error says that a file is damaged; any other error of DuckDB is a bug of ours, raised unchanged."""
    damage = (duckdb.InvalidInputException, duckdb.IOException)
    return not isinstance(error, duckdb.Error) or isinstance(error, damage) or type(error) is duckdb.Error


def _first_line(error: Exception) -> str:
    return re.sub(r"^[A-Z][A-Za-z ]* Error: ", "", str(error).partition("\n")[0])
