"""Fifty questions about the bundled tenants, answered as SQL answers them that was written by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config.blocks.questions_block import KnownAnswer
from pipeline.config.blocks.single_select import select_problem
from pipeline.config.slug import slug_of
from pipeline.publish.run_files import STARS
from semantic.answering.known_answers.ask_known import AskedQuestion, Verdict, ask_known
from semantic.answering.known_answers.compared_rows import first_difference
from semantic.planning.query import read_query
from server.serving import tools
from server.serving.runs.published_runs import PublishedRuns
from tests.end_to_end.bundled import Bundled

FILE = Path(__file__).resolve().parents[1] / "golden" / "questions.yml"
QUESTIONS: dict[str, list[dict[str, Any]]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
LISTED = [(slug, each) for slug, questions in QUESTIONS.items() for each in questions]


@pytest.fixture(scope="module")
def runs(bundled: Bundled) -> Iterator[PublishedRuns]:
    opened = PublishedRuns(bundled.settings)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def answers(bundled: Bundled, runs: PublishedRuns) -> Mapping[tuple[str, str], AskedQuestion]:
    """What each question is answered, by tenant and question: the SQL of a tenant runs in one process."""
    found = {}
    for slug, listed in QUESTIONS.items():
        known = [_known(asked) for asked in listed if "sinks" not in asked]
        with runs.run(slug_of(slug)) as run, run.cursor() as cursor:
            star = bundled.settings.published(slug_of(slug)) / run.run_id / STARS
            asked = ask_known(known, run.model, cursor, star=star, today=bundled.today, settings=bundled.settings)
            found |= {(slug, each.known.question): each for each in asked}
    return found


def _known(asked: Mapping[str, Any]) -> KnownAnswer:
    value = ((asked["value"],),) if "value" in asked else None
    return KnownAnswer(question=asked["question"], query=asked["query"], sql=asked.get("sql"), value=value)


@pytest.mark.parametrize(("slug", "asked"), LISTED, ids=[f"{slug}: {each['question']}" for slug, each in LISTED])
def test_the_answer_is_the_known_one(
    bundled: Bundled,
    runs: PublishedRuns,
    answers: Mapping[tuple[str, str], AskedQuestion],
    slug: str,
    asked: dict[str, Any],
) -> None:
    if "sinks" in asked:
        with runs.run(slug_of(slug)) as run, run.cursor() as cursor:
            answer = tools.query(run, read_query({**asked["query"], "limit": 10_000}), cursor, bundled.settings)
        assert first_difference(answer.rows, bundled.sinks(slug, asked["sinks"])) is None
        return
    found = answers[slug, asked["question"]]
    if "refused" in asked:
        assert (found.verdict, asked["refused"] in str(found.why)) == (Verdict.REFUSED, True), found.why
        return
    assert (found.verdict, found.why) == (Verdict.RIGHT, None)
    if "says" in asked:
        with runs.run(slug_of(slug)) as run, run.cursor() as cursor:
            answer = tools.query(run, read_query(asked["query"]), cursor, bundled.settings)
        assert any(asked["says"] in note for note in answer.notes), answer.notes


def test_there_are_fifty_questions_each_with_one_answer_by_sql_that_a_tenant_may_write() -> None:
    assert len(LISTED) >= 50
    for slug, asked in LISTED:
        assert len({"sql", "sinks", "value", "refused"} & asked.keys()) == 1, asked["question"]
        assert "sql" not in asked or select_problem(asked["sql"], slug_of(slug)) is None, asked["question"]
