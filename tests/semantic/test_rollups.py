"""Rollups: every answer is the same with and without them, row by row and type by type; and they are really read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import QueryError
from pipeline.manifest import PublishedRollup
from semantic.answer import with_values
from semantic.models import Model, load_model
from semantic.query import Answer, Query, read_query
from semantic.rollups import Choice, attach, build_rollups, make_rollups, with_rollups
from semantic.run import run
from semantic.shape import Key, Scan
from tests.semantic.hand_star import SLUG, TODAY, HandStar, hand_shop
from tests.semantic.questions import questions
from tests.semantic.random_catalog import Catalog, catalogs
from tests.semantic.random_star import NUMBERS, STARS, RandomStar, world

DAYS = 40
VISITS_A_DAY = 50


@pytest.fixture(scope="module")
def star(shop: HandStar, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RandomStar]:
    made = RandomStar(shop, tmp_path_factory.mktemp("random"))
    yield made
    made.connection.close()


@pytest.fixture(scope="module")
def memory() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        yield connection


def drawn_rollups(
    data: st.DataObject, model: Model, definitions: dict[str, Any], connection: duckdb.DuckDBPyConnection
) -> tuple[PublishedRollup, ...]:
    """Rollups of any dimensions, two of each fact, the second one made from the first where that holds it."""
    connection.execute("ATTACH IF NOT EXISTS ':memory:' AS rollups")
    for (table,) in connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'rollups'"
    ).fetchall():
        connection.execute(f'DROP TABLE rollups.main."{table}"')
    choices = []
    for fact in model.catalog.facts:
        paths = {each.name: each.paths[fact] for each in model.catalog.dimensions.values() if fact in each.paths}
        others = [name for name in paths if name != "date"]
        wide = data.draw(st.sets(st.sampled_from(others)) if others else st.just(set()), label=f"wide {fact}")
        slim = data.draw(st.sets(st.sampled_from(sorted(wide))) if wide else st.just(set()), label=f"slim {fact}")
        for n, chosen in enumerate((wide, slim)):
            choices.append(Choice(f"{fact}_{n}", fact, {name: paths[name] for name in ("date", *sorted(chosen))}))
    return make_rollups(connection, model, definitions, choices)


def check_same(query: Query, model: Model, rolled: Model, connection: duckdb.DuckDBPyConnection) -> None:
    expected, got = (answer_or_refusal(query, each, connection) for each in (model, rolled))
    assert got == expected
    if isinstance(got, Answer) and isinstance(expected, Answer):
        assert [list(map(type, row)) for row in got.rows] == [list(map(type, row)) for row in expected.rows]


def answer_or_refusal(query: Query, model: Model, connection: duckdb.DuckDBPyConnection) -> Answer | str:
    try:
        return run(query, model, connection, today=TODAY)
    except QueryError as error:
        return str(error)


@settings(max_examples=40, deadline=None)
@given(rows=STARS, data=st.data())
def test_random_questions_have_the_same_answer_with_and_without_rollups(
    star: RandomStar, shop: HandStar, rows: dict[str, list[dict[str, Any]]], data: st.DataObject
) -> None:
    meant = world(star.fill(rows))
    definitions = yaml.safe_load((shop.folder / star.model.run_id / "semantic.yml").read_bytes())
    rolled = with_rollups(star.model, drawn_rollups(data, star.model, definitions, star.connection))
    for _ in range(3):
        query = read_query(data.draw(questions(meant, NUMBERS), label="question"))
        check_same(query, star.model, rolled, star.connection)


@settings(max_examples=40, deadline=None)
@given(catalog=catalogs(), data=st.data())
def test_random_catalogs_have_the_same_answers_with_and_without_rollups(
    memory: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, data: st.DataObject
) -> None:
    catalog.fill(memory)
    model = catalog.load(tmp_path_factory.getbasetemp() / "rolled_up")
    rolled = with_rollups(model, drawn_rollups(data, model, catalog.definitions, memory))
    for _ in range(3):
        query = read_query(data.draw(questions(catalog.world, catalog.numbers), label="question"))
        check_same(query, model, rolled, memory)


@dataclass(frozen=True)
class Rolled:
    """A run with its rollups, open."""

    model: Model
    rolled: Model
    rollups: tuple[PublishedRollup, ...]
    connection: duckdb.DuckDBPyConnection

    def sql(self, **query: Any) -> str:
        asked = read_query({**query, "compile_only": True})
        return run(asked, self.rolled, self.connection, today=TODAY).sql[0]

    def uses(self, **query: Any) -> list[str]:
        """The rollups that a question reads."""
        sql = self.sql(**query)
        return sorted(rollup.table.name for rollup in self.rollups if f'"{rollup.table.name}"' in sql)


def busy_shop(folder: Path) -> HandStar:
    """Many visits a day from few sources, each of another user, and halves of ad conversions."""
    star = hand_shop(folder)
    for table in ("sessions", "events", "ad_performance"):
        star.rows[table] = []
    draw = Random(7)
    for n in range(DAYS * VISITS_A_DAY):
        day = date(2026, 1, 1) + timedelta(days=n // VISITS_A_DAY)
        sold = draw.random() < 0.2
        visit = {"session_date": day, "user_key": f"u{n}", "session_revenue": n if sold else 0}
        visit |= {"traffic_source": draw.choice(["google", "bing", None]), "geo_country": draw.choice(["DE", "FR"])}
        star.add("sessions", visit | {"is_conversion_session": sold, "traffic_campaign": f"{n}"})
        spent = {"report_date": day, "campaign_key": draw.choice(["k1", "k2"]), "campaign_id": "1", "spend": n}
        star.add("ad_performance", spent | {"clicks": n, "impressions": n, "conversions": n / 2, "ad_id": f"{n}"})
    return star


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rolled]:
    run_dir = busy_shop(tmp_path_factory.mktemp("busy")).write()
    file = run_dir / "rollups.duckdb"
    rollups = build_rollups(run_dir, file, least_rows=1000)
    model = load_model(run_dir)
    with duckdb.connect(run_dir / "stars.duckdb", read_only=True) as connection:
        attach(connection, file)
        yield Rolled(model, with_rollups(model, rollups), rollups, connection)


def test_large_facts_are_rolled_up_by_what_repeats_within_a_day_and_small_ones_are_not(busy: Rolled) -> None:
    assert {rollup.fact for rollup in busy.rollups} == {"sessions", "ad_performance"}
    held = {name for rollup in busy.rollups for name in rollup.dimensions}
    assert {"date", "traffic_source", "geo_country", "campaign_name", "ad_platform"} <= held
    assert not held & {"traffic_campaign", "ad_id", "customer_email", "user_id", "user_pseudo_id"}
    for rollup in busy.rollups:
        assert rollup.table.rows <= 0.21 * DAYS * VISITS_A_DAY


def test_additive_questions_read_a_rollup_and_give_what_plain_sql_gives(busy: Rolled) -> None:
    question = {"metrics": ["sessions", "session_revenue", "conversion_rate"], "dimensions": ["traffic_source"]}
    assert busy.uses(**question)
    answer = run(read_query(question), busy.rolled, busy.connection, today=TODAY)
    expected = busy.connection.execute(
        "select traffic_source, count(*) as n, sum(session_revenue), sum(is_conversion_session::int) / count(*) "
        f"from fct_{SLUG}__sessions group by 1 order by n desc, 1 nulls last"
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
        {"metrics": ["ad_conversions"]},  # halves: their sum depends on the order in which they are added
        {"metrics": ["orders"]},
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
    for n in range(3):
        run(
            read_query(
                {"metrics": ["sessions"], "filters": [{"name": "traffic_source", "op": "contains", "value": f"o{n}"}]}
            ),
            busy.rolled,
            busy.connection,
            today=TODAY,
        )
    assert busy.rolled.statement.cache_info().misses < 30  # type: ignore[attr-defined]  # it is a cache


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
