"""Models and files that want more than their own star: each is refused, or stopped, with a sentence that says why."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenants_file import TenantsFile, load_tenants
from pipeline.contracts.sql import quote
from pipeline.errors import BuildError, ConfigError
from tests.warehouse.own_models_fixture import a_tenant, rows, run
from warehouse.own_models.functions import CHANGING, FUNCTIONS, WITHOUT_PARENTHESES
from warehouse.own_models.own_models import read_own_models

FACT = "models/fct_acme__x.sql"
FROM = "from {{ ref('fct_acme__orders') }}"

REFUSED = {
    "a csv file": ("select * from read_csv('/etc/passwd')", r"reads from read_csv\(\)"),
    "a parquet file": ("select * from read_parquet('s3://bucket/*')", r"reads from read_parquet\(\)"),
    "a file as text": ("select content from read_text('/etc/passwd')", r"reads from read_text\(\)"),
    "a file as bytes": ("select * from read_blob('/etc/passwd')", r"reads from read_blob\(\)"),
    "a file as a table": ("select * from '/etc/passwd.csv'", "reads '/etc/passwd.csv' without ref"),
    "a quoted file": ('select * from "/home/x.parquet"', "reads '/home/x.parquet' without ref"),
    "a file behind a comma": (f"select 1 {FROM}, 'x.json'", "reads 'x.json' without ref"),
    "a file in a subquery": ("select (select max(column0) from 'x.csv') as a", "reads 'x.csv' without ref"),
    "a file in a condition": (f"select 1 {FROM} where 1 in (from 'x.csv')", "reads 'x.csv' without ref"),
    "a file in ORDER BY": (f"select 1 {FROM} order by (select a from 'x.csv')", "reads 'x.csv' without ref"),
    "a file in a CTE": ("with a as (from 'x.csv') from a", "reads 'x.csv' without ref"),
    "a file in a set operation": (f"select 1 {FROM} union all from 'x.csv'", "reads 'x.csv' without ref"),
    "a file in PIVOT": ("from (pivot 'x.csv' on a in (1) using sum(b))", "reads 'x.csv' without ref"),
    "a list of files": ("select * from glob('/**')", r"reads from glob\(\)"),
    "an address": ("select * from 'https://example.com/x.csv'", "reads 'https://example.com/x.csv' without ref"),
    "a sheet": ("from read_xlsx('x.xlsx')", r"reads from read_xlsx\(\)"),
    "another database": ("select * from sqlite_scan('ops.sqlite', 'tokens')", r"reads from sqlite_scan\(\)"),
    "the hub": ("select * from hub.platform_ops__push_ledger", "reads 'hub.platform_ops__push_ledger' without ref"),
    "a table without ref": ("select * from fct_acme__orders", "reads 'fct_acme__orders' without ref"),
    "a schema before a ref": (
        "select * from main.{{ ref('fct_acme__orders') }}",
        r"reads 'main\.fct_acme__orders' without ref",
    ),
    "the catalog": ("select * from duckdb_tables()", r"reads from duckdb_tables\(\)"),
    "the settings": ("select * from duckdb_settings()", r"reads from duckdb_settings\(\)"),
    "the secrets": ("select * from duckdb_secrets()", r"reads from duckdb_secrets\(\)"),
    "the information schema": ("select * from information_schema.tables", "reads 'information_schema.tables' without"),
    "a table of SQLite's": ("select * from sqlite_master", "reads 'sqlite_master' without ref"),
    "a pragma as a function": ("select * from pragma_database_list()", r"reads from pragma_database_list\(\)"),
    "a query as text": ("select * from query('select 1')", r"reads from query\(\)"),
    "a table by name": ("select * from query_table(['fct_globex__orders'])", r"reads from query_table\(\)"),
    "a serialized query": ("from json_execute_serialized_sql('{}')", r"reads from json_execute_serialized_sql\(\)"),
    "DESCRIBE": (f"select * from (describe select 1 {FROM})", "It holds show ref"),
    "SHOW": ("show tables", "It holds show ref"),
    "a variable of the environment": ("select getenv('HOME') as a", "The function getenv is not allowed"),
    "a setting": ("select current_setting('secret_directory') as a", "current_setting is not allowed"),
    "a variable": ("select getvariable('a') as a", "getvariable is not allowed"),
    "a sequence": ("select nextval('a') as a", "nextval is not allowed"),
    "the log": ("select write_log('a') as a", "write_log is not allowed"),
    "waiting": ("select sleep_ms(1000000) as a", "sleep_ms is not allowed"),
    "a function of a window": (f"select getenv('HOME') over () as a {FROM}", "It is no SQL|getenv is not allowed"),
    "a chained function": (f"select o.customer_key.getenv() as a {FROM} as o", "has a prefix"),
    "a function with a prefix": ("select system.main.getenv('HOME') as a", "has a prefix"),
    "a function in another case": ("select GetEnv('HOME') as a", "getenv is not allowed"),
    "a quoted function": ("select \"getenv\"('HOME') as a", "getenv is not allowed"),
    "a function in a lambda": ("select list_transform([1], lambda x: getenv('HOME')) as a", "getenv is not allowed"),
    "a function in a list": ("select [getenv(x) for x in ['HOME']] as a", "getenv is not allowed"),
    "a function in a filter": (f"select sum(1) filter (where getenv('A') = '') as a {FROM}", "getenv is not allowed"),
    "a function in columns()": (f"select columns(c -> getenv(c) = '') {FROM}", "getenv is not allowed"),
    "the clock": ("select now() as a", "now gives another value at each build"),
    "the clock without parentheses": ("select current_date as a", "current_date gives another value"),
    "chance": (f"select random() as a {FROM}", "random gives another value at each build"),
    "a sample": (f"select 1 {FROM} using sample 1", "takes a sample"),
    "a sample of a table": (f"select 1 {FROM} tablesample 1%", "takes a sample"),
    "the clock as a quoted name": ('select "current_timestamp" as a', "current_timestamp gives another value"),
    "the user as a quoted name": (f'select "user" as a {FROM}', "user is not allowed"),
    "the user": ("select current_user as a", "current_user is not allowed"),
    "a parameter": ("select ? as a", "has a parameter"),
    "a type of another schema": ("select cast(1 as other.kind) as a", "a type of another schema"),
    "ATTACH": ("attach 'hub.duckdb' as hub", "no SELECT|no SQL"),
    "COPY": (f"copy (select 1 {FROM}) to '/tmp/x.csv'", "no SELECT|no SQL"),
    "EXPORT": ("export database '/tmp/x'", "no SELECT|no SQL"),
    "PRAGMA": ("pragma enable_external_access=true", "no SELECT|no SQL"),
    "SET": ("set enable_external_access = true", "no SELECT|no SQL"),
    "INSTALL": ("install httpfs", "no SELECT|no SQL"),
    "LOAD": ("load '/tmp/x.duckdb_extension'", "no SELECT|no SQL"),
    "CALL": ("call pragma_version()", "no SELECT|no SQL"),
    "DROP": ("drop table fct_acme__orders", "no SELECT|no SQL"),
    "CREATE MACRO": ("create macro f(x) as x", "no SELECT|no SQL"),
    "DELETE with RETURNING": ("with a as (delete from t returning *) from a", "no SELECT|no SQL"),
    "two statements": ("select 1 as a; select 2 as a", "This is 2 statements"),
    "a statement behind a comment": ("select 1 as a /* ; */ ; drop table t", "no SELECT|no SQL"),
    "a second statement on a line of its own": ("select 1 as a\n;\ncopy t to 'x'", "no SELECT|no SQL"),
    "no statement": ("-- nothing", "There is no SELECT"),
    "a macro": ("select {{ my_macro('x') }}", "is no ref"),
    "a variable of dbt": ("select '{{ var(\"x\") }}' as a", "is no ref"),
    "the environment of dbt": ("select '{{ env_var(\"HOME\") }}' as a", "is no ref"),
    "a source of dbt": ("select * from {{ source('hub', 'x') }}", "is no ref"),
    "a statement of Jinja": ("{% set x = 1 %} select 1 as a", "is no ref"),
    "a loop of Jinja": ("select {% for x in range(1000000000) %}1,{% endfor %} 2 as a", "is no ref"),
    "a block in a comment": ("-- {% do run_query('drop table t') %}\nselect 1 as a", "is no ref"),
    "a comment of Jinja": ("{# {{ ref('fct_globex__orders') }} #} select 1 as a", "is no ref"),
    "a ref in a comment": ("select 1 as a -- {{ ref('fct_acme__orders') }}", "stands where no table does"),
    "a ref in a text": ("select '{{ ref(\"fct_acme__orders\") }}' as a", "stands where no table does"),
    "a ref as a column": ("select {{ ref('fct_acme__orders') }} as a", "stands where no table does"),
    "a ref as a name": ("select 1 as {{ ref('fct_acme__orders') }}", "stands where no table does"),
    "a ref as a CTE": (
        "with {{ ref('fct_acme__orders') }} as (select 1 as a) from {{ ref('fct_acme__orders') }}",
        "stands where no table does",
    ),
    "a nested ref": ("select * from {{ ref('{{ ref(1) }}') }}", "is no ref"),
    "a ref of two arguments": ("select * from {{ ref('globex', 'fct_globex__orders') }}", "is no ref"),
    "a ref that is a sum": ("select * from {{ ref('fct_' ~ 'globex__orders') }}", "is no ref"),
    "a quote in a ref": ("select * from {{ ref('a\" union select * from \"b') }}", "There is no table|is no ref"),
    "a filter on a ref": ("select * from {{ ref('fct_acme__orders') | upper }}", "is no ref"),
    "a ref of another tenant": ("select * from {{ ref('fct_globex__orders') }}", "no table 'fct_globex__orders'"),
    "an own name for a ref": ('select * from "__ref0_0_"', "reads '__ref0_0_' without ref"),
    "a hook": ("{{ config(post_hook='drop table x') }}\nselect 1 as a", "has post_hook"),
    "a config that computes": (
        "{{ config(tags=[x for x in ().__class__.__mro__]) }}\nselect 1 as a",
        "tags is no list",
    ),
    "a config with stars": ("{{ config(**x) }}\nselect 1 as a", r"has \*\*"),
    "another materialization": (
        "{{ config(materialized='incremental') }}\nselect 1 as a",
        "neither 'table' nor 'view'",
    ),
    "two configs": ("{{ config() }}\n{{ config() }}\nselect 1 as a", "a second config"),
    "a config in a text": ("select '{{ config() }}' as a", "stands inside the SQL"),
    "a config in a comment": ("/* {{ config() }} */ select 1 as a", "stands inside the SQL"),
    "a CTE out of its scope": (
        "select * from (with sqlite_master as (select 1 as a) from sqlite_master) as b, sqlite_master",
        "reads 'sqlite_master' without ref",
    ),
    "a CTE that reads its own name": ("with fct_x as (from fct_x) from fct_x", "reads 'fct_x' without ref"),
    "deep nesting": ("select " + "(" * 30_000 + "1" + ")" * 30_000, "no SQL|cannot parse"),
    "a long sum": ("select 1" + "+1" * 30_000, "no SQL|cannot parse"),
    "a sum that DuckDB still parses": ("select 1" + "+1" * 950, "cannot parse"),
    "queries in each other": ("select " + "(select " * 250 + "1" + ")" * 250, "cannot parse"),
    "another version of a CTE": ("with a as (select 1 as b) from a at (version => 1)", "asks for another version"),
    "another alphabet": ("select * frоm t", "no SQL|without ref"),
    "a zero-width ref": ("select * from {{ r\u200bef('fct_acme__orders') }}", "is no ref"),
    "PIVOT of unknown columns": (f"pivot (select 1 as a {FROM}) on a", r"PIVOT needs IN"),
}


@pytest.mark.parametrize("attack", REFUSED)
def test_what_a_model_may_not_do_is_refused_before_it_runs(attack: str) -> None:
    sql, said = REFUSED[attack]
    with pytest.raises(ConfigError, match=said) as raised:
        read_own_models(a_tenant({FACT: sql}))
    assert raised.value.what.startswith(f"{FACT}:")
    assert raised.value.fix.strip()


STOPPED = {
    "a cross join without end": (
        1,
        "select a.range as a from range(1000000) as a, range(1000000)",
        "may run 1 seconds",
    ),
    "a giant text": (60, "select length(repeat('x', 3000000000)) as a", "needs more memory than 100MB"),
    "a giant table": (60, "select md5(range::varchar) as a from range(1000000000)", "writes more to disk than 10MB"),
}
STOPPED_TOO = {
    "recursion without end": (
        1,
        "with recursive r as (select 1 as n union all select n + 1 from r) select max(n) as n from r",
        "may run 1 seconds",
    ),
    "a giant list": (60, "select len(range(2000000000)) as a", "needs more memory than 100MB"),
    "a giant aggregate": (
        60,
        "select length(string_agg(repeat('x', 1000), '')) as a from range(10000000)",
        "needs more memory than 100MB",
    ),
    "a giant list of each row": (
        60,
        "select list_sum(list_transform(range(300000000), lambda x: x * 2)) as a",
        "needs more memory than 100MB",
    ),
    "a giant sort": (60, "select md5(range::varchar) as a from range(1000000000) order by 1", "more to disk than 10MB"),
    "a function that no interrupt stops": (
        1,
        "select levenshtein(repeat('a', 200000), repeat('b', 200000)) as a",
        "may run 1 seconds",
    ),
}


@pytest.mark.parametrize("attack", [*STOPPED, *(pytest.param(each, marks=pytest.mark.long) for each in STOPPED_TOO)])
def test_a_model_that_takes_too_much_is_stopped(attack: str, tmp_path: Path) -> None:
    seconds, sql, said = (STOPPED | STOPPED_TOO)[attack]
    with pytest.raises(BuildError, match=said) as raised:
        run({FACT: sql}, tmp_path, model_timeout=seconds, query_memory="100MB", query_spill="10MB")
    assert raised.value.what.startswith(f"{FACT}:1: fct_acme__x was stopped")
    assert (tmp_path / "stars.duckdb").stat().st_size < 50_000_000
    assert list((tmp_path / "home/tmp").iterdir()) == []


def test_what_gets_past_the_check_finds_no_file_and_no_other_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second wall: the process of the models opens the star alone, whatever the text says."""
    (tmp_path / "x.csv").write_text("a\n1\n")
    duckdb.connect(str(tmp_path / "hub.duckdb")).close()
    monkeypatch.setattr("warehouse.own_models.own_models.check_sql", lambda *_: None)
    for sql in (
        f"select * from '{tmp_path}/x.csv'",
        "select 1 as a; create table b as select 1",
        f"select 1 as a; attach '{tmp_path}/hub.duckdb'",
    ):
        with pytest.raises(BuildError, match=r"fct_acme__x failed"):
            run({FACT: sql}, tmp_path)
        (tmp_path / "stars.duckdb").unlink()
    _, file = run({FACT: "select count(*) as n from duckdb_databases() where not internal"}, tmp_path)
    assert rows(file, "from fct_acme__x") == [(1,)]


def test_every_allowed_function_is_one_of_duckdb_and_none_reads_a_clock() -> None:
    with duckdb.connect() as database:
        listed = database.execute("select lower(function_name) from duckdb_functions()").fetchall()
    of_the_grammar = {"coalesce", "if", "ifnull"}
    assert sorted(FUNCTIONS - {name for (name,) in listed} - of_the_grammar) == []
    assert FUNCTIONS.isdisjoint(CHANGING)
    words = ("read_", "write", "file", "secret", "setting", "getenv", "pragma", "duckdb", "query", "sleep", "nextval")
    assert [name for name in FUNCTIONS if any(word in name for word in words)] == []


def test_the_names_refused_as_columns_are_those_that_duckdb_calls_without_parentheses() -> None:
    with duckdb.connect() as database:
        listed = database.execute("select lower(function_name) from duckdb_functions()").fetchall()
        listed += database.execute("select keyword_name from duckdb_keywords()").fetchall()
        names = {name for (name,) in listed} | CHANGING | WITHOUT_PARENTHESES
        called = {name for name in names if _is_called(name, database)}
    assert called == WITHOUT_PARENTHESES


def _is_called(name: str, database: duckdb.DuckDBPyConnection) -> bool:
    try:
        database.execute(f"select typeof({quote(name)})")
    except duckdb.BinderException:
        return False
    return True


ENTRY = """\
tenants:
  - {{slug: acme, business_name: Acme, status: pending, models: {models}}}
  - {{slug: globex, business_name: Globex, status: pending}}
"""


def _outside(folder: Path) -> None:
    (folder.parent / "secret.sql").write_text("select 1 as a")


def _fifo(folder: Path) -> None:
    os.mkfifo(folder / "m/fct_acme__x.sql")


FILES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a way out": ("[../secret.sql]", _outside, "leads out of the folder of tenants.yaml"),
    "a way out in the middle": ("[m/../../secret.sql]", _outside, "leads out of the folder"),
    "an absolute path": ("[/etc/x.sql]", _outside, "leads out of the folder"),
    "a link that leads out": (
        "[m/*.sql]",
        lambda folder: [_outside(folder), (folder / "m/a.sql").symlink_to("../../secret.sql")],
        "a link that leads out of its folder",
    ),
    "a folder that leads out": (
        "['n/*.sql']",
        lambda folder: [_outside(folder), (folder / "n").symlink_to("..")],
        "a link that leads out of its folder",
    ),
    "a device": ("[m/x.sql]", lambda folder: (folder / "m/x.sql").symlink_to("/dev/zero"), "a link that leads out"),
    "a FIFO": ("[m/*.sql]", _fifo, "it is no regular file but a FIFO"),
    "a folder": ("[m/*.sql]", lambda folder: (folder / "m/x.sql").mkdir(), "it is no regular file but a folder"),
    "a giant file": ("[m/*.sql]", lambda folder: (folder / "m/x.sql").write_bytes(b" " * 70_000), "larger than 64,000"),
    "bytes": ("[m/*.sql]", lambda folder: (folder / "m/x.sql").write_bytes(b"\xff\xfe"), "is not UTF-8: byte 0"),
    "a NUL": ("[m/*.sql]", lambda folder: (folder / "m/x.sql").write_bytes(b"select\x00 1"), "a control character"),
    "a name of bytes": (
        "[m/*.sql]",
        lambda folder: (folder / os.fsdecode(b"m/f\xfc.sql")).write_text("x"),
        "a name that is no UTF-8",
    ),
    "too many files": (
        "['m/*.sql']",
        lambda folder: [(folder / f"m/{number}.sql").touch() for number in range(201)],
        "more than 200 files",
    ),
    "Python": ("[m/x.py]", lambda _: None, "Python models are not run"),
    "anything": ("['m/*']", lambda _: None, "only files of SQL and YAML are models"),
    "a missing file": ("[m/fct_acme__x.sql]", lambda _: None, "models names no file"),
    "a missing folder": ("['modles/*.sql']", lambda _: None, "models names no file"),
    "Jinja in a path": ("['{{ x }}/*.sql']", lambda _: None, "which dbt takes for a template"),
}


def _load(folder: Path, models: str) -> TenantsFile:
    path = folder / "tenants.yaml"
    path.write_text(ENTRY.format(models=models), encoding="utf-8")
    return load_tenants(path, load_catalog(Path("no such file")))


@pytest.mark.parametrize("attack", FILES)
def test_a_file_that_is_no_model_refuses_its_tenant_alone(attack: str, tmp_path: Path) -> None:
    models, spoil, said = FILES[attack]
    folder = tmp_path / "config"
    (folder / "m").mkdir(parents=True)
    spoil(folder)
    manifest = _load(folder, models)
    assert [tenant.slug for tenant in manifest.tenants] == ["globex"]
    (refused,) = manifest.refused
    assert refused.slug == "acme"
    assert said in refused.error.what
    assert refused.error.what.startswith(f"{folder}/tenants.yaml:2: ")


def test_a_pattern_may_match_nothing_in_a_folder_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    assert _load(tmp_path, "['m/*.sql', 'm/**/*.yml']").get("acme").models == ()


def test_a_changed_model_changes_the_inputs_of_its_tenant_alone(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/fct_acme__x.sql").write_text("select 1 as a")
    before = _load(tmp_path, "['m/*.sql']")
    (tmp_path / "m/fct_acme__x.sql").write_text("select 2 as a")
    after = _load(tmp_path, "['m/*.sql']")
    changed = [
        slug for slug in ("acme", "globex") if before.get(slug).star_fingerprint != after.get(slug).star_fingerprint
    ]
    assert changed == ["acme"]
