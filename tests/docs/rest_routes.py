"""Every route of the REST API, from its OpenAPI document."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from server.rest.app import rest_app
from server.rest.openapi import ERRORS
from server.serving.runs.published_runs import PublishedRuns
from tests.docs.markdown import code, codes, sentence, table


def routes() -> str:
    heads = ("method", "path", "scope", "what", "parameters", "errors")
    return table(heads, [_row(path, method, said) for path, method, said in _operations()])


def errors() -> str:
    return table(("status", "meaning"), [(code(status), text) for status, text in ERRORS.items()])


def _operations() -> list[tuple[str, str, dict[str, Any]]]:  # Any: OpenAPI is JSON
    with TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        with Ops(settings.ops) as ops:
            document = rest_app(PublishedRuns(settings), ops).openapi()
    return [(path, method, said) for path, methods in document["paths"].items() for method, said in methods.items()]


def _row(path: str, method: str, said: dict[str, Any]) -> tuple[str, ...]:  # Any: as above
    scope = ", ".join(scope for needed in said["security"] for scopes in needed.values() for scope in scopes) or "open"
    what = f"{said['summary']}. {sentence(said.get('description', ''))}".strip()
    taken = [each["name"] for each in said.get("parameters", ()) if each["in"] != "path"]
    taken += ["body"] if "requestBody" in said else []
    failures = [status for status in sorted(said["responses"]) if status in ERRORS]
    return (method.upper(), code(path), scope, what, codes(taken), ", ".join(failures))
