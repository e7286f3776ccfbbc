"""The answer cache: answers of the newest runs, bounded in bytes, least recently used evicted first."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pipeline.config.slug import Slug

if TYPE_CHECKING:
    from semantic.planning.query import Answer

LARGEST_SHARE = 8
"""An answer larger than the cache divided by this is not cached: it would evict too many others."""
_OVERHEAD_BYTES = 2_000
"""Allowance for the parts around the rows: names, units, notes."""


@dataclass(frozen=True)
class AnswerKey:
    """The cache key: everything an answer depends on."""

    slug: Slug
    run_id: str
    definitions: str
    exposed: frozenset[str]
    """The exposed personal dimensions."""
    day: date
    """The current day of the tenant, which named ranges and notes count from."""
    from_rollups: bool
    """The rows are the same; the SQL differs."""
    query: str
    """As JSON: in Python 1 is True, and in a filter it is not."""


class AnswerCache:
    """A cache for all tenants of a process. Safe to share between threads: answers are immutable."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._answers: OrderedDict[AnswerKey, tuple[Answer, int]] = OrderedDict()
        self.bytes = 0

    def get(self, key: AnswerKey) -> Answer | None:
        with self._lock:
            if key not in self._answers:
                return None
            self._answers.move_to_end(key)
            return self._answers[key][0]

    def put(self, key: AnswerKey, answer: Answer) -> None:
        if not self._limit:
            return
        size = size_of(answer) + len(key.query)
        if size * LARGEST_SHARE > self._limit:
            return
        with self._lock:
            if key in self._answers:
                return
            self._answers[key] = answer, size
            self.bytes += size
            while self.bytes > self._limit:
                self.bytes -= self._answers.popitem(last=False)[1][1]

    def forget(self, slug: Slug) -> None:
        """Drop the answers of a tenant: it has a new run, or exposes other columns."""
        with self._lock:
            for key in [key for key in self._answers if key.slug == slug]:
                self.bytes -= self._answers.pop(key)[1]


def size_of(answer: Answer) -> int:
    """The memory of an answer in bytes, estimated from above."""
    rows = sum(sys.getsizeof(row) + sum(map(sys.getsizeof, row)) for row in answer.rows)
    return rows + sum(map(sys.getsizeof, answer.sql)) + _OVERHEAD_BYTES
