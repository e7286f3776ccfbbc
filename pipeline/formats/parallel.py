"""Batches made while others are used: ahead of their use, or side by side, each by a DuckDB connection of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import duckdb
import pyarrow as pa

Item = TypeVar("Item")


def converted(
    con: duckdb.DuckDBPyConnection,
    items: Iterable[Item],
    convert: Callable[[duckdb.DuckDBPyConnection, Item], pa.Table],
    workers: int,
) -> Iterator[pa.Table]:
    """`convert(connection, item)` of every item, in order, with a few under way at a time so that memory is bounded."""
    waiting: deque[Future[pa.Table]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for item in items:
            waiting.append(pool.submit(convert, con.cursor(), item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def ahead(items: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same items, each made while the one before it is used."""
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(next, items, None)
        while (item := made.result()) is not None:
            made = pool.submit(next, items, None)
            yield item
