"""Parallel conversion and prefetch of batches in a worker pool, each with a DuckDB connection of its own."""

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
    """The results of `convert(connection, item)` in order, with few items in flight so that memory is bounded."""
    pending: deque[Future[pa.Table]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for item in items:
            pending.append(pool.submit(convert, con.cursor(), item))
            if len(pending) > workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def prefetched(streams: Sequence[Iterator[pa.Table]]) -> Iterator[pa.Table]:
    """The items of all streams in turn, with the next item of each prefetched."""
    with ThreadPoolExecutor(len(streams)) as pool:
        pending = deque((stream, pool.submit(next, stream, None)) for stream in streams)
        while pending:
            stream, future = pending.popleft()
            if (item := future.result()) is not None:
                pending.append((stream, pool.submit(next, stream, None)))
                yield item
