"""The report on checked files as data of JSON."""

from __future__ import annotations

from typing import Any

from pipeline.ingest.recognition.checked_file import CheckedFile
from pipeline.ingest.recognition.contents import Contents
from pipeline.ingest.recognition.nearest import is_value
from pipeline.ingest.recognition.recognise import Recognition

Payload = dict[str, Any]  # Any: JSON values

MOST_UNKNOWN = 50
"""Names of unknown fields that a report lists; their number is beside them."""


def file_report(file: CheckedFile, name: str) -> Payload:
    """What is said of one file; `lands`: whole, in_part or nothing."""
    check = file.check
    names = [field for field in (check.unknown if check else ()) if not is_value(field)]
    return {
        "file": name,
        "lands": "whole" if file.lands_whole else "in_part" if file.reason is None else "nothing",
        "reason": file.reason,
        "fix": file.fix,
        **_identity(file.recognition),
        "rows": check.rows if check else 0,
        **_contents(check.contents if check and not check.withheld else None),
        "quarantined": [
            {"reason": kept.reason, "records": kept.records, "example": kept.example}
            for kept in (check.quarantined if check else ())
        ],
        "unknown_fields": names[:MOST_UNKNOWN],
        "unknown_field_count": len(check.unknown) if check else 0,
    }


def _identity(recognition: Recognition) -> Payload:
    nearest = recognition.nearest
    return {
        "candidates": [{"platform": platform, "object": name} for platform, name in recognition.candidates],
        "recognised_by": recognition.by,
        "nearest": nearest
        and {
            "platform": nearest.platform,
            "object": nearest.object,
            "missing": [{"field": field, "perhaps": near} for field, near in nearest.missing],
            "unknown": [field for field in nearest.unknown if not is_value(field)][:MOST_UNKNOWN],
        },
    }


def _contents(contents: Contents | None) -> Payload:
    days = sorted(contents.days) if contents else []
    return {
        "days": {"first": str(days[0]), "last": str(days[-1]), "count": len(days)} if days else None,
        "measures": [
            {"field": field, "currency": code, "sum": value, "in_minor_units": field in contents.in_minor_units}
            for field, sums in (contents.sums.items() if contents else ())
            for code, value in sorted(sums.items(), key=lambda item: item[0] or "")
        ]
        if contents
        else [],
        "accounts": sorted(contents.accounts) if contents else [],
        "currencies": sorted(contents.currencies) if contents else [],
    }
