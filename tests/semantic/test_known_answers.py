"""Questions with known answers: compared with SQL or with a value, on the star alone, in bounded time and memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.blocks.questions_block import KnownAnswer
from pipeline.errors import ConfigError
from pipeline.gate_rules.gate import GateSetting, Severity
from pipeline.gate_rules.gate_settings import GateRules
from pipeline.gates.gate_result import GateStatus
from pipeline.settings import Settings
from semantic.answering.known_answers.ask_known import AskedQuestion, Verdict, ask_known, check_queries
from semantic.answering.known_answers.compared_rows import first_difference
from semantic.answering.known_answers.gate_results import known_answer_results
from semantic.answering.sandboxed_star import sandboxed
from semantic.answering.semantic_model import SemanticModel, load_model
from tests.semantic.hand_star import TODAY, hand_shop

Row = tuple[Any, ...]
Known = tuple[Mapping[str, Any], Mapping[str, Any]]
Ask = Callable[..., list[AskedQuestion]]


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hand_shop(tmp_path_factory.mktemp("known")).write()


@pytest.fixture(scope="module")
def model(run_dir: Path) -> SemanticModel:
    return load_model(run_dir)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("state"), query_memory="200MB", threads=1)


@pytest.fixture(scope="module")
def ask(run_dir: Path, model: SemanticModel, state: Settings) -> Ask:
    """Asks questions at once, each a query and its known answer."""

    def asked(*known: Known, seconds: float = 30) -> list[AskedQuestion]:
        questions = [KnownAnswer(question="How much?", query=dict(query), **answer) for query, answer in known]
        settings = state.model_copy(update={"query_timeout": seconds})
        star = run_dir / "stars.duckdb"
        with sandboxed(star, settings) as cursor:
            return list(ask_known(questions, model, cursor, star=star, today=TODAY, settings=settings))

    return asked


SPEND = {"metrics": ["spend"]}
BY_MONTH = {"metrics": ["ctr", "spend"], "dimensions": ["date"], "time_grain": "month"}
MONTHS = (
    "select date_trunc('month', report_date), sum(clicks) / sum(impressions), sum(spend) from fct_shop__ad_performance"
)
RIGHT: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = [
    (SPEND, {"sql": "select sum(spend) from fct_shop__ad_performance"}),
    (SPEND, {"value": ((360,),)}),
    ({"metrics": ["ctr"]}, {"value": ((0.015,),)}),
    (BY_MONTH, {"sql": f"{MONTHS} group by 1 order by 1 desc"}),
    ({**BY_MONTH, "totals": True}, {"sql": f"{MONTHS} group by grouping sets ((1), ())"}),
    (
        {"metrics": ["spend"], "dimensions": ["campaign_name"], "order_by": ["-spend"], "limit": 1},
        {"value": (("Alpha", 300),)},
    ),
    (
        {"metrics": ["spend"], "time_range": "last_month"},
        {"sql": "select sum(spend) from fct_shop__ad_performance where report_date >= $today - interval 45 day"},
    ),
]


def test_an_answer_that_is_the_known_one_is_right(ask: Ask) -> None:
    assert [(each.verdict, each.why) for each in ask(*RIGHT)] == [(Verdict.RIGHT, None)] * len(RIGHT)


WRONG: list[tuple[Mapping[str, Any], Mapping[str, Any], str]] = [
    (SPEND, {"value": ((361,),)}, "The answer has 360.000000, and 361 is expected."),
    (SPEND, {"sql": "select sum(spend) + 0.000001 from fct_shop__ad_performance"}, "360.000001 is expected."),
    (SPEND, {"sql": "select 1, 2"}, "The answer has 1 columns, and 2 are expected."),
    (SPEND, {"sql": "select 1 where false"}, "The answer has 1 rows, and 0 are expected."),
    ({"metrics": ["ctr"]}, {"value": ((0.016,),)}, "0.016 is expected"),
    (BY_MONTH, {"sql": f"{MONTHS} where clicks > 5 group by 1"}, "The answer has"),
]


def test_another_answer_is_wrong_and_shows_the_first_difference(ask: Ask) -> None:
    asked = ask(*((query, known) for query, known, _ in WRONG))
    for found, (_, _, why) in zip(asked, WRONG, strict=True):
        assert (found.verdict, why in str(found.why)) == (Verdict.WRONG, True), found.why


REFUSED: list[tuple[Mapping[str, Any], Mapping[str, Any], str]] = [
    ({"metrics": ["profit"]}, {"value": ((1,),)}, "There is no metric named 'profit'."),
    ({"metrics": ["spend"], "dimensions": ["customer_email"]}, {"value": ((1,),)}, "personal data"),
    (SPEND, {"sql": "select nothing from fct_shop__orders"}, "Its SQL does not run: Binder Error"),
    (SPEND, {"sql": "select * from range(10001)"}, "Its SQL gives more than 10000 rows."),
    (SPEND, {"sql": "select list(i) from range(100000000) t(i)"}, "Its SQL took too much: it needs more memory"),
    (SPEND, {"sql": "select repeat('x', 20000) from range(10000)"}, "Its SQL took too much: it needs more memory"),
    (SPEND, {"sql": "select * from read_text('/etc/passwd')"}, "Its SQL does not run: Permission Error"),
]


def test_what_has_no_answer_or_no_sql_that_runs_is_refused_with_the_reason(ask: Ask) -> None:
    asked = ask(*((query, known) for query, known, _ in REFUSED), RIGHT[0])
    for found, (_, _, why) in zip(asked, REFUSED, strict=False):
        assert (found.verdict, why in str(found.why)) == (Verdict.REFUSED, True), found.why
    assert asked[-1].verdict is Verdict.RIGHT


def test_sql_that_outlives_its_deadline_is_stopped_and_the_questions_behind_it_are_asked(ask: Ask) -> None:
    joined = "select count(*) from range(1000000) a, range(1000000) b, range(1000) c"
    one_call = "select levenshtein(repeat('a', 5000000), repeat('b', 5000000))"
    stopped, too, right = ask((SPEND, {"sql": joined}), (SPEND, {"sql": one_call}), RIGHT[0], seconds=0.3)
    for found in (stopped, too):
        assert (found.verdict, "no answer within 0.3 seconds" in str(found.why)) == (Verdict.REFUSED, True), found.why
    assert right.verdict is Verdict.RIGHT


@pytest.mark.parametrize(
    ("given", "expected", "is_written", "same"),
    [
        ([("b", 1), ("a", Decimal("2.50"))], [("a", 2.5), ("b", 1)], False, True),
        ([(1 / 3,)], [(0.3333333333,)], False, True),
        ([(1 / 3,)], [(0.33333,)], False, False),
        ([(1 / 3,)], [(0.33,)], True, True),
        ([(1 / 3,)], [(0.34,)], True, False),
        ([(Decimal("1000000.01"),)], [(Decimal("1000000.02"),)], False, False),
        ([("2026-01-01", None)], [(datetime(2026, 1, 1), None)], False, True),  # noqa: DTZ001  # as DuckDB gives it
        ([("2026-01-01",)], [(date(2026, 1, 2),)], False, False),
        ([(None,)], [(0,)], False, False),
        ([(True,)], [(1,)], False, False),
        ([("a",), ("a",)], [("a",)], False, False),
        ([(float("inf"),)], [(1.0,)], False, False),
        ([], [], False, True),
    ],
)
def test_rows_are_the_same_in_any_order_each_number_as_exactly_as_it_is_known(
    given: list[Row], expected: list[Row], is_written: bool, same: bool
) -> None:
    assert (first_difference(given, expected, is_written=is_written) is None) is same


def test_a_query_that_cannot_be_read_is_refused_with_its_line() -> None:
    wrong = KnownAnswer(question="a", query={"metric": ["spend"]}, value=((1,),), location="tenants.yaml:12")
    with pytest.raises(ConfigError, match=r"tenants.yaml:12: The query of 'a': .*metrics"):
        check_queries([wrong])


def test_each_question_is_a_result_of_the_gate_about_the_metrics_it_is_made_of(model: SemanticModel, ask: Ask) -> None:
    asked = ask(
        (SPEND, {"value": ((360,),)}),
        ({"metrics": ["roas"], "dimensions": ["campaign_name"]}, {"value": (("Alpha", 1),)}),
        ({"metrics": ["profit"]}, {"value": ((1,),)}),
    )
    warned = list(known_answer_results(asked, GateRules(), model.catalog))
    assert [each.status for each in warned] == [GateStatus.PASSED, GateStatus.WARNED, GateStatus.WARNED]
    wrong, refused = (each.finding for each in warned[1:])
    assert wrong
    assert refused
    assert (wrong.metrics, wrong.facts) == (("attributed_revenue", "spend"), ("sessions", "ad_performance"))
    assert wrong.sentence == "The question 'How much?' has another answer than the known one."
    assert (refused.sentence, refused.metrics) == ("The question 'How much?' is refused.", ())
    held = GateRules({"known_answers": GateSetting(severity=Severity.ERROR)})
    assert [each.status for each in known_answer_results(asked, held, model.catalog)][1:] == [GateStatus.FAILED] * 2
