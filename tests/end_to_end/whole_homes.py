"""What a home holds, opened and unpacked; its numbers; a server over it."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import httpx

from pipeline.storage.ops import Ops
from server.app import http_server
from server.serving.access import Access
from server.serving.runs.published_runs import PublishedRuns
from tests.end_to_end.project_fixture import Project
from tests.server.published_fixture import in_thread

METRICS_OF_A_QUESTION = 10


def sums(home: Project, slug: str) -> dict[str, Any]:
    """Every metric of a tenant over all of its days."""
    runs = PublishedRuns(home.settings)
    try:
        with runs.run(slug) as run:
            names = sorted(run.model.catalog.askable_metrics)
    finally:
        runs.close()
    found: dict[str, Any] = {}
    for start in range(0, len(names), METRICS_OF_A_QUESTION):
        asked = names[start : start + METRICS_OF_A_QUESTION]
        (row,) = home.ask(slug, metrics=asked)["rows"]
        found |= dict(zip(asked, row, strict=True))
    return found


def ask_over_http(home: Project, slug: str, **query: Any) -> dict[str, Any]:
    """Serve the home, and ask once with a token of the tenant."""
    with Ops(home.settings.ops) as ops:
        secret, _ = Access(ops).create(tenant=slug, name="a test")
    with in_thread(http_server(home.settings, "127.0.0.1")) as (address, _):
        url = f"{address}/semantic-layer/{slug}/query"
        reply = httpx.post(url, json=query, headers={"Authorization": f"Bearer {secret}"}, timeout=60)
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def files_with(home: Path, word: str) -> set[str]:
    """The files under a home that hold a word in any case: in their bytes, unpacked, or in a table's text."""
    wanted = word.lower().encode()
    found = set()
    for path in sorted(home.rglob("*")):
        if path.is_file() and (wanted in path.read_bytes().lower() or any(wanted in text for text in _texts(path))):
            found.add(path.relative_to(home).as_posix())
    return found


def _texts(path: Path) -> Iterator[bytes]:
    """What a file holds beyond its plain bytes, lower case."""
    head = path.read_bytes()[:16]
    if head[:2] == b"\x1f\x8b":
        yield gzip.decompress(path.read_bytes()).lower()
    elif head[8:12] == b"DUCK":
        with duckdb.connect() as con:
            con.execute(f"attach '{path}' as opened (read_only)")
            tables = con.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'opened'"
            ).fetchall()
            for schema, table in tables:
                rows = con.execute(f'select to_json(t)::varchar from opened."{schema}"."{table}" as t').fetchall()
                yield from (text.lower().encode() for (text,) in rows)
    elif head[:15] == b"SQLite format 3":
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as con:
            yield "\n".join(con.iterdump()).lower().encode()
    elif head[:4] == b"PAR1":
        rows = duckdb.sql(f"select to_json(t)::varchar from '{path}' as t").fetchall()
        yield from (text.lower().encode() for (text,) in rows)
