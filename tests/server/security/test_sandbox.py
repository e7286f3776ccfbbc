"""Sandbox: a statement from a caller could read its own tenant's run, and do nothing else to the machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from server.serving.runs.open_run import OpenRun
from server.serving.runs.published_runs import PublishedRuns
from tests.server.published_fixture import PublishedHome

FILES = (
    "from read_csv('/etc/passwd')",
    "from '/etc/passwd'",
    "from read_text('/etc/passwd')",
    "from read_blob('/proc/self/environ')",
    "from read_json('/etc/passwd')",
    "from read_parquet('/tmp/x.parquet')",
    "from glob('/*')",
    "from sniff_csv('/etc/passwd')",
    "from read_csv('{beta}')",
    "attach '{beta}' as stolen",
    "attach ':memory:' as room",
    "attach '/tmp/gata_new.duckdb'",
    "copy (select 1) to '/tmp/gata_out.csv'",
    "copy (select 1) to '/dev/stderr'",
    "export database '/tmp/gata_export'",
    "import database '/tmp'",
    "create temp table t as from read_csv('/etc/passwd')",
)
ENVIRONMENT = (
    "install httpfs",
    "load httpfs",
    "force install spatial from community",
    "load '/tmp/x.duckdb_extension'",
    "from read_csv('https://example.com/x.csv')",
    "from 's3://bucket/x.parquet'",
    "select getenv('HOME')",
    "create secret s (type s3)",
    "create persistent secret s (type http)",
)
SETTINGS = (
    "set enable_external_access = true",
    "set lock_configuration = false",
    "set memory_limit = '100GB'",
    "set threads = 64",
    "set temp_directory = '/tmp'",
    "set allowed_directories = ['/']",
    "set autoinstall_known_extensions = true",
    "set autoload_known_extensions = true",
    "set allow_unsigned_extensions = true",
    "set allow_community_extensions = true",
    "set extension_directory = '/tmp'",
    "set home_directory = '/'",
    "set log_query_path = '/tmp/gata_queries'",
    "set custom_user_agent = 'x'",
    "reset memory_limit",
    "pragma memory_limit = '100GB'",
    "pragma enable_profiling = 'json'; pragma profile_output = '/tmp/gata_profile'",
    "reset global threads",
)
CHANGES = (
    "create table t (a int)",
    "drop table fct_alpha__orders",
    "insert into fct_alpha__orders default values",
    "update fct_alpha__orders set order_id = 'x'",
    "delete from fct_alpha__orders",
    "create view v as select 1",
    "create function f() as 1",
    "alter table fct_alpha__orders add column x int",
    "create schema s",
    "force checkpoint; create table t (a int)",
)


@pytest.fixture(scope="module")
def runs(home: PublishedHome) -> Iterator[PublishedRuns]:
    runs = PublishedRuns(home.settings)
    yield runs
    runs.close()


@pytest.fixture
def run(runs: PublishedRuns) -> Iterator[OpenRun]:
    with runs.run("beta"), runs.run("alpha") as run:
        yield run


@pytest.mark.parametrize("statement", [*FILES, *ENVIRONMENT, *SETTINGS, *CHANGES])
def test_a_cursor_of_the_server_only_reads_its_run(run: OpenRun, home: PublishedHome, statement: str) -> None:
    (beta,) = home.settings.published("beta").glob("2*/stars.duckdb")
    with run.cursor() as cursor, pytest.raises(duckdb.Error):
        cursor.execute(statement.replace("{beta}", str(beta))).fetchall()


def test_the_settings_are_those_of_a_sandbox(run: OpenRun, home: PublishedHome) -> None:
    with run.cursor() as cursor:
        found = dict(cursor.execute("select name, value from duckdb_settings()").fetchall())
    assert found["enable_external_access"] == "false"
    assert found["lock_configuration"] == "true"
    assert found["access_mode"] == "read_only"
    for name in ("autoinstall_known_extensions", "autoload_known_extensions", "allow_community_extensions"):
        assert found[name] == "false", name
    assert found["allow_unsigned_extensions"] == "false"
    assert found["memory_limit"] == "488.2 MiB"  # GATA_QUERY_MEMORY, 512MB
    assert found["threads"] == str(home.settings.threads)
    assert Path(found["temp_directory"]).is_relative_to(home.settings.home.resolve()) or Path(
        found["temp_directory"]
    ).is_relative_to(home.settings.home)


def test_a_statement_that_needs_more_memory_than_there_is_ends_with_an_error(fresh_home: PublishedHome) -> None:
    small = fresh_home.settings.model_copy(update={"query_memory": "20MB", "query_spill": "1MB"})
    runs = PublishedRuns(small)
    try:
        with runs.run("alpha") as run, run.cursor() as cursor, pytest.raises(duckdb.OutOfMemoryException):
            cursor.execute("select list(hash(range)) from range(20000000)").fetchall()
    finally:
        runs.close()


def test_the_statements_left_nothing_on_the_disk() -> None:
    assert not [path for path in Path("/tmp").glob("gata_*") if path.name in {"gata_out.csv", "gata_new.duckdb"}]
