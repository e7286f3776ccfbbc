"""Runs as models: read without ibis, compiled whole before they are published, refused when they are broken."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import PublishError
from semantic.answering.semantic_model import load_model
from tests.semantic.hand_star import HandStar, hand_shop

HEAVY = ("ibis", "boring_semantic_layer", "pandas", "pyarrow", "sqlglot", "dlt", "dbt")


@pytest.mark.parametrize("text", ["", "a: [", "version: 1\nmodels: {}", "just text"])
def test_definitions_that_cannot_be_read_are_refused(folder: Path, text: str) -> None:
    (folder / "semantic.yml").write_text(text, encoding="utf-8")
    with pytest.raises(PublishError, match="cannot be read"):
        load_model(folder)


def test_definitions_of_another_release_are_refused_as_such(folder: Path) -> None:
    (folder / "semantic.yml").write_text("version: 99", encoding="utf-8")
    with pytest.raises(PublishError, match=r"semantic\.yml is of version 99, which a later release of gata reads"):
        load_model(folder)


def test_a_run_without_definitions_is_refused(folder: Path) -> None:
    with pytest.raises(PublishError, match="Build the tenant again"):
        load_model(folder / "gone")


def test_loading_a_model_imports_nothing_heavy_and_answering_neither_pandas_nor_pyarrow(folder: Path) -> None:
    run_dir = HandStar(folder).write()
    program = f"""
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from semantic.answering.semantic_model import load_model
from semantic.answering.run_query import run_query
from semantic.planning.query import read_query
model = load_model(Path({str(run_dir)!r}))
print([name for name in {HEAVY!r} if name in sys.modules])
sys.modules["pandas"] = None
import datetime, duckdb
connection = duckdb.connect({str(run_dir / "stars.duckdb")!r}, read_only=True)
filters = [{{"name": "spend", "op": ">", "value": 1}}]
query = read_query({{"metrics": ["roas"], "dimensions": ["campaign_name"], "filters": filters}})
run_query(query, model, connection, today=datetime.date(2026, 4, 15))
print([name for name in {HEAVY!r} if sys.modules.get(name)])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path.cwd())
    assert done.stdout.splitlines() == ["[]", "['ibis', 'boring_semantic_layer', 'sqlglot']"]


def test_joins_are_listed_with_their_keys_and_cardinality(shop: HandStar) -> None:
    found = {(r.table, r.column, r.to, r.to_column, r.cardinality) for r in shop.model.relationships}
    assert ("fct_shop__ad_performance", "campaign_key", "dim_shop__campaigns", "campaign_key", "many_to_one") in found
    assert len(found) == 10
    [counted] = [
        r for r in shop.model.relationships if r.table == "fct_shop__sessions" and r.to == "dim_shop__campaigns"
    ]
    assert (counted.rows, counted.rows_without_key, counted.rows_with_unknown_key) == (6, 3, 0)


def test_a_statement_is_compiled_once_per_shape_whatever_the_values(shop: HandStar) -> None:
    before = shop.model.statement.cache_info().misses  # type: ignore[attr-defined]  # it is a cache, and this is its face
    for day in ("2026-01-12", "2026-02-03", "2026-03-01"):
        question = {
            "metrics": ["clicks"],
            "dimensions": ["ad_platform"],
            "time_range": {"start": "2026-01-10", "end": day},
            "limit": 7,
        }
        shop.ask(**question, filters=[{"name": "spend", "op": ">", "value": int(day[6])}])
    assert shop.model.statement.cache_info().misses == before + 1  # type: ignore[attr-defined]  # as above


def test_lists_of_nearly_one_length_share_a_statement_and_are_still_what_was_asked(shop: HandStar) -> None:
    before = shop.model.statement.cache_info().misses  # type: ignore[attr-defined]  # as above
    for values in (["1", "2", "4"], ["4", "2", "1", "2"], ["1", "4", "4"]):
        answer = shop.ask(metrics=["impressions"], filters=[{"name": "campaign_id", "op": "in", "value": values}])
        assert answer.filters[0]["value"] == values
        expected = f"select sum(impressions) from fct_shop__ad_performance where campaign_id in {tuple(values)}"
        assert answer.rows[0][0] == shop.sql(expected)[0][0]
    assert shop.model.statement.cache_info().misses == before + 1  # type: ignore[attr-defined]  # as above


def test_many_callers_at_once_get_what_one_gets(folder: Path) -> None:
    star = hand_shop(folder)
    questions = [
        {"metrics": [metric], "dimensions": [dimension], "time_range": {"start": "2026-01-01", "end": "2026-03-31"}}
        for metric in ("spend", "roas", "orders", "session_users")
        for dimension in ("campaign_name", "date", "ad_platform")
    ]
    cursors = [star.cursor for _ in questions * 4]
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(star.ask_on, cursor, **question)
            for cursor, question in zip(cursors, questions * 4, strict=True)
        ]
        answers = [future.result().rows for future in asked]
    assert answers == [star.ask(**question).rows for question in questions] * 4
    star.close()
