"""The request of an explanation: one metric, two windows, and the dimensions that may explain its change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import QueryError
from semantic.catalog.sent_values import without_absent, without_transport_keys
from semantic.planning.query import ROW_BEFORE, Query, read_query
from semantic.planning.query_repair import KNOWN_KEYS, QueryErrors

REQUEST_KEYS = ("metric", "time_range", "compare", "dimensions", "filters")
_OF_QUERY = ("time_range", "compare", "dimensions", "filters")
_EXAMPLE = 'Write "metric": "roas".'


@dataclass(frozen=True)
class ChangeRequest:
    """A metric and the query of its change, which names the dimensions to look at; none are all that it reaches."""

    metric: str
    query: Query


def read_change_request(sent: Mapping[str, Any]) -> ChangeRequest:  # Any: whatever a caller sent
    """Read the request that a caller sent; its parts are those of a query.

    Raises:
        QueryError: A key or value is wrong; names it, and the right key or form.
    """
    errors = QueryErrors()
    arguments = without_absent(without_transport_keys(sent, KNOWN_KEYS | {"metric"}))
    sent = {key: value for key, value in arguments.items() if errors.is_key(key, REQUEST_KEYS)}
    errors.check()
    if sent.get("metric") is None:
        raise QueryError("There is no metric to explain.", _EXAMPLE)
    parts = {name: sent[name] for name in _OF_QUERY if sent.get(name) is not None}
    query = read_query({"compare": "previous_period", **parts, "metrics": sent["metric"]})
    if len(query.metrics) > 1:
        raise QueryError(f"metric names {' and '.join(query.metrics)}.", "Explain one metric at a time.")
    if query.compare == ROW_BEFORE:
        raise QueryError(f'compare is "{ROW_BEFORE}".', 'Write "compare": "previous_period" or "previous_year".')
    if query.time_range is None:
        raise QueryError("There are no days to explain.", 'Write "time_range": "last_month", or its start and end.')
    return ChangeRequest(query.metrics[0], query)
