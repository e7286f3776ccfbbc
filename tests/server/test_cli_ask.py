"""`gata ask`, `metrics` and `values` over published runs that are small enough to add up by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.cli_run import Terminal, environment, start

if TYPE_CHECKING:
    from tests.server.published_fixture import PublishedHome

SPEND_A_DAY = Decimal("30.000002")


@pytest.fixture
def gata(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: PublishedHome
) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal.use(home.settings)


def answer(gata: Terminal, *arguments: str) -> dict[str, Any]:
    done = gata("ask", "--tenant", "alpha", *arguments, "--json")
    assert (done.code, done.err) == (0, ""), done.err
    assert done.out.count("\n") == 1
    found: dict[str, Any] = json.loads(done.out, parse_float=Decimal)
    return found


def refusal(gata: Terminal, *arguments: str) -> str:
    done = gata(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err
    return done.err


def test_json_is_the_whole_answer_at_full_precision(gata: Terminal, home: PublishedHome) -> None:
    found = answer(gata, "--metrics", "spend")
    assert found["rows"] == [[SPEND_A_DAY * home.days]]
    assert list(found) == [
        *("columns", "rows", "row_count", "truncated", "limit", "cursor", "time_range", "time_grain", "time_zone"),
        *("filters", "as_of", "run_id", "partial", "notes", "sql"),
    ]


def test_names_come_between_commas_or_one_by_one(gata: Terminal) -> None:
    together = answer(gata, "--metrics", "spend,clicks", "--dimensions", "campaign_name, date")
    apart = answer(
        gata, "--metrics", "spend", "--metrics", "clicks", "--dimensions", "campaign_name", "--dimensions", "date"
    )
    assert together == apart
    assert [column["name"] for column in together["columns"]] == ["campaign_name", "date", "spend", "clicks"]


def test_flags_and_the_query_as_json_ask_the_same(gata: Terminal) -> None:
    flags = answer(
        gata,
        *("--metrics", "spend", "--dimensions", "date,campaign_name", "--grain", "month", "--order", "-spend"),
        *(
            "--from",
            "2026-01-15",
            "--to",
            "2026-02-14",
            "--filter",
            "spend>100",
            "--filter",
            "ad_platform=facebook_ads",
        ),
        *("--limit", "3", "--totals"),
    )
    query = {
        "metrics": ["spend"],
        "dimensions": ["date", "campaign_name"],
        "time_grain": "month",
        "order_by": ["-spend"],
        "time_range": {"start": "2026-01-15", "end": "2026-02-14"},
        "filters": [{"name": "spend", "op": ">", "value": 100}, {"name": "ad_platform", "value": "facebook_ads"}],
        "limit": 3,
        "totals": True,
    }
    assert flags["rows"] == answer(gata, "--query", json.dumps(query))["rows"]
    assert flags["time_range"] == {"start": "2026-01-15", "end": "2026-02-14"}


def test_a_range_by_name_counts_from_the_still_clock(gata: Terminal) -> None:
    found = answer(gata, "--metrics", "spend", "--range", "last_7_days", "--compare", "previous_period")
    assert found["time_range"] == {"start": "2026-02-22", "end": "2026-02-28"}
    assert found["rows"][0][:2] == [SPEND_A_DAY * 7, SPEND_A_DAY * 7]


def test_the_cursor_brings_the_rows_that_follow(gata: Terminal, home: PublishedHome) -> None:
    question = ("--metrics", "spend", "--dimensions", "date", "--limit", "40")
    first = answer(gata, *question)
    second = answer(gata, *question, "--cursor", first["cursor"])
    assert (first["truncated"], second["truncated"]) == (True, False)
    assert len({row[0] for row in first["rows"] + second["rows"]}) == home.days


def test_the_tenant_may_come_from_the_environment(gata: Terminal) -> None:
    done = gata.set(GATA_TENANT="beta")("ask", "--metrics", "spend", "--json")
    assert json.loads(done.out)["columns"][0]["unit"] == "USD"


def test_people_read_rounded_values_with_units_and_what_is_to_know(
    gata: Terminal, golden: Callable[[str, str], None], home: PublishedHome
) -> None:
    question = ("--metrics", "spend,roas,orders,cpc", "--dimensions", "campaign_name,date", "--grain", "month")
    done = gata("ask", "--tenant", "alpha", *question, "--totals")
    assert (done.code, done.err) == (0, "")
    run_id = json.loads(gata("ask", "--tenant", "alpha", *question, "--json").out)["run_id"]
    golden("cli_ask.txt", done.out.replace(run_id, "RUN"))


def test_nothing_is_cut_where_nobody_watches(gata: Terminal) -> None:
    wide = "spend,impressions,clicks,ctr,cpc,cpm,orders,order_revenue,sessions,conversion_rate,roas,blended_roas,cac"
    done = gata.set(COLUMNS="40")("ask", "--tenant", "alpha", "--metrics", wide, "--dimensions", "date,campaign_name")
    assert "…" not in done.out
    assert "ALPHAXCANARY campaign 1" in done.out
    assert all(name in done.out.splitlines()[1] + done.out.splitlines()[0] for name in wide.split(","))


def test_the_sql_that_ran_is_shown_when_asked_for(gata: Terminal) -> None:
    plain = gata("ask", "--tenant", "alpha", "--metrics", "spend")
    with_sql = gata("ask", "--tenant", "alpha", "--metrics", "spend", "--sql")
    assert "fct_alpha__ad_performance" not in plain.out
    assert "fct_alpha__ad_performance" in with_sql.out
    assert answer(gata, "--metrics", "spend", "--sql")["sql"] != []


def test_sql_alone_comes_without_a_table(gata: Terminal) -> None:
    done = gata("ask", "--tenant", "alpha", "--query", '{"metrics": ["spend"], "compile_only": true}')
    assert "fct_alpha__ad_performance" in done.out
    assert "─" not in done.out


def test_a_query_may_come_from_stdin(home: PublishedHome) -> None:
    process = start("ask", "--tenant", "alpha", "--query", "-", "--json", env=environment(home.settings), stdin=-1)
    out, err = process.communicate('{"metrics": ["spend"]}')
    assert (process.returncode, err) == (0, "")
    assert json.loads(out, parse_float=Decimal)["rows"] == [[SPEND_A_DAY * home.days]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metrics", "spent"], "Did you mean spend"),
        (["--metrics", "spend", "--dimensions", "campaign"], "Did you mean campaign_"),
        (["--metrics", "spend", "--filter", "campaign_name=ALPHAXCANARY campaign 3"], "ALPHAXCANARY campaign"),
        (["--metrics", "spend", "--filter", "spend 100"], "is not a condition"),
        (["--metrics", "spend", "--from", "yesterday"], "yesterday"),
        (["--metrics", "spend", "--range", "last_month", "--to", "2026-01-01"], "--range last_month is given"),
        (["--metrics", "spend", "--limit", "0"], "limit is 0"),
        (["--metrics", "spend", "--compare", "last_year", "--range", "this_year"], "previous_year"),
        ([], "--metrics"),
        (["--query", "{"], "--query is not JSON"),
        (["--query", "[]"], "no JSON object"),
        (["--query", '{"metrics": ["spend"], "group_by": ["date"]}'], "Meant is dimensions"),
        (["--query", '{"metrics": ["spend"]}', "--limit", "3", "--totals"], "limit and totals beside it"),
    ],
)
def test_a_wrong_question_is_answered_with_the_right_one(gata: Terminal, arguments: list[str], message: str) -> None:
    assert message in refusal(gata, "ask", "--tenant", "alpha", *arguments)


def test_a_misspelt_tenant_names_the_one_that_exists(gata: Terminal) -> None:
    assert "Did you mean alpha?" in refusal(gata, "ask", "--tenant", "alpah", "--metrics", "spend")


def test_a_tenant_without_a_run_names_the_build(gata: Terminal) -> None:
    assert "`gata build --tenant gamma`" in refusal(gata, "metrics", "--tenant", "gamma")


def test_no_tenant_at_all_names_them(gata: Terminal) -> None:
    assert "alpha, beta, gamma" in refusal(gata, "values", "campaign_name")


def test_every_metric_is_listed_with_its_dimensions(gata: Terminal) -> None:
    done = gata("metrics", "--tenant", "alpha", "--json")
    found = json.loads(done.out)
    assert list(found) == ["metrics", "dimensions"]
    assert list(found["metrics"][0]) == ["name", "description", "unit", "type", "dimensions"]
    shown = gata("metrics", "--tenant", "alpha").out
    assert all(metric["name"] in shown and metric["description"] in shown for metric in found["metrics"])
    assert all(dimension["description"] in shown for dimension in found["dimensions"])


def test_metrics_are_searched_by_words(gata: Terminal) -> None:
    found = json.loads(gata("metrics", "--tenant", "alpha", "--search", "revenue refunds", "--json").out)
    assert [metric["name"] for metric in found["metrics"]] == ["net_order_revenue", "order_revenue"]


def test_values_are_listed_with_their_rows(gata: Terminal) -> None:
    done = gata("values", "--tenant", "alpha", "campaign_name", "--limit", "1", "--json")
    found = json.loads(done.out)
    assert (found["dimension"], found["truncated"], len(found["values"])) == ("campaign_name", True, 1)
    assert list(found["values"][0]) == ["value", "count"]
    shown = gata("values", "--tenant", "alpha", "campaign_name", "--limit", "1").out
    assert found["values"][0]["value"] in shown
    assert "There are more." in shown


def test_a_bracket_in_a_value_is_not_markup(gata: Terminal, tmp_path: Path) -> None:
    from server.cli.output.tables import add_row, render, table

    rows = table("name")
    add_row(rows, "[bold]Brand[/bold] [sale]")
    assert "[bold]Brand[/bold] [sale]" in render(rows)
