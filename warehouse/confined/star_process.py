"""The process in which a tenant's SQL runs, `python -P -m warehouse.confined.star_process`: one star, no way out.

It reads a `Work` as JSON from stdin and writes an event per line to stdout. DuckDB opens the star alone, without
external access and with a locked configuration. The kernel limits memory and the size of files, as DuckDB does not
count all of what functions of texts and lists take; a thread stops the work at its deadline, and when the parent dies.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from warehouse.confined.cells import cell_json, read_cell

GRACE_SECONDS = 1.0
"""From the deadline on: a function that does not notice the interrupt is killed with its process."""
KILLED = 124
LOOK_SECONDS = 0.05
MOST_TEXT = 64_000_000
"""Bytes of the rows of one SELECT, as JSON."""
_ROOM, _ROOM_OF_A_THREAD = 1 << 30, 1 << 27  # address space of code and threads, which no data takes
_LINE = re.compile(r"LINE (\d+):")
_QUOTES_DATA = (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException)
"""Errors whose message quotes a value of a row."""


@dataclass(frozen=True)
class ConfinedSelect:
    """One SELECT whose rows are asked for.

    Args:
        values: Of its parameters, as cells of JSON.
    """

    sql: str
    values: dict[str, Any] = field(default_factory=dict)  # Any: JSON values


@dataclass(frozen=True)
class Work:
    """What the process shall do.

    Args:
        seconds: The deadline of all that it does, or of each SELECT.
        models: Name and SQL of each, in order; each becomes a table.
        selects: What is asked of the star behind them.
        is_each: Whether the deadline is of each SELECT; then one that cannot run does not end the work.
    """

    star: str
    scratch: str
    memory_bytes: int
    disk_bytes: int
    threads: int
    seconds: float
    models: list[tuple[str, str]] = field(default_factory=list)
    selects: list[ConfinedSelect] = field(default_factory=list)
    is_each: bool = False

    def text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Work:
        told = json.loads(text)
        return cls(**told | {"selects": [ConfinedSelect(**each) for each in told["selects"]]})


class Deadline:
    """When the work has to end; it may begin anew."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.begin()

    def begin(self) -> None:
        self.ends_at = time.monotonic() + self.seconds

    @property
    def late(self) -> float:
        """Seconds since the deadline; below 0 before it."""
        return time.monotonic() - self.ends_at


def main() -> None:
    work = Work.read(sys.stdin.read())
    _limit(work)
    star = _open(work)
    deadline = Deadline(work.seconds)
    threading.Thread(target=_watch, args=(star, deadline, os.getppid()), daemon=True).start()
    try:
        _run(star, work, deadline)
    except MemoryError:
        _say(error="memory")
    os._exit(0)  # an instance that ran out of memory may not close in order


def _limit(work: Work) -> None:
    """Limit address space to what DuckDB may have twice over, and files to the star and what may come to it."""
    used = (
        int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if sys.platform == "linux" else 0
    )
    limits = {
        resource.RLIMIT_AS: used + 2 * work.memory_bytes + _ROOM + work.threads * _ROOM_OF_A_THREAD,
        resource.RLIMIT_FSIZE: Path(work.star).stat().st_size + work.disk_bytes,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        _, hard = resource.getrlimit(kind)
        with suppress(ValueError, OSError):  # a lower limit of the system holds already
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _open(work: Work) -> duckdb.DuckDBPyConnection:
    star = duckdb.connect(
        work.star,
        read_only=not work.models,
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "memory_limit": f"{work.memory_bytes}B",
            "threads": str(work.threads),
            "temp_directory": work.scratch,
            "max_temp_directory_size": f"{work.disk_bytes}B",
        },
    )
    star.execute("set TimeZone = 'UTC'; set python_enable_replacements = false")
    star.execute("set enable_external_access = false; set lock_configuration = true")
    return star


def _watch(star: duckdb.DuckDBPyConnection, deadline: Deadline, parent: int) -> None:
    while os.getppid() == parent:
        if deadline.late >= GRACE_SECONDS:
            os._exit(KILLED)
        if deadline.late >= 0:
            star.interrupt()
        time.sleep(LOOK_SECONDS)
    os._exit(KILLED)


def _run(star: duckdb.DuckDBPyConnection, work: Work, deadline: Deadline) -> None:
    taken = {name for (name,) in star.execute("select table_name from information_schema.tables").fetchall()}
    for name, sql in work.models:
        _say(model=name)
        if name in taken:
            return _say(error="taken")
        try:
            _say(**_build(star, name, sql))
        except duckdb.Error as error:
            return _say(**_failure(error, deadline, before=1))
    for number, select in enumerate(work.selects):
        _say(select=number)
        if work.is_each:
            deadline.begin()
        try:
            _say(**_rows(star, select))
        except duckdb.Error as error:
            failure = _failure(error, deadline)
            _say(**failure)
            if failure["error"] != "sql" or not work.is_each:
                return None
    try:
        star.close()
    except duckdb.Error as error:
        return _say(**_failure(error, deadline))
    return _say(finished=True)


def _rows(star: duckdb.DuckDBPyConnection, select: ConfinedSelect) -> dict[str, Any]:  # Any: JSON values
    began, clock = time.time(), time.monotonic()
    (parsed,) = duckdb.extract_statements(select.sql)
    if parsed.type != duckdb.StatementType.SELECT:
        raise duckdb.ParserException("It is no SELECT.")
    found = star.execute(select.sql, {name: read_cell(cell) for name, cell in select.values.items()})
    rows: list[list[Any]] = []  # Any: JSON values
    size = 0
    while some := found.fetchmany(1000):
        rows += [[cell_json(value) for value in row] for row in some]
        size += len(json.dumps(rows[-len(some) :]))
        if size > MOST_TEXT:
            raise MemoryError
    return {"rows": rows, "began": began, "seconds": time.monotonic() - clock}


def _build(star: duckdb.DuckDBPyConnection, name: str, sql: str) -> dict[str, Any]:  # Any: JSON values
    began, clock = time.time(), time.monotonic()
    statement = f'create table "main"."{name}" as\n{sql}'
    (parsed,) = duckdb.extract_statements(statement)
    if parsed.type != duckdb.StatementType.CREATE:
        raise duckdb.ParserException("It is no SELECT.")
    star.execute(statement)
    ((rows,),) = star.execute(f'select count(*) from "main"."{name}"').fetchall()
    columns = [column for column, *_ in star.execute(f'describe "main"."{name}"').fetchall()]
    return {"count": rows, "columns": columns, "began": began, "seconds": time.monotonic() - clock}


def _failure(error: duckdb.Error, deadline: Deadline, *, before: int = 0) -> dict[str, Any]:  # Any: JSON values
    """What went wrong; `before` lines of the statement are not the model's."""
    if deadline.late >= 0:
        return {"error": "time"}
    text = str(error)
    if isinstance(error, duckdb.OutOfMemoryException) or "bad allocation" in text or "bad_alloc" in text:
        return {"error": "disk" if "max_temp_directory_size" in text else "memory"}
    if isinstance(error, duckdb.IOException | duckdb.FatalException):
        return {"error": "disk"}
    line = _LINE.search(text)
    said = text.split("LINE ", 1)[0]
    if isinstance(error, _QUOTES_DATA):
        said = "a value cannot be converted or is out of range; try_cast gives NULL for it"
    where = {"line": max(1, int(line[1]) - before)} if line else {}
    return {"error": "sql", "message": " ".join(said.split())[:300], **where}


def _say(**event: Any) -> None:  # Any: JSON values
    print(json.dumps(event), flush=True)  # noqa: T201  # the answer of this process


if __name__ == "__main__":
    main()
