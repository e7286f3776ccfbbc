"""Results as files: answers, and all rows of a truncated answer for as long as its handle lasts.

GET /results/{id}     JSON, CSV, Arrow or Parquet by Accept, or by `format`
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated

from duckdb import DuckDBPyConnection
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from pipeline.config.slug import Slug
from pipeline.errors import AccessError, QueryError
from semantic.planning.query import ABOUT_THE_ANSWER, read_query
from semantic.planning.query import Query as Question
from server.rest.content_negotiation import choose_format
from server.rest.dependencies import CallerDependency
from server.rest.error_responses import CLIENT_GONE, Guarded, while_connected
from server.rest.json_answers import etag_of, is_known_tag, unchanged
from server.rest.openapi import ANSWER_FORMS, produces
from server.rest.result_files import ResultFile, write_rows
from server.serving.access import Caller
from server.serving.result_formats import MEDIA
from server.serving.result_handles import Handle, Handles
from server.serving.runs.open_run import OpenRun
from server.serving.runs.published_runs import PublishedRuns
from server.serving.runs.run_call import run_call

MOST_ROWS = 1_000_000
"""Most rows of a full result."""
NOTES_CHARACTERS = 4_000
"""Longest text of the header gata-notes."""

Format = Annotated[
    str | None,
    Query(
        description=f"One of {', '.join(MEDIA)}; instead of an Accept header.", json_schema_extra={"enum": list(MEDIA)}
    ),
]
Spreadsheet = Annotated[
    bool,
    Query(
        description="For CSV that a spreadsheet will open: a text that it would run as a formula (it begins with =, +,"
        " -, @, a tab or a line break) gets an apostrophe before it."
    ),
]


def result_routes(runs: PublishedRuns, handles: Handles) -> APIRouter:
    """Routes of the full results that handles name."""
    routes = APIRouter(route_class=Guarded, tags=["semantic layer"])

    @routes.get("/results/{id}", summary="All rows of an answer that was cut", **produces(None, forms=ANSWER_FORMS))
    async def results(
        request: Request,
        caller: CallerDependency,
        id: Annotated[str, Path(max_length=100, examples=["Zq3v0mW1cXb2yTn8rKfLhA"])],  # noqa: A002  # its name
        *,
        format: Format = None,  # noqa: A002  # the parameter's name
        spreadsheet: Spreadsheet = False,
    ) -> Response:
        """The rows of the run that was asked, though a newer one may be published by now.

        At most 1,000,000: `Gata-Truncated` says when there are more. A handle lasts an hour; `full_result` of an answer
        that was cut names one.
        """
        handle, form = _handle(handles, caller, id), choose_format(request.headers.getlist("accept"), format)
        etag = etag_of(handle.id, form, spreadsheet)
        if is_known_tag(request, etag):
            return unchanged(etag)
        pinned, day = runs.at(handle.run_id), runs.settings.today or handle.made_at
        answer = await as_file(
            request, pinned, handle.tenant, lambda _: _full_query(handle), day, form, for_spreadsheet=spreadsheet
        )
        answer.headers["etag"] = etag
        return answer

    return routes


def _handle(handles: Handles, caller: Caller, handle_id: str) -> Handle:
    handle = handles.find(caller.tenant, handle_id)  # of any tenant for an admin and an agency, which may not see it
    if handle is None or not caller.sees(handle.tenant):
        raise AccessError(
            "There is no such result here.", "Ask the question again: its answer names a new one, for an hour."
        )
    return handle


def _full_query(handle: Handle) -> Question:
    arguments = {key: value for key, value in json.loads(handle.query).items() if key not in ABOUT_THE_ANSWER}
    return read_query(arguments).model_copy(update={"limit": MOST_ROWS})


async def as_file(  # noqa: PLR0917  # run, question and format
    request: Request,
    runs: PublishedRuns,
    slug: Slug,
    question: Callable[[OpenRun], Question],
    day: date,
    form: str,
    *,
    for_spreadsheet: bool,
) -> Response:
    """The rows of a question as a streamed file; the other fields of a JSON answer are in its headers.

    Args:
        request: The work stops when its client disconnects.
        runs: The published runs to query.
        slug: The tenant.
        question: Reads the query; called where an error becomes a response.
        day: The day that named ranges count from.
        form: A name of MEDIA.
        for_spreadsheet: As for `write_rows`.

    Raises:
        QueryError: It asks for SQL and no rows, or as for `semantic.answering.run_query.run_query`.
    """

    def work(run: OpenRun, cursor: DuckDBPyConnection) -> ResultFile:
        from semantic.answering.result_stream import stream_result

        query = question(run)
        if query.compile_only:
            raise QueryError("compile_only gives SQL, and no rows.", "Ask for application/json, or leave it out.")
        with stream_result(query, run.rolled, cursor, today=day) as result:
            return write_rows(result, form, runs.settings.home / "tmp", for_spreadsheet=for_spreadsheet)

    result_file = await while_connected(request, run_call(runs, slug, work))
    if result_file is None:
        return Response(status_code=CLIENT_GONE)
    kind = f"{MEDIA[form]}; charset=utf-8; header=present" if form == "csv" else MEDIA[form]
    return StreamingResponse(result_file.chunks(), headers=_headers(result_file, slug, form), media_type=kind)


def _headers(result_file: ResultFile, slug: Slug, form: str) -> dict[str, str]:
    answer = result_file.answer
    headers = {
        "content-length": str(result_file.size),
        "content-disposition": f'attachment; filename="{slug}_{answer.run_id}.{form}"',
        "cache-control": "private, no-cache",
        "vary": "Accept",
        "gata-run-id": answer.run_id,
        "gata-rows": str(result_file.rows),
        "gata-truncated": "true" if answer.truncated else "false",
    }
    headers |= {"gata-as-of": answer.as_of} if answer.as_of else {}
    headers |= {"gata-cursor": answer.cursor} if answer.cursor else {}
    headers |= {"gata-notes": _fitting(answer.notes)} if answer.notes else {}
    return headers


def _fitting(notes: Sequence[str]) -> str:
    """As many notes as a header takes, from the first, as a JSON list."""
    kept = list(notes)
    while len(text := json.dumps(kept)) > NOTES_CHARACTERS:
        kept.pop()
    return text
