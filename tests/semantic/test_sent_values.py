"""What clients send beside a question: nothing in many forms, keys of their transports, text that looks like JSON."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from pipeline.errors import QueryError, SeveralErrors, WithheldName
from semantic.answering.run_query import run_query
from semantic.catalog.suggestions import unknown_dimension, unknown_metric
from semantic.planning.query import Query, read_query
from tests.semantic.hand_star import TODAY, HandStar

NOTHING = (None, "", " ", "null", "NULL", {}, [], [None], ["null"], [""], [{}], "{}", "[]", "[null]", {"start": None})
OPTIONAL = tuple(name for name, field in Query.model_fields.items() if not field.is_required())


@pytest.mark.parametrize("nothing", NOTHING, ids=repr)
def test_nothing_in_any_form_is_an_optional_key_left_out(nothing: object) -> None:
    asked = {"metrics": ["spend"], "dimensions": ["date"]}
    for name in OPTIONAL:
        if name != "dimensions":
            assert read_query({**asked, name: nothing}) == read_query(asked), name
    assert read_query({"metrics": ["spend"], "dimensions": nothing}) == read_query({"metrics": ["spend"]})


def test_nothing_inside_a_part_of_a_question_is_left_out_too() -> None:
    sent = {
        "metrics": ["spend"],
        "dimensions": ["date", None, "null"],
        "time_range": {"start": "2026-01-01", "end": "null"},
        "cumulative": {"metric": "spend", "kind": "", "days": None},
        "top": '{"by": "spend", "n": null, "other": ""}',
        "filters": [{}, {"name": None, "op": None, "value": None}, {"name": "a", "op": "is_null", "value": ""}],
    }
    meant = {
        "metrics": ["spend"],
        "dimensions": ["date"],
        "time_range": {"start": "2026-01-01"},
        "cumulative": {"metric": "spend"},
        "top": {"by": "spend"},
        "filters": [{"name": "a", "op": "is_null"}],
    }
    assert read_query(sent) == read_query(meant)


def test_a_value_of_a_filter_is_never_left_out(shop: HandStar) -> None:
    for value in ("", "null"):
        assert read_query({"metrics": ["spend"], "filters": [{"name": "a", "value": value}]}).filters[0].value == value
    with pytest.raises(QueryError, match="use is_null"):
        shop.ask(metrics=["spend"], filters=[{"name": "ad_platform", "value": None}])


def test_keys_of_a_transport_are_dropped_and_misspelt_keys_of_ours_are_not() -> None:
    asked: dict[str, Any] = {"metrics": ["spend"]}
    added = {
        "toolCallId": "call_1",
        "sessionId": "s",
        "chatInput": "how much?",
        "action": "sendMessage",
        "tool": "query",
    }
    added |= {"_meta": {}, "_conn_id": "c", "_session_key": "k", "tool_call_id": "t"}
    assert read_query({**asked, **added}) == read_query(asked)
    for name in ("_filters", "toolCall", "session", "tenant", "actions"):
        with pytest.raises(QueryError, match="A query has no key"):
            read_query({**asked, name: 1})


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Campaigns of the sources of visits that look like JSON."""
    star = HandStar(tmp_path_factory.mktemp("odd"))
    names = ("[2026]", "2026", "{sale}", '["a", "b"]', "a", "null")
    star.add("sessions", *({"session_date": date(2026, 1, 1), "traffic_campaign": name} for name in names))
    yield star
    star.close()


@pytest.mark.parametrize("name", ["[2026]", "{sale}", '["a", "b"]', "null"])
@pytest.mark.parametrize("op", ["=", "in", "contains", "starts_with"])
def test_a_text_that_is_a_value_is_never_read_as_json(odd: HandStar, name: str, op: str) -> None:
    filters = [{"name": "traffic_campaign", "op": op, "value": name}]
    asked = {"metrics": ["sessions"], "dimensions": ["traffic_campaign"]}
    assert odd.ask(**asked, filters=filters).rows == ([name, 1],)
    again = read_query(
        {**asked, "filters": json.loads(read_query({**asked, "filters": filters}).model_dump_json())["filters"]}
    )
    assert run_query(again, odd.model, odd.cursor, today=TODAY).rows == ([name, 1],)


def test_a_list_in_a_text_is_a_list_where_no_value_is_that_text(odd: HandStar) -> None:
    filters = [{"name": "traffic_campaign", "op": "in", "value": '["2026", "a"]'}]
    assert odd.one("sessions", filters=filters) == 2
    assert odd.one("sessions", filters=[{"name": "traffic_campaign", "op": "in", "value": [2026]}]) == 1
    with pytest.raises(QueryError, match="Use in for a list"):
        odd.one("sessions", filters=[{"name": "traffic_campaign", "value": '["2026", "a"]'}])


def test_the_total_of_no_groups_is_the_answer(shop: HandStar) -> None:
    assert shop.ask(metrics=["spend"], totals=True).rows == shop.ask(metrics=["spend"]).rows


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (
            {"metrics": ["spend"], "filters": [{"dimension": "ad_platform", "operator": "equals", "value": "x"}]},
            ("Meant is name", "Meant is op", "Did you mean =?"),
        ),
        (
            {"metrics": ["spend"], "group_by": ["date"], "time_grain": "monthly", "compare": "yoy", "limit": 0},
            ("Meant is dimensions", "Did you mean month?", "Did you mean previous_year?", "limit is 0"),
        ),
        (
            {"metrics": ["spend"], "time_range": {"start": "1.1.2026", "end": "2026-02-30"}},
            ("'1.1.2026', not a day", "'2026-02-30', not a day"),
        ),
        (
            {"metrics": ["spent"], "dimensions": ["source", "medium"], "time_range": "last_fortnight"},
            ("Did you mean spend", "traffic_source", "traffic_medium", "time range named 'last_fortnight'"),
        ),
        (
            {"metrics": ["spend"], "time_grain": "month", "fill_gaps": True, "compare": "previous_year"},
            ("time_grain is", "fill_gaps works", "fill_gaps needs", "compare needs"),
        ),
        (
            {
                "metrics": ["spend"],
                "dimensions": ["device_category"],
                "filters": [
                    {"name": "geo_country", "value": "x"},
                    {"name": "ad_platform", "op": "in", "value": [True]},
                ],
                "order_by": ["clicks"],
            },
            ("by device_category", "by geo_country", "Write the value as text", "order by named 'clicks'"),
        ),
        (
            {
                "metrics": ["spend"],
                "filters": [{"name": "ad_platform", "value": "google"}, {"name": "campaign_name", "value": "Alhpa"}],
            },
            ("Did you mean google_ads?", "Did you mean Alpha?"),
        ),
    ],
)
def test_all_mistakes_of_one_call_are_named_at_once(
    shop: HandStar, sent: dict[str, Any], said: tuple[str, ...]
) -> None:
    with pytest.raises(SeveralErrors) as refused:
        shop.ask(**sent)
    for part in said:
        assert part in str(refused.value)
    assert len(refused.value.errors) == len(said)
    assert refused.value.what.startswith(f"There are {len(said)} errors: (1) ")
    assert refused.value.fix.startswith("(1) ")


@pytest.mark.parametrize(
    "name", ["customer_email", "email", "Email", "user_id", "customers.email", "phone", "last_name"]
)
def test_personal_data_is_said_to_be_withheld_and_no_other_name_is_offered(shop: HandStar, name: str) -> None:
    for error in (unknown_dimension(name, shop.model.catalog), unknown_metric(name, shop.model.catalog)):
        assert isinstance(error, WithheldName)
        assert "personal data, which is withheld here" in str(error)
        assert "Did you mean" not in str(error)


def test_a_tenant_is_no_dimension_and_a_misspelling_is_no_personal_data(shop: HandStar) -> None:
    assert "others are withheld" in str(unknown_dimension("tenant", shop.model.catalog))
    assert "Did you mean campaign_name" in str(unknown_dimension("campain_name", shop.model.catalog))
    with pytest.raises(WithheldName, match="withheld"):
        shop.ask(metrics=["spend"], filters=[{"name": "customer_email", "value": "ada@example.com"}])


def test_a_row_limit_of_the_caller_is_not_called_a_cut(shop: HandStar) -> None:
    asked: dict[str, Any] = {"metrics": ["spend"], "dimensions": ["campaign_name"]}
    answer = shop.ask(**asked, limit=1)
    assert answer.truncated
    assert "The first row is given, as limit asks; the same query with this cursor gives the next." in answer.notes


def test_a_ranking_by_the_change_of_a_ratio_says_that_it_is_not_one_by_weight(shop: HandStar) -> None:
    days = {"start": "2026-02-01", "end": "2026-02-28"}
    asked: dict[str, Any] = {"dimensions": ["ad_platform"], "time_range": days, "compare": "previous_period"}
    ranked = shop.ask(**asked, metrics=["roas"], order_by=["roas_change"]).notes
    assert any(note.startswith("roas_change ranks by the change of each group, not by its weight") for note in ranked)
    for metrics, order in ((["roas"], []), (["spend"], ["spend_change"]), (["roas", "spend"], ["-spend"])):
        notes = shop.ask(**asked, metrics=metrics, order_by=order).notes
        assert not any("ranks by the change" in note for note in notes)
