"""Batches made while others are used: ahead of their use, or side by side, each by a DuckDB connection of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import duckdb
import pyarrow as pa

Item = TypeVar("Item")


def convert_in_parallel(
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


def prefetched(streams: Sequence[Iterator[pa.Table]]) -> Iterator[pa.Table]:
    """The items of all streams in turn, the next one of each made while others are used."""
    with ThreadPoolExecutor(len(streams)) as pool:
        waiting = deque((stream, pool.submit(next, stream, None)) for stream in streams)
        while waiting:
            stream, made = waiting.popleft()
            if (item := made.result()) is not None:
                waiting.append((stream, pool.submit(next, stream, None)))
                yield item
