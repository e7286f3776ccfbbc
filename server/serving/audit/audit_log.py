"""The audit log: `audit/DAY_PID.jsonl`, one append-only file per UTC day and process.

A line is handed to the operating system in one write before the next call is handled, so that a crash of this process
loses nothing; there is no fsync per line, so that a power cut may lose the last seconds. Lost lines are counted,
logged, and reported in the next line that can be written.
"""

from __future__ import annotations

import json
import math
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline.bug_reports import event_logger
from pipeline.errors import AuditError

FILE = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d+)\.jsonl")
LOSS_LOG_SECONDS = 60.0
LARGEST_INTEGER_BITS = 256
DEEPEST = 12
"""Levels of a value that are recorded; a record has fewer."""


class AuditLog:
    """The audit file of this process. Safe to share between threads."""

    def __init__(
        self,
        folder: Path,
        *,
        keep_days: int,
        is_required: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.folder, self._keep_days, self.is_required, self._now = folder, keep_days, is_required, now
        self._lock = threading.Lock()
        self._file: int | None = None
        self._opened_for: tuple[date, int] | None = None
        self._log_loss_at = 0.0
        self._unreported = 0
        self.lost = 0
        """Lines that could not be written since the process began."""

    def write(self, line: Mapping[str, object], *, is_optional: bool = False) -> None:
        """Append a line.

        Args:
            is_optional: A loss is reported and not raised: the call has been answered.

        Raises:
            AuditError: It cannot be written, and the audit log is required.
        """
        with self._lock:
            try:
                self._append({**line, "lost_before": self._unreported} if self._unreported else line)
                self._unreported = 0
            except Exception as error:  # a line is counted, whatever keeps it from being written
                self.lost += 1
                self._unreported += 1
                self._log_loss(error)
                if self.is_required and not is_optional:
                    raise AuditError(
                        "The call cannot be written down, and nothing is answered here that is not.",
                        "Tell the operator: the disk of the audit files needs a look.",
                    ) from error

    def close(self) -> None:
        with self._lock:
            self._close_file()

    def _append(self, line: Mapping[str, object]) -> None:
        text = encoded(line)
        file = self._open()
        size = os.fstat(file).st_size
        written = 0
        try:
            while written < len(text):  # one round, unless the disk is almost full
                written += os.write(file, text[written:])
        except OSError:
            if written:
                os.ftruncate(file, size)  # half a line would corrupt the next one
            raise

    def _open(self) -> int:
        opened_for = (self._now().astimezone(UTC).date(), os.getpid())
        if self._file is not None and opened_for == self._opened_for:
            return self._file
        self._close_file()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        day, pid = opened_for
        path = self.folder / f"{day.isoformat()}_{pid}.jsonl"
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._opened_for = opened_for
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":  # a process with this pid died in mid-line
            os.write(self._file, b"\n")
        self._drop_old(day)
        return self._file

    def _close_file(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)

    def _drop_old(self, today: date) -> None:
        first = today - timedelta(days=self._keep_days - 1)
        for path in self.folder.iterdir():
            if (match := FILE.fullmatch(path.name)) and match[1] < first.isoformat():
                path.unlink(missing_ok=True)

    def _log_loss(self, error: Exception) -> None:
        if time.monotonic() >= self._log_loss_at:
            self._log_loss_at = time.monotonic() + LOSS_LOG_SECONDS
            reason = getattr(error, "strerror", None) or type(error).__name__
            event_logger().error("audit_failed", reason=reason, lost=self.lost, folder=str(self.folder))


def encoded(line: Mapping[str, object]) -> bytes:
    """A line of JSON, whatever callers sent: half a surrogate is an escape, what JSON cannot carry is described."""
    try:
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(_plain(line), ensure_ascii=False, separators=(",", ":"))
    return (text + "\n").encode(errors="backslashreplace")  # \ud800 in a text of JSON is the escape of half a surrogate


def _plain(value: object, depth: int = 0) -> object:
    """A value of JSON in place of any value."""
    if depth < DEEPEST and isinstance(value, Mapping):
        return {_key(key): _plain(item, depth + 1) for key, item in value.items()}
    if depth < DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, int) and value.bit_length() > LARGEST_INTEGER_BITS:
        return f"(a number of {value.bit_length()} bits)"
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, bytes | bytearray):
        return f"({len(value)} bytes)"
    return value if isinstance(value, str | int | float | None) else f"({type(value).__name__})"


def _key(key: object) -> str:
    return key if isinstance(key, str) else str(_plain(key, DEEPEST))
