"""Rollups: every answer is that of plain Python and of the facts, row by row and type by type; and they are read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import QueryError
from pipeline.publish.run_manifest import PublishedRollup
from semantic.answering.answer_columns import with_values
from semantic.answering.rollups import Choice, attach, build_rollups, make_rollups, with_rollups
from semantic.answering.run_query import run_query
from semantic.answering.semantic_model import SemanticModel, load_model
from semantic.catalog.run_definitions import RunDefinitions
from semantic.planning.query import Answer, Query, read_query
from semantic.planning.query_shape import Key, Scan
from tests.semantic import reference
from tests.semantic.examples import examples
from tests.semantic.hand_star import SLUG, TODAY, HandStar, definitions_of, hand_shop
from tests.semantic.questions import questions
from tests.semantic.random_catalog import Catalog, catalogs
from tests.semantic.random_star import NUMBERS, STARS, RandomStar, truth
from tests.semantic.reference import GroundTruth, Measure
from tests.semantic.test_against_reference import check

Connection = duckdb.DuckDBPyConnection

DAYS = 40
VISITS_A_DAY = 50


@pytest.fixture(scope="module")
def definitions(covered_shop: HandStar) -> RunDefinitions:
    return definitions_of(covered_shop)


@pytest.fixture(scope="module")
def memory() -> Iterator[Connection]:
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        yield connection


def drawn_questions(data: st.DataObject, truth: GroundTruth, numbers: Sequence[str]) -> list[dict[str, Any]]:
    """Two questions, as a rule of what adds up, since nothing else is read from rollups: then of all that adds up."""
    parts = {name: measure for name, measure in truth.measures.items() if measure.adds_up}
    formulas = {name: formula for name, formula in truth.formulas.items() if truth.adds_up(name)}
    added_up = replace(truth, measures=parts, formulas=formulas) if parts else truth
    asked = []
    for of in data.draw(st.sampled_from([(added_up, added_up), (added_up, added_up), (added_up, truth)]), label="of"):
        tested = tuple(name for name in numbers if name in of.measures or name in of.formulas)
        question = data.draw(questions(of, tested), label="question")
        beside = [name for name, measure in parts.items() if measure.fact in truth.facts(question["metrics"])]
        if of is added_up and not truth.currencies(beside) - truth.currencies(question["metrics"]):
            question["metrics"] = list(dict.fromkeys([*question["metrics"], *beside]))
        asked.append(question)
    return asked


def drawn_rollups(data: st.DataObject, asked: Sequence[Query], model: SemanticModel) -> list[Choice]:
    """Rollups of the facts that questions are about: of every dimension, or of all but one that the first one needs.

    Some have a slimmer one beside them, made from the wide one: of only what the first question is cut by. All of an
    example is drawn before anything of it is written: what a database raises in between looks like another draw.
    """
    names = dict.fromkeys(name for query in asked for name in (*query.metrics, *(each.name for each in query.filters)))
    used = [fact for name in names if name in model.catalog.metrics for fact in model.catalog.facts_of(name)]
    cuts = list(dict.fromkeys((*asked[0].dimensions, *(each.name for each in asked[0].filters))))
    lacking = data.draw(st.sampled_from([None, None, *(name for name in cuts if name != "date")]), label="lacking")
    choices = []
    for fact in dict.fromkeys(used):
        dimensions = [each for each in model.catalog.dimensions.values() if fact in each.paths]
        wide = {each.name: each.paths[fact] for each in dimensions if each.name != lacking}
        choices.append(Choice(f"{fact}_wide", fact, wide))
        if data.draw(st.booleans(), label=f"slim {fact}"):
            choices.append(Choice(f"{fact}_slim", fact, {name: wide[name] for name in wide if name in (*cuts, "date")}))
    return choices


def rolled_up(
    choices: Sequence[Choice], model: SemanticModel, definitions: RunDefinitions, memory: Connection
) -> SemanticModel:
    """The model that reads these rollups, made anew in memory."""
    memory.execute("ATTACH IF NOT EXISTS ':memory:' AS rollups")
    for (table,) in memory.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'rollups'").fetchall():
        memory.execute(f'DROP TABLE rollups.main."{table}"')
    return with_rollups(model, make_rollups(memory, model, definitions, choices))


def check_rolled(
    questions: Sequence[dict[str, Any]],
    truth: GroundTruth,
    model: SemanticModel,
    rolled: SemanticModel,
    memory: Connection,
) -> None:
    """Over rollups every answer is the reference's, and in every word and type the one that facts give."""
    for question in questions:
        check(question, truth, partial(run_query, model=rolled, cursor=memory, today=TODAY))
        query = read_query(question)
        expected, got = (answer_or_refusal(query, each, memory) for each in (model, rolled))
        assert got == expected
        if isinstance(got, Answer) and isinstance(expected, Answer):
            assert [list(map(type, row)) for row in got.rows] == [list(map(type, row)) for row in expected.rows]


def answer_or_refusal(query: Query, model: SemanticModel, connection: Connection) -> Answer | str:
    try:
        return run_query(query, model, connection, today=TODAY)
    except QueryError as error:
        return str(error)


@examples(8)
@given(rows=STARS, data=st.data())
def test_random_questions_over_rollups_have_the_answer_of_plain_python_and_of_the_facts(
    star: RandomStar, definitions: RunDefinitions, rows: dict[str, list[dict[str, Any]]], data: st.DataObject
) -> None:
    meant = truth(star.filled(rows))
    asked = drawn_questions(data, meant, NUMBERS)
    choices = drawn_rollups(data, [read_query(each) for each in asked], star.model)
    star.write(rows)
    check_rolled(
        asked, meant, star.model, rolled_up(choices, star.model, definitions, star.connection), star.connection
    )


@examples(12)
@given(catalog=catalogs(), data=st.data())
def test_random_catalogs_over_rollups_have_the_answers_of_plain_python_and_of_the_facts(
    memory: Connection, tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, data: st.DataObject
) -> None:
    model = catalog.load(tmp_path_factory.getbasetemp() / "rolled_up")
    asked = drawn_questions(data, catalog.truth, catalog.numbers)
    choices = drawn_rollups(data, [read_query(each) for each in asked], model)
    catalog.fill(memory)
    check_rolled(asked, catalog.truth, model, rolled_up(choices, model, catalog.definitions, memory), memory)


@dataclass(frozen=True)
class Rolled:
    """A run with its rollups, open."""

    model: SemanticModel
    rolled: SemanticModel
    rollups: tuple[PublishedRollup, ...]
    connection: duckdb.DuckDBPyConnection

    def sql(self, **query: Any) -> str:
        asked = read_query({**query, "compile_only": True})
        return run_query(asked, self.rolled, self.connection, today=TODAY).sql[0]

    def uses(self, **query: Any) -> list[str]:
        """The rollups that a question reads."""
        sql = self.sql(**query)
        return sorted(rollup.table.name for rollup in self.rollups if f'"{rollup.table.name}"' in sql)


def busy_shop(folder: Path) -> HandStar:
    """Many visits and orders a day from few sources, each visit of another user, and halves of ad conversions."""
    star = hand_shop(folder).cover("2020-01-01", "2026-12-31")
    for table in ("sessions", "events", "ad_performance", "orders", "order_items"):
        star.rows[table] = []
    draw = Random(7)
    for n in range(DAYS * VISITS_A_DAY):
        day = date(2026, 1, 1) + timedelta(days=n // VISITS_A_DAY)
        sold = draw.random() < 0.2
        visit = {"session_date": day, "user_key": f"u{n}", "session_revenue": n if sold else 0}
        visit |= {"traffic_source": draw.choice(["google", "bing", None]), "geo_country": draw.choice(["DE", "FR"])}
        star.add("sessions", visit | {"is_conversion_session": sold, "traffic_campaign": f"{n}"})
        spent = {"report_date": day, "campaign_key": draw.choice(["k1", "k2"]), "spend": n}
        spent |= {"campaign_id": spent["campaign_key"][1:]}
        star.add(
            "ad_performance",
            spent | {"clicks": n, "impressions": n, "conversions": n / 2 if n % 3 else None, "ad_id": f"{n}"},
        )
        bought = {
            "order_date": day,
            "order_key": f"o{n}",
            "order_id": f"o{n}",
            "total_price": draw.choice([5, 7.25, n]),
        }
        bought |= {"traffic_source": visit["traffic_source"], "traffic_campaign": f"{n}", "is_valid": n % 9 > 0}
        star.add("orders", bought | {"customer_key": f"c{n % 90}"})
    return star


PRICES = [("smallest_order", min), ("largest_order", max)]
PICKED = {
    name: Measure("orders", reference.known("total_price", lambda row: row["is_valid"], pick), "pick")
    for name, pick in PRICES
}


@pytest.fixture(scope="module")
def busy_rows(tmp_path_factory: pytest.TempPathFactory) -> HandStar:
    return busy_shop(tmp_path_factory.mktemp("busy"))


@pytest.fixture(scope="module")
def busy_truth(busy_rows: HandStar) -> GroundTruth:
    """What the busy shop's metrics that add up mean, the least and the greatest too."""
    meant = truth(busy_rows.rows)
    parts = {name: measure for name, measure in {**meant.measures, **PICKED}.items() if measure.adds_up}
    parts = {
        name: measure for name, measure in parts.items() if measure.fact in ("sessions", "ad_performance", "orders")
    }
    formulas = {name: said for name, said in meant.formulas.items() if set(meant.parts(name)) <= parts.keys()}
    return replace(meant, measures=parts, formulas=formulas)


@examples(30)
@given(data=st.data())
def test_questions_over_large_rollups_have_the_answer_of_plain_python(
    busy: Rolled, busy_truth: GroundTruth, data: st.DataObject
) -> None:
    question = data.draw(questions(busy_truth, ("spend", "clicks", "orders")), label="question")
    beside = [
        name for name in busy_truth.measures if busy_truth.measures[name].fact in busy_truth.facts(question["metrics"])
    ]
    question["metrics"] = list(dict.fromkeys([*question["metrics"], *beside]))
    check(question, busy_truth, partial(run_query, model=busy.rolled, cursor=busy.connection, today=TODAY))


@pytest.fixture(scope="module")
def busy(busy_rows: HandStar) -> Iterator[Rolled]:
    run_dir = busy_rows.write()
    file = run_dir / "rollups.duckdb"
    rollups = build_rollups(run_dir, file, least_rows=1000)
    model = load_model(run_dir)
    with duckdb.connect(run_dir / "stars.duckdb", read_only=True) as connection:
        attach(connection, file)
        yield Rolled(model, with_rollups(model, rollups), rollups, connection)


def test_large_facts_are_rolled_up_by_what_repeats_within_a_day_and_small_ones_are_not(busy: Rolled) -> None:
    assert {rollup.fact for rollup in busy.rollups} == {"sessions", "ad_performance", "orders"}
    held = {name for rollup in busy.rollups for name in rollup.dimensions}
    assert {"date", "traffic_source", "geo_country", "campaign_name", "ad_platform"} <= held
    assert not held & {"traffic_campaign", "ad_id", "customer_email", "user_id", "user_pseudo_id"}
    for rollup in busy.rollups:
        assert rollup.table.rows <= 0.21 * DAYS * VISITS_A_DAY


def test_additive_questions_read_a_rollup_and_give_what_plain_sql_gives(busy: Rolled) -> None:
    question = {"metrics": ["sessions", "session_revenue", "conversion_rate"], "dimensions": ["traffic_source"]}
    assert busy.uses(**question)
    answer = run_query(read_query(question), busy.rolled, busy.connection, today=TODAY)
    expected = busy.connection.execute(
        "select traffic_source, count(*) as n, sum(session_revenue), sum(is_conversion_session::int) / count(*) "
        f"from fct_{SLUG}__sessions group by 1 order by n desc, 1 nulls last"
    ).fetchall()
    assert [tuple(row) for row in answer.rows] == expected


def test_what_an_id_determines_is_taken_once_for_each_id(busy: Rolled) -> None:
    (wide,) = (rollup for rollup in busy.rollups if "campaign_name" in rollup.dimensions and rollup.fact[:2] == "ad")
    assert wide.determined["campaign_name"] == ("campaign_id",)
    assert "campaign_id" not in wide.determined
    question: dict[str, Any] = {"metrics": ["spend"], "dimensions": ["campaign_id", "campaign_name"]}
    assert re.search(r'ANY_VALUE\("t\d"\."d_campaign_name"\)', busy.sql(**question))
    answer = run_query(read_query(question), busy.rolled, busy.connection, today=TODAY)
    expected = busy.connection.execute(
        f"select a.campaign_id, campaign_name, sum(spend) as n from fct_{SLUG}__ad_performance as a "
        f"left join dim_{SLUG}__campaigns using (campaign_key) group by 1, 2 order by n desc"
    ).fetchall()
    assert [tuple(row) for row in answer.rows] == expected


def test_the_smallest_rollup_that_holds_everything_is_read(busy: Rolled) -> None:
    rows = {rollup.table.name: rollup.table.rows for rollup in busy.rollups}
    (read,) = busy.uses(metrics=["sessions"], dimensions=["date"], time_grain="month")
    assert rows[read] == min(r.table.rows for r in busy.rollups if r.fact == "sessions")


@pytest.mark.parametrize(
    "question",
    [
        {"metrics": ["session_users"]},  # the same user may come on two days
        {"metrics": ["sessions", "session_users"]},
        {"metrics": ["median_session_seconds"]},
        {"metrics": ["sessions"], "dimensions": ["traffic_campaign"]},
        {"metrics": ["sessions"], "filters": [{"name": "traffic_campaign", "op": "is_not_null"}]},
        {"metrics": ["median_order_value"]},
        {"metrics": ["events"]},
    ],
)
def test_what_a_rollup_does_not_give_exactly_is_made_from_the_fact(busy: Rolled, question: dict[str, Any]) -> None:
    assert busy.uses(**question) == []


def test_each_fact_of_a_question_is_read_as_it_can_be(busy: Rolled) -> None:
    question = {"metrics": ["spend", "session_users"], "dimensions": ["date"]}
    used = busy.uses(**question)
    assert [name.rpartition("_")[0] for name in used] == ["ad_performance"]
    assert f"fct_{SLUG}__sessions" in busy.sql(**question)


def test_values_are_bound_not_written_so_one_statement_serves_all(busy: Rolled) -> None:
    compiled: Any = busy.rolled.statement  # a cache
    before = compiled.cache_info().misses
    for text in ("o0", "o1", "o2"):
        filters = [{"name": "traffic_source", "op": "contains", "value": text}]
        query = read_query({"metrics": ["sessions"], "dimensions": ["geo_country"], "filters": filters})
        run_query(query, busy.rolled, busy.connection, today=TODAY)
    assert compiled.cache_info().misses == before + 1


def test_a_description_of_rollups_survives_being_written_and_read(busy: Rolled) -> None:
    for rollup in busy.rollups:
        assert PublishedRollup.model_validate_json(json.dumps(rollup.model_dump())) == rollup


def test_a_run_without_a_large_fact_gets_no_file(shop: HandStar, tmp_path: Path) -> None:
    assert shop.model
    assert build_rollups(shop.folder / shop.model.run_id, tmp_path / "rollups.duckdb", least_rows=1000) == ()
    assert list(tmp_path.iterdir()) == []  # nor is there anything left of trying


@pytest.mark.parametrize("keys", [(), ("traffic_source",), ("date",)])
@pytest.mark.parametrize("day", ["2026-01-05", "2030-01-01"])
def test_a_scan_of_a_rollup_gives_the_columns_types_and_rows_of_the_scan_of_its_fact(
    busy: Rolled, keys: tuple[str, ...], day: str
) -> None:
    dimensions, metrics = busy.model.catalog.dimensions, busy.model.catalog.metrics
    scan = Scan(
        fact="sessions",
        keys=tuple((Key(name, dimensions[name].type), dimensions[name].paths["sessions"]) for name in keys),
        measures=tuple(name for name, metric in metrics.items() if metric.fact == "sessions" and metric.adds_up),
        conditions=(),
        has_start=True,
        has_end=False,
        week_shift=0,
    )
    ways = []
    for model in (busy.model, busy.rolled):
        sql = with_values(model.scan(scan), {"start": day})
        described = [row[:2] for row in busy.connection.execute(f"DESCRIBE {sql}").fetchall()]
        ways.append((described, sorted(busy.connection.execute(sql).fetchall(), key=repr)))
    assert "rollups" in busy.rolled.scan(scan)
    assert ways[0] == ways[1]
