"""Reading of the audit files of every process and day as one list of calls, in order of their start."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from server.serving.audit.audit_log import FILE

POLL_SECONDS = 0.5

Line = dict[str, Any]  # Any: JSON values


@dataclass(frozen=True)
class CallFilter:
    """A filter of calls; None matches every call."""

    tenant: str | None = None
    since: datetime | None = None
    tool: str | None = None

    def fits(self, call: Line) -> bool:
        if self.tenant is not None and call.get("tenant") != self.tenant:
            return False
        if self.tool is not None and self.tool not in {call.get("tool"), str(call.get("tool")).partition(" ")[2]}:
            return False
        return self.since is None or str(call.get("at", "")) >= _text(self.since)


def read_calls(folder: Path, criteria: CallFilter) -> list[Line]:
    """The calls that match. A call that never ended, because its process died, is included as `began`."""
    ended: dict[str, Line] = {}
    for path in audit_files(folder, criteria.since):
        for call in read_audit_file(path.read_bytes()):
            if call.get("outcome") != "began" or call["id"] not in ended:
                ended[call["id"]] = call
    return sorted(filter(criteria.fits, ended.values()), key=lambda call: str(call["at"]))


def follow_calls(folder: Path, criteria: CallFilter, *, after: Sequence[Line] = ()) -> Iterator[Line]:
    """Yield the calls that match, as they end from now on; never stops by itself."""
    seen = {call["id"] for call in after}
    offsets = {path: path.stat().st_size for path in audit_files(folder, None)}
    while True:
        for path in audit_files(folder, None):
            with path.open("rb") as file:
                file.seek(offsets.get(path, 0))
                text = file.read()
            complete = text[: text.rfind(b"\n") + 1]  # an incomplete line is read in the next round
            offsets[path] = offsets.get(path, 0) + len(complete)
            for call in read_audit_file(complete):
                if call.get("outcome") != "began" and call["id"] not in seen and criteria.fits(call):
                    yield call
        seen = set()
        time.sleep(POLL_SECONDS)


def audit_files(folder: Path, since: datetime | None) -> list[Path]:
    """The files that may hold calls since a time, by their names. A call over midnight is in the file of its end."""
    first = "" if since is None else since.date().isoformat()
    paths = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in paths if (match := FILE.fullmatch(path.name)) and match[1] >= first)


def read_audit_file(text: bytes) -> Iterator[Line]:
    """The complete lines of a file. A process that dies while writing leaves half a line."""
    for line in text.splitlines():
        try:
            call = json.loads(line)
        except ValueError:
            continue
        if isinstance(call, dict) and "id" in call and "at" in call:
            yield call


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
