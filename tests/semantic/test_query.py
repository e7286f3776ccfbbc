"""Reading a query: what agents send is accepted where it is clear, and repaired in words where it is not."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pipeline.errors import QueryError, UnknownName
from semantic.answering.run_query import run_query
from semantic.answering.semantic_model import load_model
from semantic.planning.query import ABOUT_THE_ANSWER, Query, TimeRange, read_query
from tests.semantic.hand_star import HandStar


def test_what_is_about_the_answer_may_be_left_out_of_a_question() -> None:
    assert Query.model_fields.keys() > ABOUT_THE_ANSWER
    assert not any(Query.model_fields[key].is_required() for key in ABOUT_THE_ANSWER)


def test_lists_and_objects_may_be_sent_as_json_text() -> None:
    query = read_query(
        {
            "metrics": '["spend", "clicks"]',
            "dimensions": "campaign_name",
            "filters": '[{"name": "ad_platform", "op": "in", "value": "[\\"a\\", \\"b\\"]"}]',
            "time_range": '{"start": "2026-01-01"}',
            "top": '{"by": "spend"}',
            "order_by": None,
            "limit": "5",
        }
    )
    assert query.metrics == ("spend", "clicks")
    assert query.dimensions == ("campaign_name",)
    assert query.filters[0].value == ("a", "b")
    assert query.time_range == TimeRange(start=date(2026, 1, 1))
    assert query.top is not None
    assert query.top.n == 10
    assert query.limit == 5


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({}, 'metrics is missing. Write "metrics": ["spend", "clicks"].'),
        ({"measures": ["spend"]}, "A query has no key 'measures'. Meant is metrics:"),
        ({"metrics": ["spend"], "having": []}, "Meant is filters:"),
        ({"metrics": ["spend"], "group_by": ["date"]}, "Meant is dimensions:"),
        ({"metrics": ["spend"], "start": "2026-01-01"}, 'Meant is time_range: Write "time_range": {"start"'),
        ({"metrics": ["spend"], "value": 3}, 'Meant is filters: Write "filters": [{"name"'),
        ({"metrics": ["spend"], "tenant": "other"}, "the tenant comes from your credential"),
        ({"metrics": ["spend"], "dimenions": []}, "Did you mean dimensions"),
        ({"metrics": ["spend"], "filters": [{"field": "x"}]}, "filters has no key 'field'. Meant is name:"),
        ({"metrics": ["spend"], "filters": [{"name": "x", "op": "=="}]}, "There is no operator '=='. Did you mean =?"),
        (
            {"metrics": ["spend"], "filters": [{"name": "x", "op": "~"}]},
            "There is no operator '~'. Choose one of: '=',",
        ),
        ({"metrics": ["spend"], "filters": [{"name": "x", "op": "IN"}]}, "There is no operator 'IN'. Did you mean in?"),
        ({"metrics": ["spend"], "filters": [{"name": "x", "op": "not in"}]}, "Did you mean not_in?"),
        ({"metrics": ["spend"], "filters": [{"name": "x", "op": "greater than"}]}, "Did you mean >?"),
        ({"metrics": ["spend"], "filters": [{"name": "x", "op": "containss"}]}, "Did you mean contains?"),
        ({"metrics": ["spend"], "filters": [{"name": "x", "op": "LIKE"}]}, "Did you mean contains?"),
        ({"metrics": ["spend"], "time_grain": "Monthly"}, "time_grain is 'Monthly'. Did you mean month?"),
        ({"metrics": ["spend"], "time_grain": "weeks"}, "Did you mean week?"),
        ({"metrics": ["spend"], "compare": "yoy"}, "compare is 'yoy'. Did you mean previous_year?"),
        ({"metrics": ["spend"], "compare": "month over month"}, "Did you mean previous_period?"),
        ({"metrics": ["spend"], "cumulative": {"metric": "spend", "kind": "mtd"}}, "Did you mean month_to_date?"),
        (
            {"metrics": ["spend"], "filters": [{"name": "x", "value": 1, "time_range": "last_month"}]},
            "filters has no key 'time_range'. Put it beside filters, not inside: Write \"time_range\":",
        ),
        ({"metrics": ["spend"], "time_range": {"start": "2026-01-01", "grain": "day"}}, "Put it beside time_range,"),
        ({"metrics": ["spend"], "filters": {"ad_platform": "x"}}, '[{"name": "ad_platform", "op": "=", "value": "x"}]'),
        ({"metrics": ["spend"], "limit": True}, "limit is True: value error, input should be a number."),
        ({"metrics": ["spend"], "limit": 10**5000}, "limit is a number of too many digits"),
        (
            {"metrics": ["spend"], "filters": [{"name": "x", "value": "\ud800"}]},
            "filters[0].value is '\\ud800', not text",
        ),
        ({"metrics": ["spend"], "filters": [{"name": "x", "value": {"a": 1}}]}, "filters[0].value is"),
        ({"metrics": ["spend"], "time_range": {"from": "2026-01-01"}}, "Meant is start:"),
        ({"metrics": ["spend"], "time_range": {"start": "1.1.2026"}}, "not a day. Write it as YYYY-MM-DD"),
        ({"metrics": ["spend"], "time_range": {"start": 20260101}}, "not a day. Write it as YYYY-MM-DD"),
        ({"metrics": ["spend"], "time_grain": "hour"}, "Choose one of: 'day', 'week', 'month', 'quarter', 'year'."),
        ({"metrics": ["spend"], "limit": 0}, "limit is 0: input should be greater than or equal to 1."),
        ({"metrics": ["spend"], "limit": 10_001}, "limit is 10001: input should be less than or equal to 10000."),
        ({"metrics": ["spend"], "top": {"by": "spend", "limit": 3}}, "top has no key 'limit'. Meant is n:"),
        ({"metrics": []}, "metrics is []"),
        ({"metrics": ["x" * 5000]}, "metrics[0] is 'xxx"),
    ],
)
def test_a_misplaced_or_wrong_key_is_answered_with_the_right_place(sent: dict[str, Any], message: str) -> None:
    with pytest.raises(QueryError) as refused:
        read_query(sent)
    assert message in str(refused.value)
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"metrics": ["spent"]}, "There is no metric named 'spent'. Did you mean spend"),
        ({"metrics": ["session_events"]}, "There is no metric named 'session_events'. Did you mean"),
        (
            {"metrics": ["campaign_name"]},
            'campaign_name is a dimension, not a metric. Write "dimensions": ["campaign_name"].',
        ),
        ({"metrics": ["spend", "spend"]}, "metrics names 'spend' twice."),
        ({"metrics": ["spend"], "dimensions": ["campaign"]}, "Did you mean campaign_"),
        (
            {"metrics": ["spend"], "dimensions": ["clicks"]},
            'clicks is a metric, not a dimension. Write "metrics": ["clicks"].',
        ),
        (
            {"metrics": ["spend"], "dimensions": ["date_month"]},
            'Write "dimensions": ["date"] and "time_grain": "month".',
        ),
        (
            {"metrics": ["spend"], "dimensions": ["customer_email"]},
            "'customer_email' is personal data, which is withheld",
        ),
        ({"metrics": ["spend"], "time_grain": "month"}, 'Add "date" to dimensions.'),
        ({"metrics": ["spend"], "time_range": "last_fortnight"}, "There is no time range named 'last_fortnight'."),
        ({"metrics": ["spend"], "time_range": "mtd"}, "Did you mean month_to_date"),
        ({"metrics": ["spend"], "time_range": "last 30 days"}, "Did you mean last_30_days"),
        ({"metrics": ["spend"], "time_range": "previous_month"}, "Did you mean last_month"),
        ({"metrics": ["spend"], "time_range": "2026-02"}, '{"start": "2026-02-01", "end": "2026-02-28"}'),
        ({"metrics": ["spend"], "time_range": "Q1 2026"}, '{"start": "2026-01-01", "end": "2026-03-31"}'),
        ({"metrics": ["spend"], "time_range": "2025"}, '{"start": "2025-01-01", "end": "2025-12-31"}'),
        (
            {"metrics": ["spend"], "time_range": "2026-01-03..2026-02-05"},
            '{"start": "2026-01-03", "end": "2026-02-05"}',
        ),
        ({"metrics": ["spend"], "time_range": {"start": "2026-02-01", "end": "2026-01-01"}}, "Swap start and end."),
        ({"metrics": ["spend"], "filters": [{"name": "adplatform", "value": "x"}]}, "Did you mean ad_platform"),
        ({"metrics": ["spend"], "filters": [{"name": "ad_platform", "value": "google"}]}, "Did you mean google_ads?"),
        (
            {"metrics": ["spend"], "filters": [{"name": "ad_platform", "value": "GOOGLE_ADS"}]},
            "Did you mean google_ads",
        ),
        ({"metrics": ["spend"], "filters": [{"name": "ad_platform", "value": ["google_ads"]}]}, "Use in for a list"),
        ({"metrics": ["spend"], "filters": [{"name": "ad_platform", "op": "in", "value": []}]}, "an empty list"),
        ({"metrics": ["spend"], "filters": [{"name": "ad_platform"}]}, "for rows without a value use is_null"),
        ({"metrics": ["spend"], "filters": [{"name": "ad_platform", "op": "is_null", "value": 1}]}, "Leave value out."),
        ({"metrics": ["spend"], "filters": [{"name": "ad_platform", "value": True}]}, "Write the value as text."),
        ({"metrics": ["spend"], "filters": [{"name": "date", "op": "between", "value": ["2026-01-01"]}]}, "Give two"),
        (
            {"metrics": ["spend"], "filters": [{"name": "spend", "op": "between", "value": [100, 1]}]},
            "between on spend begins with 100, after 1. Write the lower value first.",
        ),
        (
            {
                "metrics": ["spend"],
                "filters": [{"name": "date", "op": "between", "value": ["2026-03-01", "2026-01-01"]}],
            },
            "Write the lower value first.",
        ),
        ({"metrics": ["spend"], "filters": [{"name": "spend", "op": ">", "value": 10**5000}]}, "too many digits"),
        ({"metrics": ["spend"], "filters": [{"name": "campaign_id", "value": 10**5000}]}, "too many digits"),
        ({"metrics": ["spend"], "filters": [{"name": "campaign_name", "op": "!=", "value": "Alhpa"}]}, "mean Alpha?"),
        (
            {"metrics": ["spend"], "filters": [{"name": "campaign_name", "op": "not_in", "value": ["Alfa"]}]},
            "mean Alpha?",
        ),
        ({"metrics": ["spend"], "filters": [{"name": "date", "op": "contains", "value": "2026"}]}, "does not fit date"),
        ({"metrics": ["spend"], "filters": [{"name": "spend", "op": ">", "value": "much"}]}, "Write a number"),
        (
            {"metrics": ["orders"], "filters": [{"name": "is_customer", "op": ">", "value": True}]},
            "does not fit is_customer",
        ),
        ({"metrics": ["orders"], "filters": [{"name": "is_customer", "value": "maybe"}]}, "Write true or false."),
        (
            {
                "metrics": ["spend"],
                "dimensions": ["date"],
                "time_grain": "month",
                "filters": [{"name": "date", "value": "2026-01-01"}],
            },
            "Write the days as time_range.",
        ),
        ({"metrics": ["spend"], "compare": "previous_period"}, 'Add "time_range".'),
        ({"metrics": ["spend"], "compare": "previous_year", "time_range": {"start": "2026-01-01"}}, "needs both ends"),
        ({"metrics": ["spend"], "fill_gaps": True, "time_range": "last_7_days"}, 'Add "date" to dimensions.'),
        ({"metrics": ["spend"], "cumulative": {"metric": "spend"}}, 'Add "date" to dimensions.'),
        (
            {"metrics": ["spend"], "dimensions": ["date"], "cumulative": {"metric": "clicks"}},
            'Add "clicks" to metrics.',
        ),
        (
            {"metrics": ["customers"], "dimensions": ["date"], "cumulative": {"metric": "customers"}},
            "customers cannot be added up over days.",
        ),
        (
            {"metrics": ["spend"], "dimensions": ["date"], "cumulative": {"metric": "spend", "kind": "rolling"}},
            '"kind": "rolling", "days": 7',
        ),
        (
            {
                "metrics": ["spend"],
                "dimensions": ["date"],
                "time_grain": "week",
                "cumulative": {"metric": "spend", "kind": "year_to_date"},
            },
            "year_to_date does not go with weeks.",
        ),
        (
            {
                "metrics": ["spend"],
                "dimensions": ["date"],
                "time_grain": "month",
                "time_range": {"start": "2026-02-10"},
                "cumulative": {"metric": "spend", "kind": "year_to_date"},
            },
            "Begin it on the first day of a month.",
        ),
        (
            {
                "metrics": ["spend"],
                "dimensions": ["date"],
                "time_grain": "week",
                "time_range": {"start": "2026-02-01", "end": "2026-02-28"},
                "compare": "previous_year",
            },
            "weeks do not line up with those 12 months before.",
        ),
        ({"metrics": ["roas"], "share_of_total": ["roas"]}, "roas of the parts does not add up to roas of the whole."),
        ({"metrics": ["customers"], "dimensions": ["date"], "share_of_total": ["customers"]}, "does not add up"),
        ({"metrics": ["spend"], "top": {"by": "spend"}}, "top needs groups."),
        (
            {"metrics": ["customers"], "dimensions": ["campaign_name"], "top": {"by": "customers", "other": True}},
            'Write "other": false.',
        ),
        (
            {"metrics": ["customers"], "dimensions": ["campaign_name", "date"], "top": {"by": "customers"}},
            "Rank by a metric that adds up over dates",
        ),
        (
            {
                "metrics": ["customers"],
                "dimensions": ["campaign_name"],
                "totals": True,
                "filters": [{"name": "customers", "op": ">", "value": 1}],
            },
            "The total over the groups that a metric filter leaves cannot be made here.",
        ),
        (
            {"metrics": ["spend"], "dimensions": ["date"], "order_by": ["-clicks"]},
            "There is no column to order by named 'clicks'.",
        ),
        ({"metrics": ["spend"], "cursor": "abc"}, "This cursor was not given by an answer."),
    ],
)
def test_a_question_that_cannot_be_answered_right_is_refused_with_the_way_that_works(
    shop: HandStar, query: dict[str, Any], message: str
) -> None:
    with pytest.raises(QueryError) as refused:
        shop.ask(**query)
    assert message in str(refused.value)


def test_a_cursor_of_another_query_or_run_is_refused(shop: HandStar, folder: Any) -> None:
    question = {"metrics": ["sessions"], "dimensions": ["date"], "limit": 1}
    cursor = shop.ask(**question).cursor
    with pytest.raises(QueryError, match="belongs to another query"):
        shop.ask(metrics=["spend"], dimensions=["date"], limit=1, cursor=cursor)
    other = HandStar(folder)
    other.add("sessions", {"session_date": date(2026, 1, 1), "user_key": "u"})
    other.write("20260416T000000000000Z_abcdef")
    model = load_model(folder / "20260416T000000000000Z_abcdef")
    with pytest.raises(QueryError, match="data that have been replaced since"):
        run_query(read_query({**question, "cursor": cursor}), model, shop.cursor, today=date(2026, 4, 15))


def test_numbers_stand_for_text_where_ids_are_text(shop: HandStar) -> None:
    assert shop.one("spend", filters=[{"name": "campaign_id", "op": "in", "value": [1, "2"]}]) == 350


def test_an_unknown_value_is_refused_also_inside_a_list(shop: HandStar) -> None:
    with pytest.raises(UnknownName, match="Did you mean Alpha"):
        shop.ask(metrics=["spend"], filters=[{"name": "campaign_name", "op": "in", "value": ["Beta", "Alfa"]}])


def test_names_may_be_listed_in_text_and_a_key_without_a_value_is_left_out() -> None:
    for metrics in ("spend, clicks", "['spend', 'clicks']", '["spend", "clicks"]', "[spend,clicks]"):
        assert read_query({"metrics": metrics}).metrics == ("spend", "clicks")
    query = read_query({"metrics": "spend", "order_by": "spend DESC, date asc", "limit": None, "totals": None})
    assert (query.order_by, query.limit, query.totals) == (("-spend", "date"), 100, False)


def test_leaving_out_what_there_is_not_is_said(shop: HandStar) -> None:
    for op, value in (("!=", "O'Brien; drop table x"), ("not_in", ["Beta", "O'Brien; drop table x"])):
        filters = [{"name": "campaign_name", "op": op, "value": value}]
        told = shop.ask(metrics=["spend"], filters=filters).notes
        assert f'campaign_name has no value "O\'Brien; drop table x": {op} leaves nothing out by it.' in told


def test_a_search_that_no_value_matches_is_said_beside_the_zero(shop: HandStar) -> None:
    for op in ("contains", "starts_with"):
        answer = shop.ask(metrics=["spend"], filters=[{"name": "campaign_name", "op": op, "value": "gamma"}])
        assert answer.rows == ([0],)
        assert "Nothing matches the filter on campaign_name: look at its values." in answer.notes


def test_what_is_nested_too_deeply_to_be_repeated_is_refused_all_the_same() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    for key in ("limit", "totals", "filters"):
        with pytest.raises(QueryError, match=f"{key}.* is something nested too deeply"):
            read_query({"metrics": ["spend"], key: deep})


def test_numbers_with_many_zeros_are_compared_as_numbers(shop: HandStar) -> None:
    long = "0.1" + "0" * 40
    filters = [{"name": "impressions", "op": ">", "value": long}]
    rows = shop.table(metrics=["impressions"], dimensions=["ad_platform"], filters=filters)
    assert sum(row["impressions"] for row in rows) == 3700


def test_a_search_without_a_match_is_an_empty_answer_that_says_so(shop: HandStar) -> None:
    answer = shop.ask(
        metrics=["spend"],
        dimensions=["campaign_name"],
        filters=[{"name": "campaign_name", "op": "contains", "value": "gamma"}],
    )
    assert answer.rows == ()
    assert "Nothing matches the filter on campaign_name: look at its values." in answer.notes
