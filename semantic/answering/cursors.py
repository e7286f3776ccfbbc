"""Cursors: the offset of the next rows of one query, bound to the tenant, the run and the query."""

from __future__ import annotations

import base64
import hashlib
import json

from pipeline.errors import QueryError
from semantic.answering.semantic_model import SemanticModel
from semantic.planning.query import ABOUT_THE_ANSWER, Query
from semantic.planning.window import Window

_LAST_OFFSET = 10**9


def write_cursor(offset: int, query: Query, window: Window | None, model: SemanticModel) -> str:
    """Write the cursor of the rows from `offset` on."""
    content = [offset, model.run_id, _digest(query, window, model)]
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def read_offset(query: Query, window: Window | None, model: SemanticModel) -> int:
    """Read the offset of a query's rows from its cursor; 0 without one.

    Raises:
        QueryError: The cursor is malformed, or belongs to another run, query or day.
    """
    if query.cursor is None:
        return 0
    again = "Ask again without a cursor, and send the cursor of that answer."
    try:
        offset, run_id, digest = json.loads(base64.urlsafe_b64decode(query.cursor.encode()))
    except (ValueError, TypeError) as error:
        raise QueryError("This cursor was not given by an answer.", again) from error
    if type(offset) is not int or not 0 < offset <= _LAST_OFFSET:
        raise QueryError("This cursor was not given by an answer.", again)
    if run_id != model.run_id:
        raise QueryError("This cursor belongs to data that have been replaced since.", again)
    if digest != _digest(query, window, model):
        raise QueryError("This cursor belongs to another query.", again)
    return offset


def _digest(query: Query, window: Window | None, model: SemanticModel) -> str:
    days = [str(window.start), str(window.end)] if window else []
    text = json.dumps([model.tenant, days, query.model_dump(mode="json", exclude=set(ABOUT_THE_ANSWER))])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
