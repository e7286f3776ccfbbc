"""Every attack of the checklist for servers of many tenants, and the tests that it fails against."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

CHECKLIST = {
    "token passthrough, confused deputy": (
        "security/test_credentials.py::test_a_token_of_somebody_else_opens_nothing",
        "security/test_credentials.py::test_a_token_is_read_from_the_header_alone",
        "security/test_credentials.py::test_a_read_token_changes_nothing_and_sees_no_numbers_of_the_house",
        "security/test_wire.py::test_two_credentials_are_none",
        "test_oauth.py::test_a_claim_that_is_wrong_or_missing_opens_nothing",
        "test_oauth.py::test_only_asymmetric_algorithms_are_taken",
    ),
    "session and handle hijack": (
        "security/test_credentials.py::test_a_session_belongs_to_the_token_that_began_it",
        "test_mcp.py::test_a_session_of_one_token_is_not_there_for_another",
        "test_isolation.py::test_whatever_two_tenants_ask_at_once_no_canary_crosses",
    ),
    "cross-tenant leak": (
        "test_isolation.py::test_whatever_two_tenants_ask_at_once_no_canary_crosses",
        "test_isolation.py::test_a_word_of_another_tenant_is_answered_like_a_word_that_nobody_has",
        "test_isolation.py::test_open_runs_of_two_tenants_are_two_databases",
        "test_mcp.py::test_calls_of_two_tenants_at_once_never_mix",
    ),
    "shared list caches": ("security/test_values.py::test_every_list_and_answer_is_for_its_caller_alone",),
    "DNS rebinding": (
        "security/test_hosts.py::test_no_route_answers_to_a_foreign_name_or_to_the_page_of_another_site",
        "test_app.py::test_the_server_answers_to_the_names_it_was_given_and_to_no_other",
    ),
    "prompt injection through values and descriptions": (
        "security/test_values.py::test_nothing_that_a_model_reads_hides_anything",
        "test_mcp_budget.py::test_what_nobody_sees_is_left_out_of_values_and_that_is_said",
        "test_mcp_charts.py::test_hostile_names_are_text_in_the_picture_and_nothing_more",
    ),
    "tool poisoning, rug pull": (
        "security/test_values.py::test_what_is_offered_to_a_model_is_the_same_whatever_the_data_say",
        "test_mcp.py::test_the_tools_and_their_schemas_are_as_reviewed",
    ),
    "SQL and expression injection": (
        "security/test_values.py::test_a_filter_value_is_bound_and_never_sql",
        "security/test_values.py::test_a_name_is_looked_up_and_never_sql",
        "security/test_sandbox.py::test_a_cursor_of_the_server_only_reads_its_run",
    ),
    "resource exhaustion": (
        "security/test_wire.py::test_a_body_that_is_too_large_is_refused_before_it_is_read",
        "security/test_wire.py::test_a_body_that_is_nested_too_deep_costs_no_stack",
        "security/test_wire.py::test_a_body_that_never_ends_is_given_up",
        "security/test_wire.py::test_many_slow_callers_keep_nobody_else_waiting",
        "security/test_wire.py::test_abandoned_streams_give_their_places_back",
        "security/test_wire.py::test_arguments_that_are_absurd_are_refused_and_not_tried",
        "security/test_sandbox.py::test_a_statement_that_needs_more_memory_than_there_is_ends_with_an_error",
        "test_mcp_calls.py::test_a_request_that_is_cancelled_stops_its_statement_and_the_next_one_is_answered",
        "security/test_credentials.py::test_a_token_that_opens_sessions_without_end_leaves_room_for_others",
        "test_rate_limits.py::test_rest_says_429_and_when_to_come_again",
    ),
    "path traversal, SSRF": (
        "security/test_values.py::test_an_address_that_is_none_of_ours_is_not_found",
        "security/test_values.py::test_a_path_reaches_no_file",
        "test_access.py::test_a_slug_that_could_reach_another_path_is_no_tenant",
        "test_mcp_charts.py::test_a_specification_that_names_an_address_is_never_drawn",
    ),
    "error leaks": (
        "security/test_wire.py::test_a_message_that_is_none_is_refused_without_internals",
        "security/test_credentials.py::test_no_token_is_ever_written_anywhere",
        "test_mcp.py::test_a_bug_gives_an_event_id_and_keeps_its_frames_on_stderr",
    ),
    "stdio": (
        "test_mcp.py::test_stdout_holds_the_protocol_and_nothing_else",
        "test_mcp.py::test_a_server_without_a_tenant_says_so_and_ends_with_2",
        "security/test_sandbox.py::test_the_settings_are_those_of_a_sandbox",
    ),
    "a token that ends in mid-session": (
        "security/test_credentials.py::test_a_token_that_ends_in_mid_session_ends_the_session_at_every_interface",
    ),
}


@pytest.mark.parametrize("attack", CHECKLIST)
def test_every_attack_has_tests_that_are_there(attack: str) -> None:
    assert CHECKLIST[attack]
    for place in CHECKLIST[attack]:
        file, _, name = place.partition("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}, (
            place
        )
