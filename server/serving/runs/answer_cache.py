"""Answers that were given already, kept while their run is the newest: bounded in bytes, the least used leave first."""

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
"""An answer of more than one of so many parts of the room is not kept: it would drive out too many others."""
_ROOM_OF_AN_ANSWER = 2_000
"""For what surrounds the rows: names, units, notes."""


@dataclass(frozen=True)
class AnswerKey:
    """Everything an answer depends on."""

    slug: Slug
    run_id: str
    definitions: str
    exposed: frozenset[str]
    """The personal dimensions shown."""
    day: date
    """The tenant's own, that named ranges and notes count from."""
    from_rollups: bool
    """The rows are the same; the SQL is not."""
    query: str
    """As JSON: in Python 1 is True, and in a filter it is not."""


class AnswerCache:
    """A cache for all tenants of a process. Safe to share between threads; nobody changes an answer."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[AnswerKey, tuple[Answer, int]] = OrderedDict()
        self.bytes = 0

    def get(self, key: AnswerKey) -> Answer | None:
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: AnswerKey, answer: Answer) -> None:
        if not self._limit:
            return
        size = size_of(answer) + len(key.query)
        if size * LARGEST_SHARE > self._limit:
            return
        with self._lock:
            if key in self._kept:
                return
            self._kept[key] = answer, size
            self.bytes += size
            while self.bytes > self._limit:
                self.bytes -= self._kept.popitem(last=False)[1][1]

    def forget(self, slug: Slug) -> None:
        """Drop what was kept for a tenant: it has a new run, or shows other columns."""
        with self._lock:
            for key in [key for key in self._kept if key.slug == slug]:
                self.bytes -= self._kept.pop(key)[1]


def size_of(answer: Answer) -> int:
    """The bytes that an answer takes in memory, or a little more."""
    rows = sum(sys.getsizeof(row) + sum(map(sys.getsizeof, row)) for row in answer.rows)
    return rows + sum(map(sys.getsizeof, answer.sql)) + _ROOM_OF_AN_ANSWER
