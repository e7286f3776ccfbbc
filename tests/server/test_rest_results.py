"""Answers as files and whole results: every form says what SQL says, and a handle opens for its tenant alone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import RequestRefused, TooMuch
from pipeline.storage.ops import Ops
from semantic.answering.execute import with_deadline
from semantic.answering.result_stream import stream_result
from semantic.answering.semantic_model import Compiled, SemanticModel
from semantic.planning.query import read_query
from semantic.planning.query_shape import QueryShape
from server.rest.content_negotiation import choose_format
from server.rest.result_files import WRITERS, write_rows
from server.serving.result_formats import MEDIA
from server.serving.result_handles import Handles
from server.serving.runs.published_runs import PublishedRuns
from tests.server.published_fixture import DAYS, PublishedHome

ASKED: dict[str, Any] = {
    "metrics": ["spend", "clicks", "ctr", "ad_conversions"],
    "dimensions": ["date", "campaign_name"],
    "order_by": ["date", "campaign_name"],
}
BY_HAND = """
    select report_date, campaign_name, sum(spend), sum(clicks)::bigint, sum(clicks) / sum(impressions), sum(conversions)
    from fct_alpha__ad_performance join dim_alpha__campaigns using (campaign_key) group by all order by all
"""
QUERY = "/semantic-layer/alpha/query"
EVERYTHING = 2 * DAYS


@pytest.fixture
def http(home: PublishedHome, address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, headers=home.headers("alpha"), timeout=120) as http:
        yield http


def rows_of(answer: httpx.Response) -> list[list[Any]]:
    """The rows of an answer in whatever form; numbers as they came, days as dates."""
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    kind = answer.headers["content-type"].partition(";")[0]
    if kind == "application/json":
        rows = json.loads(answer.text, parse_float=Decimal)["rows"]
        return [[date.fromisoformat(row[0]), *row[1:]] for row in rows]
    if kind == "text/csv":
        names, *lines = csv.reader(io.StringIO(answer.text, newline=""))
        assert names == ["date", "campaign_name", "spend", "clicks", "ctr", "ad_conversions"]
        return [[date.fromisoformat(d), n, Decimal(s), int(c), Decimal(r), p or None] for d, n, s, c, r, p in lines]
    source = io.BytesIO(answer.content)
    table = pq.read_table(source) if kind.endswith("parquet") else pa.ipc.open_stream(source).read_all()
    assert table.schema.field("spend").type == pa.decimal128(38, 6)
    assert table.schema.field("clicks").type == pa.int64()
    return [list(row.values()) for row in table.to_pylist()]


def by_hand(home: PublishedHome) -> list[list[Any]]:
    return [list(row) for row in home.sql("alpha", BY_HAND)]


FORMS = {
    "csv": "text/csv",
    "json": "application/json",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_an_answer_says_what_sql_says_to_the_last_digit(
    http: httpx.Client, home: PublishedHome, form: str
) -> None:
    found = rows_of(http.post(QUERY, json={**ASKED, "limit": 1000}, headers={"Accept": FORMS[form]}))
    expected = by_hand(home)
    assert [row[:4] + row[5:] for row in found] == [row[:4] + row[5:] for row in expected]
    assert [float(row[4]) for row in found] == [row[4] for row in expected]
    assert expected[0][2] == Decimal("10.000001")
    assert len(found) == EVERYTHING


@pytest.mark.parametrize("form", FORMS)
def test_the_handle_of_a_cut_answer_gives_all_of_its_rows_in_every_form(
    http: httpx.Client, home: PublishedHome, form: str
) -> None:
    cut = http.post(QUERY, json={**ASKED, "limit": 3}).json()
    assert (cut["row_count"], cut["truncated"]) == (3, True)
    handle = cut["full_result"]
    assert handle["formats"] == list(MEDIA)
    for answer in (
        http.get(handle["path"], params={"format": form}),
        http.get(handle["path"], headers={"Accept": FORMS[form]}),
    ):
        found = rows_of(answer)
        assert [row[:3] for row in found] == [row[:3] for row in by_hand(home)]
        assert answer.headers["gata-truncated"] == "false"
        assert answer.headers["gata-rows"] == str(EVERYTHING)
        assert answer.headers["gata-run-id"] == cut["run_id"]
        assert cut["run_id"] in answer.headers["content-disposition"]
    etag = answer.headers["etag"]
    again = http.get(handle["path"], params={"format": form}, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_every_format_that_is_offered_can_be_written() -> None:
    assert WRITERS.keys() == MEDIA.keys()
    assert all(choose_format([media]) == name == choose_format([], name) for name, media in MEDIA.items())


def test_an_answer_that_is_whole_names_no_handle(http: httpx.Client) -> None:
    assert "full_result" not in http.post(QUERY, json={**ASKED, "limit": 1000}).json()


def test_a_handle_opens_for_its_tenant_and_an_admin_and_for_nobody_else(
    http: httpx.Client, home: PublishedHome
) -> None:
    path = http.post(QUERY, json={**ASKED, "limit": 3}).json()["full_result"]["path"]
    foreign = http.get(path, headers=home.headers("beta"))
    missing = http.get("/results/AAAAAAAAAAAAAAAAAAAAAA", headers=home.headers("beta"))
    assert (foreign.status_code, foreign.json()) == (404, missing.json())
    assert http.get(path, headers=home.headers("admin")).status_code == 200
    for no_id in ("x", "%00", "a" * 5000, "..%2f..%2fops.sqlite"):
        assert http.get(f"/results/{no_id}").status_code in {404, 422}


def test_a_handle_answers_from_its_own_run_and_is_gone_with_it(fresh_home: PublishedHome) -> None:
    with fresh_home.serving() as address, httpx.Client(base_url=address, timeout=120) as http:
        http.headers.update(fresh_home.headers("alpha"))
        cut = http.post(QUERY, json={**ASKED, "limit": 3}).json()
        before = http.get(cut["full_result"]["path"], params={"format": "json"}).json()
        run_id = fresh_home.publish("alpha", spend=20)
        assert http.post(QUERY, json=ASKED).json()["run_id"] == run_id
        after = http.get(cut["full_result"]["path"], params={"format": "json"}).json()
        assert (after["rows"], after["run_id"]) == (before["rows"], cut["run_id"])
        old = fresh_home.settings.published("alpha") / cut["run_id"]
        old.rename(old.with_name("elsewhere"))
        gone = http.get(cut["full_result"]["path"])
        assert (gone.status_code, gone.headers["content-type"]) == (410, "application/problem+json")
        assert gone.json()["fix"] == "Ask the question again."
        assert not list((fresh_home.settings.home / "tmp").glob("*_*"))  # no spill folder of an older run stays


def test_a_named_range_counts_from_the_day_the_question_was_asked(home: PublishedHome, http: httpx.Client) -> None:
    asked = {"metrics": ["clicks"], "dimensions": ["date"], "time_range": "last_7_days", "limit": 2}
    runs = PublishedRuns(home.settings.model_copy(update={"today": None}))
    then = datetime(2026, 2, 11, 12, tzinfo=UTC)
    with Ops(home.settings.ops) as ops, runs.run("alpha") as run, run.cursor() as cursor:
        handle = Handles(ops, lambda: then).make("alpha", run.run_id, read_query(asked).model_dump_json())
        with stream_result(read_query({**asked, "limit": 100}), run.model, cursor, today=handle.made_at) as found:
            days = [day.as_py() for batch in found.batches for day in batch.column(0)]
    runs.close()
    assert sorted(days) == [date(2026, 2, 4) + timedelta(days=n) for n in range(7)]


def test_a_file_says_in_its_headers_what_json_says_beside_its_rows(http: httpx.Client) -> None:
    asked = {**ASKED, "limit": 3}
    told, sent = http.post(QUERY, json=asked).json(), http.post(QUERY, json=asked, headers={"Accept": "text/csv"})
    assert sent.headers["gata-truncated"] == "true"
    assert sent.headers["gata-as-of"] == told["as_of"]
    assert json.loads(sent.headers["gata-notes"]) == told["notes"]
    following = http.post(QUERY, json={**asked, "cursor": sent.headers["gata-cursor"]})
    assert following.json()["rows"] == http.post(QUERY, json={**asked, "cursor": told["cursor"]}).json()["rows"]


def test_totals_are_one_more_row_of_a_file_and_do_not_count_against_its_limit(http: httpx.Client) -> None:
    asked = {"metrics": ["clicks"], "dimensions": ["campaign_name"], "totals": True, "limit": 1}
    told = http.post(QUERY, json=asked).json()["rows"]
    sent = http.post(QUERY, json=asked, params={"format": "csv"})
    _, *lines = csv.reader(io.StringIO(sent.text, newline=""))
    assert lines == [[name or "", str(clicks), str(is_total).lower()] for name, clicks, is_total in told]
    assert len(lines) == 2


HOSTILE = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", 'a,"b"', "a\r\nb", "", None, "plain", "ümlaut"]


def written(home: PublishedHome, values: list[str | None], *, for_spreadsheet: bool) -> bytes:
    """The CSV of a result whose one dimension has these values."""
    runs = PublishedRuns(home.settings)
    try:
        with runs.run("alpha") as run, run.cursor() as cursor:
            asked = read_query({"metrics": ["clicks"], "dimensions": ["campaign_name"]})
            with stream_result(asked, run.model, cursor, today=date(2026, 3, 1)) as found:
                list(found.batches)
                texts = [pa.array(values, pa.string()), pa.array(range(len(values)), pa.int64())]
                found.batches = iter([pa.RecordBatch.from_arrays(texts, schema=found.schema)])
                file = write_rows(found, "csv", home.settings.home / "tmp", for_spreadsheet=for_spreadsheet)
                return b"".join(file.chunks())
    finally:
        runs.close()


def test_csv_is_rfc_4180_and_tells_no_value_from_an_empty_one(home: PublishedHome) -> None:
    text = written(home, HOSTILE, for_spreadsheet=False).decode()
    lines = list(csv.reader(io.StringIO(text, newline="")))
    assert lines == [["campaign_name", "clicks"], *([value or "", str(n)] for n, value in enumerate(HOSTILE))]
    assert '\r\n"",8\r\n,9\r\n' in text
    assert '\r\n"a,""b""",6\r\n' in text


def test_csv_for_a_spreadsheet_holds_no_formula(home: PublishedHome) -> None:
    text = written(home, HOSTILE, for_spreadsheet=True).decode()
    cells = [row[0] for row in csv.reader(io.StringIO(text, newline=""))][1:]
    assert cells == [*(f"'{value}" for value in HOSTILE[:6]), *(value or "" for value in HOSTILE[6:])]


class EndlessModel:
    """A model whose one statement never comes to an end of its rows."""

    def __init__(self, model: SemanticModel) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def statement(self, shape: QueryShape) -> Compiled:
        return Compiled("SELECT range AS campaign_name, range AS clicks FROM range(100000000000)", frozenset())


@pytest.mark.parametrize("form", ["csv", "arrow"])
def test_a_file_that_takes_too_long_is_stopped_and_leaves_nothing(
    home: PublishedHome, form: str, tmp_path: Path
) -> None:
    runs = PublishedRuns(home.settings)
    asked = read_query({"metrics": ["clicks"], "dimensions": ["campaign_name"]}).model_copy(update={"limit": 10**12})

    def write() -> None:
        with (
            runs.run("alpha") as run,
            run.cursor() as cursor,
            with_deadline(cursor, 0.1),
            stream_result(asked, EndlessModel(run.model), cursor, today=date(2026, 3, 1)) as found,  # type: ignore[arg-type]
        ):
            write_rows(found, form, tmp_path)

    with pytest.raises(TooMuch, match=r"within 0\.1 seconds"):
        write()
    runs.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ([], "json"),
        (["*/*"], "json"),
        (["text/csv"], "csv"),
        (["text/*"], "csv"),
        (["application/*"], "json"),
        (["text/csv;q=0.5, application/vnd.apache.parquet"], "parquet"),
        (["application/json;q=0, */*;q=0.1"], "csv"),
        (["text/html, application/vnd.apache.arrow.stream;q=0.3"], "arrow"),
        (["TEXT/CSV; header=present"], "csv"),
        (["text/html", "text/csv;q=0.1"], "csv"),
    ],
)
def test_the_form_is_the_one_the_caller_likes_best(accept: list[str], form: str) -> None:
    assert choose_format(accept) == form


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*", "text/csv;q=x"])
def test_a_form_that_there_is_not_is_refused_with_those_there_are(http: httpx.Client, accept: str) -> None:
    with pytest.raises(RequestRefused):
        choose_format([accept])
    answer = http.post(QUERY, json=ASKED, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (406, "application/problem+json")
    assert all(media in answer.json()["fix"] for media in FORMS.values())
    assert http.post(QUERY, json=ASKED, params={"format": "xlsx"}).status_code == 406


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_wrong_question_is_a_problem_in_every_form(http: httpx.Client, form: str) -> None:
    answer = http.post(QUERY, json={"metrics": ["spnd"]}, params={"format": form})
    assert (answer.status_code, answer.json()["fix"]) == (422, "Did you mean spend?")
    compiled = http.post(QUERY, json={**ASKED, "compile_only": True}, params={"format": form})
    assert compiled.status_code == (200 if form == "json" else 422)
