"""Reasons of a quarantine without the values that they quote: equal ones are counted, and none is of a person."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.contracts.fields import Contract
from pipeline.ingest.drift import Drift
from pipeline.ingest.recognition.contents import is_personal

_POSITION = re.compile(r"\.\d+(?=[.:])")
_QUOTED = re.compile(r"""^(?P<path>[^:]*): (?P<value>'.*'|".*"|[^ ]+) (?P<rest>(?:is|has) .*)$""", re.DOTALL)
_KEY = re.compile(r"^\d+ records share the key \(.*\): ", re.DOTALL)
_NO_RECORD = re.compile(r"^a record is a JSON object, not .*$", re.DOTALL)
_SUCH_AS = re.compile(r" such as (?P<value>'.*'|\".*\"|[^ ]+)(?= came)", re.DOTALL)
_PLAIN = re.compile(r"(?!.*\d{7})['\"]?[\d.,:/+\-TZ %$]{1,32}['\"]?")
"""A number, a date or a time; no long row of digits, which may be a telephone number."""


def without_values(reason: str) -> str:
    """A reason as it is counted: no value, no position in a list."""
    reason = _KEY.sub("several records share one key: ", _NO_RECORD.sub("it is no JSON object", reason))
    reason = _POSITION.sub("", reason)
    if match := _QUOTED.match(reason):
        return f"{match['path']}: a value {match['rest']}"
    path, colon, message = reason.partition(": ")
    return path + colon + re.sub(r"'[^']*'|\"[^\"]*\"", "a text", message)


def example_of(contract: type[Contract], reason: str) -> str | None:
    """The value that a reason quotes, where it can be of no person: a short number or date, in no field of one."""
    match = _QUOTED.match(reason)
    is_safe = match is not None and not is_personal(contract, match["path"]) and _PLAIN.fullmatch(match["value"])
    return match["value"] if match and is_safe else None


def drift_without_values(contract: type[Contract], drift: Drift) -> Drift:
    """A drift whose example is left out unless it can be of no person."""
    match = _SUCH_AS.search(drift.came)
    if match is None or (_PLAIN.fullmatch(match["value"]) and not is_personal(contract, drift.field)):
        return drift
    return replace(drift, came=drift.came[: match.start()] + drift.came[match.end() :])
