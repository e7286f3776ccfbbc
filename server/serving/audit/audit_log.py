"""The audit log: `audit/DAY_PID.jsonl`, one append-only file per UTC day and process.

A line is handed to the operating system in one write before the next call is handled, so that a crash of this process
loses nothing; there is no fsync per line, so that a power cut may lose the last seconds. Lost lines are counted,
logged, and reported in the next line that can be written.
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
LOSS_LOG_SECONDS = 60.0


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
            except OSError as error:
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
        text = (json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str) + "\n").encode()
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

    def _log_loss(self, error: OSError) -> None:
        if time.monotonic() >= self._log_loss_at:
            self._log_loss_at = time.monotonic() + LOSS_LOG_SECONDS
            event_logger().error("audit_failed", reason=error.strerror, lost=self.lost, folder=str(self.folder))
