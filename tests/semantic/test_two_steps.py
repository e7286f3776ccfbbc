"""A fact is grouped by the keys of its joins before it is joined: where that is cheaper, and with the same answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from semantic.answering.run_query import run_query
from semantic.answering.semantic_model import SemanticModel, statements
from semantic.catalog.run_definitions import RunDefinitions
from semantic.planning.query import read_query
from semantic.planning.query_shape import Scan
from semantic.sql.fact_aggregate import aggregate
from semantic.sql.scan_tables import ScanTables
from tests.semantic.examples import examples
from tests.semantic.hand_star import SLUG, TODAY, HandStar, definitions_of, hand_shop
from tests.semantic.random_catalog import Catalog, catalogs
from tests.semantic.random_star import NUMBERS, STARS, RandomStar, truth
from tests.semantic.reference import GroundTruth
from tests.semantic.repeating_keys import with_repeating_keys
from tests.semantic.test_rollups import check_rolled, drawn_questions

Connection = duckdb.DuckDBPyConnection

HUGE = 999_999_999_999  # a DECIMAL(18,6) holds it; ten of them it does not
REACHED = 1
"""The fewest examples with a question that is answered in two steps; about a third of them is usual."""


@pytest.fixture(scope="module")
def definitions(covered_shop: HandStar) -> RunDefinitions:
    return definitions_of(covered_shop)


@pytest.fixture(scope="module")
def memory() -> Iterator[Connection]:
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        yield connection


def test_random_questions_in_two_steps_have_the_answer_of_plain_python_and_of_one_step(
    star: RandomStar, definitions: RunDefinitions
) -> None:
    reached: list[bool] = []

    @examples(20)
    @given(rows=STARS, data=st.data())
    def ask(rows: dict[str, list[dict[str, Any]]], data: st.DataObject) -> None:
        meant, split = truth(star.filled(rows)), list[Scan]()
        asked = _joined_questions(data, meant, NUMBERS, star.model)
        star.write(rows)
        model = with_repeating_keys(star.model, definitions, meant.rows, split)
        check_rolled(asked, meant, star.model, model, star.connection)
        reached.append(bool(split))

    ask()
    assert sum(reached) >= REACHED


def test_random_catalogs_in_two_steps_have_the_answers_of_plain_python_and_of_one_step(
    memory: Connection, tmp_path_factory: pytest.TempPathFactory
) -> None:
    reached: list[bool] = []

    @examples(25)
    @given(catalog=catalogs(), data=st.data())
    def ask(catalog: Catalog, data: st.DataObject) -> None:
        split: list[Scan] = []
        model = catalog.load(tmp_path_factory.getbasetemp() / "in_two_steps")
        assume(any("." in path for each in model.catalog.dimensions.values() for path in each.paths.values()))
        meant = data.draw(st.sampled_from([_exact(catalog.truth), catalog.truth]), label="of")
        asked = _joined_questions(data, meant, catalog.numbers, model)
        catalog.fill(memory)
        large = with_repeating_keys(model, catalog.definitions, catalog.truth.rows, split)
        check_rolled(asked, catalog.truth, model, large, memory)
        assert not any(name.endswith(_NOT_EXACT) for scan in split for name in scan.measures)
        reached.append(bool(split))

    ask()
    assert sum(reached) >= REACHED


_NOT_EXACT = ("part", "people", "middle", "ninetieth")
"""Of the measures of random catalogs: a sum of doubles depends on their order, and the others do not add up."""


def _exact(truth: GroundTruth) -> GroundTruth:
    """The truth without sums of doubles; all of it where there is nothing else."""
    parts = {name: measure for name, measure in truth.measures.items() if not name.endswith("part")}
    formulas = {name: said for name, said in truth.formulas.items() if set(truth.parts(name)) <= parts.keys()}
    return replace(truth, measures=parts, formulas=formulas) if parts else truth


def _joined_questions(
    data: st.DataObject, truth: GroundTruth, numbers: Sequence[str], model: SemanticModel
) -> list[dict[str, Any]]:
    """Two questions, in most examples by dimensions that some fact has in a joined table."""
    kept = {"date", "currency"}
    kept |= {
        each.name for each in model.catalog.dimensions.values() if any("." in path for path in each.paths.values())
    }
    joined = {name: readers for name, readers in truth.dimensions.items() if name in kept}
    if data.draw(st.integers(0, 3), label="by what is joined"):
        truth = replace(truth, dimensions=joined)
    return drawn_questions(data, truth, numbers)


def busy_shop(folder: Path) -> HandStar:
    """Many rows of a few campaigns, some without and some of an unknown one, and orders that have a row each."""
    star = hand_shop(folder).cover("2020-01-01", "2026-12-31")
    for table in ("sessions", "events", "ad_performance", "orders", "order_items"):
        star.rows[table] = []
    for n in range(600):
        day = date(2026, 1, 1) + timedelta(days=n % 4)
        key = ["k1", "k2", "k3", "lost", "lost too", None][n % 6]
        spent = {"report_date": day, "campaign_key": key, "campaign_id": key and f"id of {key}", "spend": HUGE - n}
        spent |= {"clicks": n, "impressions": n, "conversions": n / 7}
        star.add(
            "ad_performance", spent | {"ad_id": f"{n}", "source_platform": ["google_ads", "tiktok_ads"][n % 5 > 2]}
        )
        sold = {"order_key": f"o{n}", "order_id": f"o{n}", "order_date": day, "total_price": n / 4, "customer_key": key}
        sold |= {"campaign_key": key, "campaign_name": ["Alpha", None][n % 7 > 3], "is_valid": n % 9 > 0}
        star.add("orders", sold | {"user_key": f"u{n}"})
        star.add("order_items", {"order_key": f"o{n}", "order_item_key": f"i{n}", "order_date": day, "quantity": n % 5})
    return star


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    made = busy_shop(tmp_path_factory.mktemp("busy"))
    yield made
    made.close()


def _is_in_two_steps(star: HandStar, **query: Any) -> bool:
    return '"d_by_' in star.ask(**query, compile_only=True).sql[0]


def test_what_keys_repeat_and_determine_is_measured_when_a_run_is_published(busy: HandStar) -> None:
    joins = {(each.from_model, each.column): each for each in definitions_of(busy).relationships}
    ads, orders = joins["ad_performance", "campaign_key"], joins["orders", "campaign_key"]
    assert ads.keys in range(4, 9)  # about five
    assert "campaign_id" in ads.determines
    assert ads.groups == {"source_platform": 12}
    assert orders.groups["campaign_name"] == 12  # six keys, none of them among others
    order_key = joins["order_items", "order_key"]
    assert (order_key.cardinality, order_key.determines, order_key.groups) == ("one_to_one", (), {})


IN_TWO_STEPS: list[dict[str, Any]] = [
    {"metrics": ["spend", "clicks"], "dimensions": ["campaign_name"]},
    {"metrics": ["spend"], "dimensions": ["campaign_id", "campaign_name"]},
    {"metrics": ["spend"], "dimensions": ["campaign_name", "ad_platform"], "totals": True},
    {"metrics": ["spend"], "dimensions": ["campaign_name", "date"], "time_range": {"start": "2026-01-02"}},
    {"metrics": ["spend"], "dimensions": ["campaign_status"], "filters": [{"name": "campaign_name", "value": "Alpha"}]},
    {"metrics": ["spend"], "filters": [{"name": "campaign_name", "op": "is_null"}]},
    {"metrics": ["orders", "largest_order"], "dimensions": ["campaign_id", "campaign_name"]},
    {
        "metrics": ["spend"],
        "dimensions": ["campaign_name"],
        "filters": [{"name": "ad_platform", "value": "google_ads"}],
    },
]
IN_ONE: list[dict[str, Any]] = [
    {"metrics": ["customers"], "dimensions": ["campaign_id"]},  # of parts some are the same
    {"metrics": ["p90_order_value", "orders"], "dimensions": ["campaign_id"]},
    {"metrics": ["spend"], "dimensions": ["campaign_id"]},  # nothing to join
    {"metrics": ["units_sold"], "dimensions": ["ad_platform"]},  # as many orders as items
    {"metrics": ["orders"], "dimensions": ["is_customer"]},  # as many users as orders
    {"metrics": ["spend"], "dimensions": ["campaign_name", "ad_id"]},  # as many ads as rows
    {"metrics": ["spend"], "dimensions": ["date"], "filters": [{"name": "campaign_name", "value": "Alpha"}]},
]


@pytest.mark.parametrize("question", IN_TWO_STEPS)
def test_what_adds_up_is_grouped_by_keys_that_repeat_before_it_is_joined(
    busy: HandStar, question: dict[str, Any]
) -> None:
    assert _is_in_two_steps(busy, **question)


@pytest.mark.parametrize("question", IN_ONE)
def test_what_does_not_add_up_or_hardly_repeats_is_joined_row_by_row(busy: HandStar, question: dict[str, Any]) -> None:
    assert not _is_in_two_steps(busy, **question)


def test_the_sql_in_two_steps_is_the_reviewed_one_and_runs(busy: HandStar, golden: Callable[[str, str], None]) -> None:
    filters = [{"name": "campaign_status", "op": "is_null"}]
    question = {"metrics": ["spend", "clicks"], "dimensions": ["campaign_id", "campaign_name"], "filters": filters}
    answer = busy.ask(**question, time_range={"start": "2026-01-02"}, include_sql=True)
    golden("semantic/spend_by_campaign_in_two_steps.sql", answer.sql[0] + "\n")
    assert len(busy.sql(answer.sql[0])) == answer.row_count > 0


def test_rows_without_a_campaign_and_of_an_unknown_one_are_one_group_with_every_digit(busy: HandStar) -> None:
    answer = busy.ask(metrics=["spend", "clicks"], dimensions=["campaign_name"], order_by=["campaign_name"])
    by_hand = busy.sql(f"""
        select campaign_name, sum(spend), sum(clicks) from fct_{SLUG}__ad_performance
        left join dim_{SLUG}__campaigns using (campaign_key) group by 1 order by 1 nulls last""")
    assert [tuple(row) for row in answer.rows] == by_hand
    assert len(by_hand) == 3
    assert by_hand[-1][1] > 10**14  # more than the type of one row holds


@pytest.mark.parametrize("question", [*IN_TWO_STEPS, *IN_ONE])
def test_both_ways_give_the_same_columns_types_and_rows(busy: HandStar, question: dict[str, Any]) -> None:
    definitions, query = definitions_of(busy), read_query(question)
    unknown = tuple(replace(each, keys=None) for each in definitions.relationships)
    joined = _of(busy.model, definitions.model_copy(update={"relationships": unknown}))
    ways = [run_query(query, model, busy.cursor, today=TODAY) for model in (busy.model, joined)]
    assert ways[0] == ways[1]
    assert [list(map(type, row)) for row in ways[0].rows] == [list(map(type, row)) for row in ways[1].rows]


def _of(model: SemanticModel, definitions: RunDefinitions) -> SemanticModel:
    """The model with scans compiled from other definitions."""
    scan = partial(aggregate, tables=ScanTables.of_run(definitions))
    return replace(model, scan=scan, statement=statements(scan))
