"""Fractions of conversions add up exactly: groups to their total, and to the same bytes however many threads add."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from semantic.answering.exact_json import to_json
from semantic.answering.run_query import run_query
from semantic.answering.semantic_model import SemanticModel, load_model
from semantic.planning.query import Answer, read_query
from tests.semantic.hand_star import SLUG, TODAY, HandStar

ROWS, DIFFERENT, ADS = 400_000, 40, 7  # several row groups, which threads take in no order
THIRDS = [(Decimal(n) / 3).quantize(Decimal("0.000000001")) for n in range(DIFFERENT)]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[SemanticModel, Path]:
    """Ad rows with thirds of conversions, as Google shares them out."""
    star = HandStar(tmp_path_factory.mktemp("large"))
    with duckdb.connect(star.folder / "stars.duckdb") as connection:
        star.fill(connection)
        connection.execute(f"""
            insert into fct_{SLUG}__ad_performance by name
            select
                i as performance_key, 'shop' as tenant_slug, 'google_ads' as source_platform, 'main' as source_account,
                date '2026-01-01' + (i % 90)::int as report_date, i % {ADS} as ad_id, 'EUR' as currency,
                0.01 as spend, (i % {DIFFERENT}) / 3 as conversions
            from range({ROWS}) as numbers (i)""")
    star.define(star.folder)
    return load_model(star.folder), star.folder / "stars.duckdb"


def ask(large: tuple[SemanticModel, Path], threads: int, *dimensions: str) -> Answer:
    query = read_query({"metrics": ["ad_conversions", "cost_per_conversion"], "dimensions": list(dimensions)})
    with duckdb.connect(large[1], read_only=True, config={"threads": threads}) as connection:
        return run_query(query, large[0], connection, today=TODAY)


def test_groups_add_up_to_the_total_exactly(large: tuple[SemanticModel, Path]) -> None:
    total = sum((THIRDS[n % DIFFERENT] for n in range(ROWS)), Decimal(0))
    assert ask(large, 2).rows[0][0] == total
    for dimension in ("ad_id", "date"):
        assert sum(row[1] for row in ask(large, 2, dimension).rows) == total


def test_the_same_question_gives_the_same_bytes_with_any_number_of_threads(large: tuple[SemanticModel, Path]) -> None:
    for dimensions in ((), ("ad_id",)):
        texts = {to_json(ask(large, threads, *dimensions).rows) for threads in (1, 2, 2, 3, 4)}
        assert len(texts) == 1
