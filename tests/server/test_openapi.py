"""The OpenAPI document: whole, true, and survived by the server whatever is made of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.server.published_fixture import PublishedHome

EXAMPLES = int(os.environ.get("GATA_TEST_EXAMPLES", "2"))
"""Of each operation. A long run by hand: GATA_TEST_EXAMPLES=500 pytest tests/server/test_openapi.py"""
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
BOUNDED = settings(
    database=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None
)
ADMIN = {"/tenants/onboard", "/semantic-layer/update", "/jobs"}
BOTH = ("/sources/check", "/quarantine/replay", "/jobs/{id}", "/jobs/{id}/events")
OWNER = {"/sources/upload": ["owner"], "/quarantine": ["owner"], **{path: ["owner", "admin"] for path in BOTH}}


@pytest.fixture(scope="module")
def document(address: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{address}/openapi.json", timeout=120).json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_operation_says_who_may_call_it_and_how_it_fails(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        if path == "/health":
            assert operation["security"] == []
            continue
        scopes = ["admin"] if path in ADMIN else OWNER.get(path, ["read"])
        assert operation["security"] == [{"bearer": [scope]} for scope in scopes], path
        for status in ("401", "403", "404", "422", "429"):
            assert list(operation["responses"][status]["content"]) == ["application/problem+json"], path
        assert operation["summary"], path


def test_every_operation_has_an_example_of_what_it_takes_and_gives(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        said = [operation["responses"][status] for status in ("200", "201", "202") if status in operation["responses"]]
        if not path.endswith("/events"):
            assert said[0]["content"]["application/json"]["examples"]["example"]["value"], path
        if body := operation.get("requestBody"):
            (content,) = body["content"].values()
            assert content["examples"]["example"]["value"], path


def test_a_token_without_the_scope_is_told_which_one_it_needs(home: PublishedHome, address: str) -> None:
    with httpx.Client(base_url=address, headers=home.headers("alpha"), timeout=120) as http:
        for path in ADMIN:
            method = "GET" if path.startswith("/jobs") else "POST"
            answer = http.request(method, path.replace("{id}", "job_1"), json={} if method == "POST" else None)
            assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json"), path
            assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
            assert 'scope="admin"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("path", ["/tenants/onboard", "/semantic-layer/update", "/semantic-layer/alpha/query"])
def test_a_body_that_does_not_say_it_is_json_is_refused(home: PublishedHome, address: str, path: str) -> None:
    with httpx.Client(base_url=address, headers=home.headers("admin"), timeout=120) as http:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/yaml", ""):
            answer = http.post(path, content=b'{"metrics": ["spend"]}', headers={"Content-Type": kind})
            assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json"), kind
            assert answer.headers["accept-post"] == "application/json"


@pytest.mark.parametrize("who", ["alpha", "admin"])
def test_whatever_is_made_of_the_document_the_server_answers_as_it_says(
    home: PublishedHome, address: str, document: dict[str, Any], who: str
) -> None:
    before, asked, answered = home.settings.tenants.read_bytes(), set[str](), set[int]()
    schema = schemathesis.openapi.from_dict(document).exclude(path_regex="/events$")
    schema.config.update(base_url=address)
    session = requests.Session()
    session.headers.update(home.headers(who))

    def try_out(operation: Any, mode: GenerationMode) -> None:
        own = {"tenant": "alpha"} if "{tenant}" in operation.path else None

        @settings(BOUNDED, max_examples=EXAMPLES)
        @given(case=operation.as_strategy(generation_mode=mode, path_parameters=own))
        def survives(case: Any) -> None:
            answer = case.call(session=session)
            case.validate_response(answer, checks=CHECKS)
            asked.add(case.path)
            answered.add(answer.status_code)

        survives()

    for found in schema.get_all_operations():
        for mode in GenerationMode:
            if mode is GenerationMode.POSITIVE or found.ok().body:
                try_out(found.ok(), mode)
    session.close()
    assert asked == {path for path in document["paths"] if not path.endswith("/events")}
    assert {200, 404, 422} <= answered
    assert home.settings.tenants.read_bytes() == before
