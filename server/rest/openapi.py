"""OpenAPI document: adds examples of every answer, every error and the scope of each operation to the routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from server.rest.examples import EXAMPLES
from server.serving.result_formats import MEDIA

__all__ = ["ANSWER_FORMS", "EXAMPLES", "document", "example", "produces"]

Payload = dict[str, Any]  # Any: JSON values

BEARER = "bearer"
ADMIN = "admin"
"""Tag of the operations that need a token with this scope."""
OWNER, OWNER_OR_ADMIN, JOBS = "owner", "sources", "jobs"
"""Tags of the operations that need a token of a tenant's own people, or that take an operator's too."""
SCOPES = {ADMIN: ["admin"], OWNER: ["owner"], OWNER_OR_ADMIN: ["owner", "admin"], JOBS: ["owner", "admin"]}
OPEN = frozenset({"/health"})
ANSWER_FORMS = tuple(media for name, media in MEDIA.items() if name != "json")
BINARY = {"text/csv": {"type": "string"}}
NULLABLE = frozenset({"run_id", "published_at", "last_build", "started_at", "finished_at", "reason", "fix"})
"""Fields that are null before they have a value."""
ERRORS = {
    "400": "The body is not JSON.",
    "401": "There is no live token in the request.",
    "403": "The token has another scope, or its tenant is not served any more.",
    "404": "There is no such thing here, or it is another tenant's: the same answer for both.",
    "406": "Nothing that the Accept header takes is offered here.",
    "408": "The file did not come in time.",
    "409": "What is to be made is there already.",
    "410": "The run that was asked of is no longer kept.",
    "413": "The body is too large.",
    "415": "The body is not declared to be JSON.",
    "422": "It cannot be answered or done; `fix` names what can.",
    "429": "Too many questions wait; ask again after `Retry-After` seconds.",
    "503": "Only the operator of the server can repair it.",
}
_EVERYWHERE = ("401", "403", "404", "422", "429", "503")
_WITH_BODY = ("400", "413", "415")
_WITH_FILE = ("408", "413")
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457, and `fix`: the step that works.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "fix": {"type": "string"},
        "event_id": {"type": "string", "description": "Of a bug: what to tell the operator."},
    },
    "required": ["type", "title", "status", "detail", "fix"],
    "example": {
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "There is no metric named 'spnd'.",
        "fix": "Did you mean spend?",
    },
}


def example(sample: object) -> Payload:
    """One example in the form that OpenAPI lists examples in."""
    return {"example": {"value": sample}}


def produces(
    sample: Payload | None, *, schema: Payload | None = None, forms: tuple[str, ...] = (), status: int = 200
) -> Payload:
    """The keyword arguments of a route that answers with JSON like `sample`, or in other forms."""
    value = sample if sample is not None else EXAMPLES["answer"]
    content: Payload = {"application/json": {"schema": schema or shallow(value), "examples": example(value)}}
    for form in forms:
        content[form] = {"schema": BINARY.get(form, {"type": "string", "format": "binary"})}
    descriptions = {200: "The answer.", 201: "It is kept.", 202: "Accepted: it goes on by itself."}
    responses = {status: {"description": descriptions[status], "content": content}}
    if status == 201:  # what is there already changes nothing
        responses[200] = {"description": "It is there already.", "content": content}
    return {"status_code": status, "responses": responses}


def shallow(sample: Mapping[str, object]) -> Payload:
    """The schema of an object like this one: its keys, and the type of each value as far as the sample shows it."""
    kinds = {name: _kind(name, value) for name, value in sample.items()}
    return {"type": "object", "properties": kinds, "required": list(kinds)}


def _kind(name: str, value: object) -> Payload:
    kinds = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}
    if type(value) not in kinds:
        return {}
    kind = kinds[type(value)]
    return {"type": [kind, "null"] if name in NULLABLE else kind}


def document(app: FastAPI) -> Payload:
    """The OpenAPI document of the app, with the security and the errors of each operation; built once."""
    if app.openapi_schema is None:
        openapi = FastAPI.openapi(app)
        openapi["components"] = {
            "schemas": {"Problem": _PROBLEM},
            "securitySchemes": {
                BEARER: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `gata token create`: scope read, of one tenant (--tenant),"
                    " scope owner, of a tenant's own people (--tenant --owner), or scope admin (--admin). Each"
                    " operation names the scopes it takes; owner may do what read may, and admin may for every tenant.",
                }
            },
        }
        for path, operations in openapi["paths"].items():
            for operation in operations.values():
                _complete(operation, path)
        app.openapi_schema = openapi
    return app.openapi_schema


def _complete(operation: Payload, path: str) -> None:
    """Add the security and the errors of an operation."""
    if path in OPEN:
        operation["security"] = []
        return
    scopes = next((SCOPES[tag] for tag in operation.get("tags", ()) if tag in SCOPES), ["read"])
    operation["security"] = [{BEARER: [scope]} for scope in scopes]
    responses = operation["responses"]
    statuses = [*_EVERYWHERE, *_statuses_of_body(operation.get("requestBody", {}))]
    begins = scopes in (["admin"], ["owner"]) or "202" in responses
    statuses += ["409"] if begins and "requestBody" in operation else []
    statuses += ["406"] if any(len(answer.get("content", ())) > 2 for answer in responses.values()) else []
    statuses += ["410"] if path.startswith("/results/") else []
    for status in statuses:
        responses[status] = _failure(ERRORS[status])
    responses["default"] = _failure("Another error, in the same form.")
    if "get" in operation["operationId"].rsplit("_", 1)[-1] and "200" in responses and "/events" not in path:
        responses["304"] = {"description": "What the caller holds (If-None-Match) is what there is."}


def _statuses_of_body(body: Payload) -> tuple[str, ...]:
    """The statuses that a body can lead to: one of JSON is parsed, a file is not."""
    if not body:
        return ()
    return _WITH_BODY if "application/json" in body["content"] else _WITH_FILE


def _failure(description: str) -> Payload:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
