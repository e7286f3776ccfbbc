"""Retries: which errors pass by themselves, how long to wait for it, and who is next when several wait.

A class of failure is known by the type or the code of an error and of what caused it, never by its text: a text may
quote any value of a file.
"""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from pipeline.errors import Busy, ConfigError, GataError, GateFailed, HubInUse, StarInUse

Result = TypeVar("Result")

PASSING_ERRNOS = frozenset(
    (
        *(errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ETXTBSY, errno.EDEADLK, errno.ENOLCK, errno.ESTALE),
        *(errno.ETIMEDOUT, errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE),
        *(errno.ENETDOWN, errno.ENETUNREACH, errno.ENETRESET, errno.EHOSTDOWN, errno.EHOSTUNREACH),
    )
)
"""Codes of the system for what is busy or out of reach now. A full disk is none of them: somebody has to make room."""
PASSING_SQLITE = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL))
"""Primary result codes. Source: https://sqlite.org/rescode.html."""
QUOTA_STATUS = 429
PASSING_STATUS = frozenset((408, 425, 500, 502, 503, 504))
"""HTTP: the server may answer the same request later. Source: RFC 9110, section 15; RFC 8470."""


class FailureClass(StrEnum):
    """How a failure is met: the first two pass by themselves, the others need a person."""

    TRANSIENT = "transient"
    QUOTA = "quota"
    SCHEMA = "schema"
    LOGIC = "logic"


PASSING = frozenset((FailureClass.TRANSIENT, FailureClass.QUOTA))


def failure_class(error: BaseException) -> FailureClass:
    """The class of a failure: of the first error in the chain of its causes that has one that passes."""
    found = [_own_class(each) for each in _chain(error)]
    passing = (each for each in found if each in PASSING)
    return next(passing, None) or next((each for each in found if each), None) or FailureClass.LOGIC


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error, and the errors that caused it."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__


def _own_class(error: BaseException) -> FailureClass | None:
    """The class that the type or a code of this error alone says; None where it says nothing."""
    if isinstance(error, GataError) and error.failure:
        return FailureClass(error.failure)
    if isinstance(error, Busy | HubInUse | StarInUse):
        return FailureClass.TRANSIENT
    if isinstance(error, GateFailed | ConfigError):
        return FailureClass.SCHEMA
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        return FailureClass.TRANSIENT if code in PASSING_SQLITE else None
    if isinstance(error, TimeoutError | ConnectionError) or getattr(error, "errno", None) in PASSING_ERRNOS:
        return FailureClass.TRANSIENT
    return _class_of_status(_status(error))


def _status(error: BaseException) -> int | None:
    """The status of HTTP that an error carries: `status_code` or `code`, its own or its response's."""
    for holder in (error, getattr(error, "response", None)):
        for name in ("status_code", "code"):
            if isinstance(status := getattr(holder, name, None), int) and not isinstance(status, bool):
                return status
    return None


def _class_of_status(status: int | None) -> FailureClass | None:
    if status == QUOTA_STATUS:
        return FailureClass.QUOTA
    return FailureClass.TRANSIENT if status in PASSING_STATUS else None


@dataclass(frozen=True)
class RetryPolicy:
    """How often a piece of work is tried, and how long it waits in between."""

    attempts: int
    """In all, the first one counted."""
    delay_seconds: float
    backoff: bool
    """Whether each wait is twice the one before."""
    max_delay_seconds: float

    def wait_after(self, attempt: int, error: BaseException) -> float | None:
        """Seconds to wait after an attempt (the first is 1) failed; None where it is not tried again."""
        if attempt >= self.attempts or failure_class(error) not in PASSING:
            return None
        growth = 2.0 ** (attempt - 1) if self.backoff else 1.0
        return min(self.delay_seconds * growth, self.max_delay_seconds)


class Clock(Protocol):
    """What retries know of time."""

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The clock of this machine. Ctrl-C ends its sleep at once."""

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def call_with_retries(
    work: Callable[[], Result],
    policy: RetryPolicy,
    *,
    sleep: Callable[[float], None],
    on_retry: Callable[[int, float, BaseException], object],
) -> Result:
    """Call `work` until it succeeds, or fails with an error that does not pass, or has had its attempts.

    For work that nobody else can go on without: it waits right here. Several that can go on without each other use a
    `RetryQueue`.

    Args:
        on_retry: Called before each wait, with the number of the attempt that failed, the seconds, and its error.
    """
    attempt = 1
    while True:
        try:
            return work()
        except Exception as error:
            seconds = policy.wait_after(attempt, error)
            if seconds is None:
                raise
            on_retry(attempt, seconds, error)
        sleep(seconds)
        attempt += 1


@dataclass(frozen=True)
class PutOff:
    """One that waits for its next attempt."""

    name: str
    step: str
    due: float
    """On the clock's own scale."""


class RetryQueue:
    """Those that wait for their next attempt while the others go on; each wait is counted from its failure."""

    def __init__(self, policy: RetryPolicy, clock: Clock) -> None:
        self._policy, self._clock = policy, clock
        self._failed: dict[tuple[str, str], int] = {}
        self._waiting: dict[str, PutOff] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._waiting

    def attempt(self, name: str, step: str) -> int:
        """The number of the attempt that is under way, or next."""
        return self._failed.get((name, step), 0) + 1

    def put_off(self, name: str, step: str, error: BaseException) -> float | None:
        """Let one wait after its attempt failed; return for how many seconds, or None where it is not tried again."""
        seconds = self._policy.wait_after(self.attempt(name, step), error)
        if seconds is not None:
            self._failed[name, step] = self.attempt(name, step)
            self._waiting[name] = PutOff(name, step, self._clock.monotonic() + seconds)
        return seconds

    def next_due(self) -> Sequence[PutOff]:
        """Sleep until the first one is due; return all that are due then, which wait no longer. Empty: nobody waits."""
        if not self._waiting:
            return ()
        first = min(each.due for each in self._waiting.values())
        if (seconds := first - self._clock.monotonic()) > 0:
            self._clock.sleep(seconds)
        now = max(first, self._clock.monotonic())
        due = [each for each in self._waiting.values() if each.due <= now]
        for each in due:
            del self._waiting[each.name]
        return due
