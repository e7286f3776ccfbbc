"""Where calls are written down: `audit/DAY_PID.jsonl`, one file per UTC day and process, only ever appended to.

A line is handed to the operating system in one write before the next call is looked at, so that the end of this
process, however sudden, loses nothing; there is no fsync per line, so that a power cut may lose the last seconds. What
could not be written is counted, told to the log, and told by the next line that can be.
"""

from __future__ import annotations

import json
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
COMPLAIN_SECONDS = 60.0


class AuditLog:
    """The file of this process. Safe to share between threads."""

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
        self._complain_at = 0.0
        self._untold = 0
        self.lost = 0
        """Lines that could not be written since the process began."""

    def write(self, line: Mapping[str, object], *, is_optional: bool = False) -> None:
        """Append a line.

        Args:
            is_optional: Losing it is told, and stops nobody: the call has been answered.

        Raises:
            AuditError: It cannot be written, and has to be.
        """
        with self._lock:
            try:
                self._append({**line, "lost_before": self._untold} if self._untold else line)
                self._untold = 0
            except OSError as error:
                self.lost += 1
                self._untold += 1
                self._complain(error)
                if self.is_required and not is_optional:
                    raise AuditError(
                        "The call cannot be written down, and nothing is answered here that is not.",
                        "Tell the operator: the disk of the audit files needs a look.",
                    ) from error

    def close(self) -> None:
        with self._lock:
            self._shut()

    def _append(self, line: Mapping[str, object]) -> None:
        text = (json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str) + "\n").encode()
        file = self._open()
        size = os.fstat(file).st_size
        written = 0
        try:
            while written < len(text):  # one turn, unless the disk is as good as full
                written += os.write(file, text[written:])
        except OSError:
            if written:
                os.ftruncate(file, size)  # half a line would spoil the next one
            raise

    def _open(self) -> int:
        opened_for = (self._now().astimezone(UTC).date(), os.getpid())
        if self._file is not None and opened_for == self._opened_for:
            return self._file
        self._shut()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        day, pid = opened_for
        path = self.folder / f"{day.isoformat()}_{pid}.jsonl"
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._opened_for = opened_for
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":  # a process of this number died in mid-line
            os.write(self._file, b"\n")
        self._drop_old(day)
        return self._file

    def _shut(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)

    def _drop_old(self, today: date) -> None:
        first = today - timedelta(days=self._keep_days - 1)
        for path in self.folder.iterdir():
            if (found := FILE.fullmatch(path.name)) and found[1] < first.isoformat():
                path.unlink(missing_ok=True)

    def _complain(self, error: OSError) -> None:
        if time.monotonic() >= self._complain_at:
            self._complain_at = time.monotonic() + COMPLAIN_SECONDS
            event_logger().error("audit_failed", reason=error.strerror, lost=self.lost, folder=str(self.folder))
