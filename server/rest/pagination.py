"""Pagination of long lists: `limit` and `cursor` in, the next cursor and a Link header out."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Request

from pipeline.errors import QueryError

T = TypeVar("T")

Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many entries.", examples=[100])]
Cursor = Annotated[
    str | None, Query(max_length=500, description="The cursor of the page before; it is in the Link header too.")
]


def page(entries: Sequence[T], limit: int, cursor: str | None, *, of: str) -> tuple[Sequence[T], str | None]:
    """The entries from the cursor on, and the cursor of the next page; None after the last.

    Args:
        entries: The complete list.
        limit: Most entries of a page.
        cursor: Of the page before; None for the first one.
        of: Identifies the list, such as by its run: a cursor of another list is refused.

    Raises:
        QueryError: The cursor is not one of this list.
    """
    begin = read_page_cursor(cursor, of=of) if cursor else 0
    end = begin + limit
    return entries[begin:end], write_page_cursor(end, of=of) if end < len(entries) else None


def write_page_cursor(position: int, *, of: str) -> str:
    """A cursor that holds the position where the next page of a list begins."""
    return base64.urlsafe_b64encode(json.dumps([position, of]).encode()).decode().rstrip("=")


def read_page_cursor(cursor: str, *, of: str) -> int:
    """The position where the page of a cursor begins.

    Raises:
        QueryError: It is not one of this list.
    """
    again = "Ask for the first page, and send the cursor that comes with it."
    try:
        position, list_ = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise QueryError("This cursor was not given by a list.", again) from error
    if type(position) is not int or not 0 <= position < 2**62:
        raise QueryError("This cursor was not given by a list.", again)
    if list_ != of:
        raise QueryError("This cursor belongs to a list that has changed since, or to another one.", again)
    return position


def link(request: Request, cursor: str | None) -> dict[str, str]:
    """The Link header of the next page; none after the last. Source: RFC 8288."""
    if cursor is None:
        return {}
    parameters = {**request.query_params, "cursor": cursor}
    return {"link": f'<{request.url.path}?{urlencode(parameters)}>; rel="next"'}
