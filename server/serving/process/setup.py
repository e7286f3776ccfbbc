"""Process setup, inherited by child processes: imports, open files, garbage collection of a large heap."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def keep_pandas_out() -> None:
    """Make `import pandas` fail in this process, before DuckDB binds its first value.

    DuckDB looks for pandas at every value: 0.4 ms each where it is not installed, and 0.3 s and 48 MB, once, where it
    is. The query path works without it. Measured here, with DuckDB 1.5.6.
    """
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]  # None is how Python marks a module as absent


@contextmanager
def safe_import_path() -> Iterator[None]:
    """Keep the working directory off the import path of Python processes that start meanwhile.

    `multiprocessing`, which uvicorn and dbt use too, starts them as `python -c`, and that looks there first: a stray
    `json.py` would be executed. They inherit our `-P`, but the console script `gata` cannot be given one.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("PYTHONSAFEPATH", None)
        else:
            os.environ["PYTHONSAFEPATH"] = before


def raise_file_limit() -> None:
    """Raise the limit of open files and connections to the hard limit of the system: a shell sets 1,024."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def settle_memory() -> None:
    """Exclude the objects of start-up from garbage collection, and collect rarely.

    The SDK's heap is large: with the default thresholds the slowest call of a hundred took 108 ms, with these 1.1.
    Measured over stdio, with answers of 1,000 rows and mcp 2.3.0.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    gc.enable()
