"""A rates file is read exactly, in every format of exports; an error names the line and the value."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.tenant import Tenant
from pipeline.currency.exchange_rates import rates_digest, write_rates
from pipeline.errors import ConfigError

HEAD = "date,currency,rate\n"
GOOD = f"{HEAD}2026-01-02,USD,0.91743119266055045872\n2026-01-01,USD,1e-5\n2026-01-01,EUR,1.00\n2026-01-01,GBP,1.15\n"
READ = [
    (date(2026, 1, 1), "GBP", Decimal("1.15")),
    (date(2026, 1, 1), "USD", Decimal("0.00001")),
    (date(2026, 1, 2), "USD", Decimal("0.917431192660550459")),
]


def read(path: Path) -> list[tuple[Any, ...]]:
    """The rates of a tenant in euros, as its star is given them."""
    written = path.parent / "rates.parquet"
    write_rates(Tenant(slug="acme", business_name="Acme", currency="EUR", rates=path), written)
    return duckdb.sql(f"select * from '{written}'").fetchall()


def rows(text: str) -> Iterator[dict[str, str]]:
    head, *lines = text.splitlines()
    return (dict(zip(head.split(","), line.split(","), strict=True)) for line in lines)


@pytest.fixture
def said(tmp_path: Path) -> dict[str, Path]:
    """The same rates in every format."""
    forms = {
        "said.csv": GOOD.encode(),
        "semicolons.csv.gz": gzip.compress(b"\xef\xbb\xbf" + GOOD.replace(",", ";").encode()),
        "said.json": json.dumps(list(rows(GOOD))).encode(),
        "said.jsonl": "\n".join(map(json.dumps, rows(GOOD))).encode(),
    }
    for name, content in forms.items():
        (tmp_path / name).write_bytes(content)
    duckdb.sql(f"copy (select * from read_csv('{tmp_path}/said.csv', all_varchar=true)) to '{tmp_path}/text.parquet'")
    return {name: tmp_path / name for name in (*forms, "text.parquet")}


@pytest.mark.parametrize("name", ["said.csv", "semicolons.csv.gz", "said.json", "said.jsonl", "text.parquet"])
def test_every_format_gives_the_same_rates_to_eighteen_decimals(said: dict[str, Path], name: str) -> None:
    assert read(said[name]) == READ


def test_numbers_and_dates_of_parquet_and_json_need_no_text(tmp_path: Path) -> None:
    duckdb.sql(f"copy (select date '2026-01-01' as date, 'USD' as currency, 1.25 as rate) to '{tmp_path}/a.parquet'")
    (tmp_path / "b.jsonl").write_text('{"date": "2026-01-01", "currency": "USD", "rate": 1.25}\n', encoding="utf-8")
    assert read(tmp_path / "a.parquet") == read(tmp_path / "b.jsonl") == [(date(2026, 1, 1), "USD", Decimal("1.25"))]


LINES = {
    "2026-01-01,USX,0.9": "line 3: 'USX' is no ISO 4217 currency code.",
    "2026-01-01,usd,0.9": "line 3: 'usd' is no ISO 4217 currency code. Did you mean USD",
    "2026-01-01,,0.9": "line 3: currency is missing",
    "2026-01-01,USD,": "line 3: rate is missing",
    ",USD,0.9": "line 3: date is missing",
    "01.02.2026,USD,0.9": "line 3: date is not a date",
    "2026-02-30,USD,0.9": "line 3: date is not a date",
    "2026-01-01,USD,-0.9": "line 3: the rate of USD on 2026-01-01 is '-0.9'. Write how many EUR one USD is worth",
    "2026-01-01,USD,0": "line 3: the rate of USD on 2026-01-01 is '0'.",
    "2026-01-01,USD,nan": "line 3: the rate of USD on 2026-01-01 is 'nan'.",
    "2026-01-01,USD,0.0000000000000000001": "line 3: the rate of USD on 2026-01-01 is '0.0000000000000000001'.",
    "2026-01-01,USD,99999999999": "line 3: the rate of USD on 2026-01-01 is '99999999999'.",
    '2026-01-01,USD,"0,9"': "line 3: the rate of USD on 2026-01-01 is '0,9'.",
    "2026-01-01,EUR,1.1": "line 3: one EUR is 1.1 EUR",
    "2026-01-01,CHF,1.1": "line 3: the rate of CHF on 2026-01-01 is said a second time, first in line 2. Keep one",
}


@pytest.mark.parametrize("line", LINES)
def test_a_wrong_line_is_named_with_what_is_wrong(tmp_path: Path, line: str) -> None:
    (tmp_path / "said.csv").write_text(f"{HEAD}2026-01-01,CHF,1\n{line}\n2026-01-01,USY,1\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read(tmp_path / "said.csv")
    assert str(refused.value).startswith(f"{tmp_path / 'said.csv'}, {LINES[line]}")


def test_blank_lines_are_counted_and_rows_of_json_and_parquet_have_no_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{HEAD}\n2026-01-01,CHF,1\n\n2026-01-01,USY,1\n", encoding="utf-8")
    (tmp_path / "a.json").write_text('[{"date": "2026-01-01", "currency": "USY", "rate": 1}]', encoding="utf-8")
    (tmp_path / "a.jsonl").write_text('{"date": "2026-01-01", "currency": "USY", "rate": 1}', encoding="utf-8")
    for name, place in (("a.csv", "line 5"), ("a.json", "row 1"), ("a.jsonl", "line 1")):
        with pytest.raises(ConfigError, match=f"{place}: 'USY'"):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.csv", HEAD, "a.csv has no rates. Give it the columns date, currency and rate."),
        ("a.csv", "", "a.csv: the file is empty: zero bytes. Give it the columns"),
        ("a.csv", "day,currency,rate\n2026-01-01,USD,1\n", "a.csv, line 2: date is missing"),
        ("a.txt", HEAD, "a.txt: no reader for the ending of a.txt"),
        ("a.csv.gz", "no gzip", "a.csv.gz: damaged gzip"),
        ("a.parquet", "PAR1", "a.parquet: "),
    ],
)
def test_a_file_that_holds_no_rates_is_named(tmp_path: Path, name: str, content: str, what: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read(tmp_path / name)
    assert what in str(refused.value)
    assert not (tmp_path / "rates.parquet").exists()


def test_other_rates_have_another_digest_and_a_file_that_is_gone_is_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "said.csv"
    tenant = Tenant(slug="acme", business_name="Acme", rates=path)
    path.write_text(GOOD, encoding="utf-8")
    before = rates_digest(tenant)
    path.write_text(GOOD.replace("1.15", "1.16"), encoding="utf-8")
    assert len({before, rates_digest(tenant), rates_digest(Tenant(slug="acme", business_name="Acme"))}) == 3
    path.unlink()
    assert rates_digest(tenant)
    with pytest.raises(ConfigError, match="no such file"):
        read(path)
