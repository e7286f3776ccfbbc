"""Log files: events as lines of JSON in `logs/gata.jsonl` of the state folder, rotated by size, for its owner only.

Every process of a home appends to the same file: a line is one `write` in append mode, which the system does not mix
with others. The process that finds the file full renames it, and the others follow by its inode. A log file that cannot
be written fails nothing: its lines are counted, and tried again after a while.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

NAME = "gata.jsonl"
RETRY_SECONDS = 30.0


@dataclass(frozen=True)
class LogFiles:
    """Where log files are, the size of one, and how many are kept beside the current one; 0: none is written."""

    folder: Path
    most_bytes: int
    kept: int


class LogWriter:
    """Appends lines to the log files of a home; safe for threads and processes, also after a fork."""

    def __init__(self, files: LogFiles) -> None:
        self.files = files
        self.lost = 0
        """Lines that could not be written."""
        self._lock = threading.Lock()
        self._descriptor, self._inode, self._process = -1, -1, -1
        self._retry_at = 0.0

    def write(self, line: str) -> None:
        """Append a line; an error of the disk is counted, and not raised."""
        if self.files.kept < 1:
            return
        with self._lock:
            if time.monotonic() < self._retry_at:
                self.lost += 1
                return
            try:
                self._append(line.encode("utf-8", "backslashreplace") + b"\n")
            except OSError:
                self.lost += 1
                self._retry_at = time.monotonic() + RETRY_SECONDS
                self._close()

    def _append(self, line: bytes) -> None:
        path = self.files.folder / NAME
        if not self.files.folder.parent.is_dir():
            return  # a command that only reads makes no state folder
        if self._process != os.getpid() or _inode(path) != self._inode:
            self._open(path)
        if os.fstat(self._descriptor).st_size + len(line) > self.files.most_bytes:
            self._rotate(path)
        os.write(self._descriptor, line)

    def _open(self, path: Path) -> None:
        self._close()
        self.files.folder.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor, self._process = os.open(path, flags, 0o600), os.getpid()
        self._inode = os.fstat(self._descriptor).st_ino

    def _rotate(self, path: Path) -> None:
        """Rename the files, unless another process has just done so; without its lock the file grows a little more."""
        from filelock import FileLock, Timeout

        with suppress(Timeout), FileLock(path.with_name(".rotate.lock"), timeout=1.0, mode=0o600):
            if _inode(path) == self._inode:
                for number in range(self.files.kept, 0, -1):
                    older = path if number == 1 else _numbered(path, number - 1)
                    with suppress(FileNotFoundError):
                        older.replace(_numbered(path, number))
        self._open(path)

    def _close(self) -> None:
        if self._descriptor >= 0 and self._process == os.getpid():
            with suppress(OSError):
                os.close(self._descriptor)
        self._descriptor, self._inode = -1, -1


def _numbered(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}.{number}{path.suffix}")


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return -1


_current: list[LogWriter] = []
"""The writer of this process, once its settings are read."""


def log_to_files(files: LogFiles) -> None:
    """Write the events of this process to log files too, from now on. Opens nothing yet."""
    if current_log_files() != files:
        _current[:] = [LogWriter(files)]


def current_log_files() -> LogFiles | None:
    """The log files of this process; None before its settings are read."""
    return _current[0].files if _current else None


def append_to_log_file(line: str) -> None:
    """Append a line of JSON to the log files of this process, if it has any."""
    if _current:
        _current[0].write(line)
