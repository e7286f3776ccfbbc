"""`gata verify` asks a tenant's own questions; a publish is judged by them; searches show those that are right."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.errors import GateFailed
from pipeline.gate_rules.gate import GateSetting, Severity
from pipeline.gates.finding import read_findings
from pipeline.publish.pointer import latest_run_id
from pipeline.storage.run_id import new_run_id
from server.orchestration.publishing import NewRun, publish_file
from server.serving import tools
from server.serving.runs.published_runs import PublishedRuns
from tests.server.cli_run import Terminal
from tests.server.published_fixture import PublishedHome, tenant, write_star

QUESTIONS = """
  - slug: alpha
    business_name: Alpha
    status: pending
    currency: EUR
    questions:
      - question: What did ads cost in January?
        query: {metrics: [spend], time_range: {start: '2026-01-01', end: '2026-01-31'}}
        sql: select sum(spend) from fct_alpha__ad_performance where report_date <= '2026-01-31'
      - {question: How many orders were there?, query: {metrics: [orders]}, value: 59}
"""
WRONG = """
      - {question: How many clicks were there?, query: {metrics: [clicks]}, value: 7}
      - {question: What was the profit?, query: {metrics: [profit]}, value: 1}
"""
HELD = {"known_answers": GateSetting(severity=Severity.ERROR)}


@pytest.fixture
def asked_home(fresh_home: PublishedHome) -> PublishedHome:
    fresh_home.settings.tenants.write_text(f"tenants:{QUESTIONS}", encoding="utf-8")
    return fresh_home


@pytest.fixture
def gata(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], asked_home: PublishedHome
) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal.use(asked_home.settings)


def with_more(home: PublishedHome, questions: str) -> None:
    home.settings.tenants.write_text(f"tenants:{QUESTIONS.rstrip()}\n{questions.lstrip(chr(10))}", encoding="utf-8")


def publish(home: PublishedHome, after: int, gates: Mapping[str, GateSetting] = {}) -> NewRun:
    settings = home.settings.model_copy(update={"gates": gates, "gate_mode": "strict"})
    stars = settings.stars(tenant(settings, "alpha").slug)
    write_star(stars, "alpha", 10)
    run_id = new_run_id(datetime.now(UTC) + timedelta(seconds=after))
    return publish_file(tenant(settings, "alpha"), settings, stars, run_id)


def test_verify_says_of_each_question_how_it_was_answered(gata: Terminal, asked_home: PublishedHome) -> None:
    done = gata("verify", "--tenant", "alpha")
    assert (done.code, done.out.splitlines()[-1]) == (0, "2 of 2 are right.")
    with_more(asked_home, WRONG)
    done = gata("verify", "--tenant", "alpha", "--json")
    (said,) = json.loads(done.out)["tenants"]
    assert (done.code, said["tenant"]) == (3, "alpha")
    assert [(each["verdict"], each["why"]) for each in said["questions"]] == [
        ("right", None),
        ("right", None),
        ("wrong", "The answer has 1180, and 7 is expected."),
        ("refused", "There is no metric named 'profit'. Did you mean gross_profit?"),
    ]
    assert said["run_id"] in gata("status", "--json").out


def test_verify_refuses_a_question_that_cannot_be_asked_with_its_line(
    gata: Terminal, asked_home: PublishedHome
) -> None:
    with_more(asked_home, "      - {question: a, query: {metric: [spend]}, value: 1}")
    done = gata("verify", "--tenant", "alpha")
    assert (done.code, "tenants.yaml:11: The query of 'a'" in done.err) == (2, True), done.err
    with_more(asked_home, "      - {question: a, query: {metrics: [spend]}, sql: drop table x}")
    done = gata("verify", "--tenant", "alpha")
    assert (done.code, "tenants.yaml:11: sql is no SELECT." in done.err) == (2, True), done.err


def test_without_questions_verify_says_where_they_go(gata: Terminal, asked_home: PublishedHome) -> None:
    asked_home.settings.tenants.write_text("tenants:\n  - {slug: alpha, business_name: A, status: pending}\n")
    done = gata("verify", "--tenant", "alpha")
    assert (done.code, "Write `questions:`" in done.out) == (0, True)
    assert gata("verify").code == 0


def test_a_run_with_a_wrong_answer_is_published_with_a_finding_or_held(asked_home: PublishedHome) -> None:
    folder = asked_home.settings.published(tenant(asked_home.settings, "alpha").slug)
    with_more(asked_home, WRONG)
    first = publish(asked_home, 1).published
    found = [
        each for each in read_findings((first.path / "findings.json").read_bytes()) if each.rule == "known_answers"
    ]
    assert [(each.table, each.metrics) for each in found] == [
        ("How many clicks were there?", ("clicks",)),
        ("What was the profit?", ()),
    ]
    with pytest.raises(GateFailed, match="The question 'How many clicks were there"):
        publish(asked_home, 2, HELD)
    assert latest_run_id(folder) == first.run_id


def test_a_search_shows_the_questions_that_the_run_answers_right(asked_home: PublishedHome) -> None:
    with_more(asked_home, WRONG)
    publish(asked_home, 1)

    def shown(search: str | None) -> list[Any]:
        listed = tools.list_briefly(run, tools.MetricsAsked(search=search))
        return [each["question"] for each in listed.get("verified", [])]

    runs = PublishedRuns(asked_home.settings)
    with runs.run("alpha") as run:
        assert shown(None) == []
        assert shown("ads cost january") == ["What did ads cost in January?"]
        assert shown("spend") == ["What did ads cost in January?"]
        assert shown("clicks") == shown("profit") == []
        (found,) = tools.list_metrics(run, tools.MetricsAsked(search="orders there"))["verified"]
    runs.close()
    assert found == {"question": "How many orders were there?", "query": {"metrics": ["orders"]}}
