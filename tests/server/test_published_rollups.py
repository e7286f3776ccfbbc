"""Rollups as part of a published run: checksummed, linked, read by themselves, left out on request, behind the lock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.layers.configuration import read_settings
from pipeline.errors import PublishError
from pipeline.publish.run_manifest import read_manifest
from pipeline.publish.run_store import Published, verify
from pipeline.settings import Settings
from pipeline.storage.run_id import new_run_id
from semantic.planning.query import Answer, read_query
from server.orchestration.publishing import publish_file
from server.serving import tools
from server.serving.runs.published_runs import PublishedRuns
from tests.server.published_fixture import DAYS, PublishedHome, new_published_home, tenant, write_star

VISITS = 100  # in place of each visit: enough that sessions get rollups
QUESTION = {"metrics": ["sessions", "session_revenue"], "dimensions": ["attribution", "date"], "time_grain": "month"}


def publish(home: PublishedHome, spend: int = 10, settings: Settings | None = None) -> Published:
    """Publish a busy star of alpha through the code that builds use."""
    settings = (settings or home.settings).model_copy(update={"rollup_rows": 2 * DAYS * VISITS})
    stars = settings.stars("alpha")
    if not stars.exists():
        write_star(stars, "alpha", spend)
        with duckdb.connect(stars) as star:
            star.execute(
                "insert into fct_alpha__sessions select s.* replace (session_id || '-' || n as session_id)"
                f" from fct_alpha__sessions as s, range({VISITS - 1}) as copies(n)"
            )
    return publish_file(tenant(settings, "alpha"), settings, stars, new_run_id(settings.now())).published


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> PublishedHome:
    """A home with rollups of alpha. Read only."""
    home = new_published_home(tmp_path_factory.mktemp("busy"))
    publish(home)
    return home


@pytest.fixture
def fresh(tmp_path: Path) -> PublishedHome:
    return new_published_home(tmp_path)


@pytest.fixture
def runs(busy: PublishedHome) -> Iterator[PublishedRuns]:
    with closing(PublishedRuns(busy.settings)) as runs:
        yield runs


def ask(runs: PublishedRuns, *, use_rollups: bool = True, **query: Any) -> Answer:
    with runs.run("alpha") as run, run.cursor() as cursor:
        return tools.query(run, read_query(query), cursor, runs.settings, use_rollups=use_rollups)


def reads_rollups(runs: PublishedRuns, **how: Any) -> bool:
    return "rollups" in ask(runs, **QUESTION, include_sql=True, **how).sql[0]


def test_a_question_is_answered_from_rollups_and_the_answer_is_that_of_the_fact(
    busy: PublishedHome, runs: PublishedRuns
) -> None:
    assert reads_rollups(runs)
    assert not reads_rollups(runs, use_rollups=False)
    rolled, whole = ask(runs, **QUESTION), ask(runs, **QUESTION, use_rollups=False)
    assert rolled == whole
    assert rolled is not whole
    assert sum(row[2] for row in rolled.rows) == 2 * DAYS * VISITS


def test_the_sql_that_is_shown_gives_the_rows_where_both_files_are(busy: PublishedHome, runs: PublishedRuns) -> None:
    answer = ask(runs, **QUESTION, include_sql=True)
    (run_dir,) = busy.settings.published("alpha").glob("2*")
    with duckdb.connect() as connection:
        for name in ("stars", "rollups"):
            connection.execute(f"attach '{run_dir / name}.duckdb' as {name} (read_only)")
        connection.execute("use stars")
        rows = connection.execute(answer.sql[0]).fetchall()
    assert [[row[0], str(row[1]), *row[2:]] for row in rows] == [list(row) for row in answer.rows]


def test_a_setting_forces_the_facts_and_a_run_with_rollups_still_answers(busy: PublishedHome) -> None:
    with closing(PublishedRuns(busy.settings.model_copy(update={"rollups": False}))) as plain:
        assert not reads_rollups(plain)
        assert ask(plain, **QUESTION).row_count == 4


def test_the_environment_sets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().rollups
    monkeypatch.setenv("GATA_ROLLUPS", "0")
    assert not read_settings().rollups


def test_a_build_without_rollups_makes_none_and_its_run_answers(fresh: PublishedHome) -> None:
    plain = fresh.settings.model_copy(update={"rollups": False})
    published = publish(fresh, settings=plain)
    assert published.manifest.rollups is None
    assert not (published.path / "rollups.duckdb").exists()
    with closing(PublishedRuns(fresh.settings)) as runs:
        assert not reads_rollups(runs)
        assert ask(runs, **QUESTION).row_count == 4


def test_the_manifest_says_what_rollups_hold_and_a_changed_byte_is_found(fresh: PublishedHome) -> None:
    run_dir = publish(fresh).path
    manifest = read_manifest(run_dir)
    assert manifest.rollups is not None
    assert {rollup.fact for rollup in manifest.rollups.rollups} == {"sessions"}
    with duckdb.connect(run_dir / "rollups.duckdb", read_only=True) as connection:
        for rollup in manifest.rollups.rollups:
            rows = connection.execute(f'select count(*), sum(m_sessions) from "{rollup.table.name}"').fetchall()
            assert rows == [(rollup.table.rows, 2 * DAYS * VISITS)]
    verify(run_dir)
    content = bytearray((run_dir / "rollups.duckdb").read_bytes())
    content[len(content) // 2] ^= 1
    run_dir.chmod(0o755)
    (run_dir / "rollups.duckdb").unlink()
    (run_dir / "rollups.duckdb").write_bytes(content)
    with pytest.raises(PublishError, match=r"rollups\.duckdb has SHA-256"):
        verify(run_dir)


def test_an_unchanged_star_keeps_its_rollups_and_changed_definitions_make_new_ones(fresh: PublishedHome) -> None:
    first, again = publish(fresh), publish(fresh)
    assert again.linked
    assert again.manifest.rollups == first.manifest.rollups
    assert (again.path / "rollups.duckdb").samefile(first.path / "rollups.duckdb")
    text = fresh.settings.tenants.read_text(encoding="utf-8")
    hidden = text.replace(
        "{expose: [customer_email]}", "{expose: [customer_email], dimensions: {attribution: {hidden: true}}}"
    )
    fresh.settings.tenants.write_text(hidden, encoding="utf-8")
    third = publish(fresh)
    assert third.linked
    assert not (third.path / "rollups.duckdb").samefile(first.path / "rollups.duckdb")
    assert third.manifest.rollups is not None
    assert not any("attribution" in rollup.dimensions for rollup in third.manifest.rollups.rollups)


def test_no_rollup_holds_a_personal_column_even_when_it_is_shown(busy: PublishedHome) -> None:
    (run_dir,) = busy.settings.published("alpha").glob("2*")
    text = json.dumps(json.loads((run_dir / "_MANIFEST.json").read_text(encoding="utf-8"))["rollups"])
    assert "attribution" in text
    assert not any(name in text for name in ("customer_email", "user_pseudo_id", "customer_id"))


@pytest.mark.parametrize(
    "statement",
    [
        'drop table rollups.main."sessions_1"',
        'delete from rollups.main."sessions_1"',
        "copy (select 1) to '{rollups}'",
        "select * from read_text('{rollups}')",
        "attach '{other}' as other",
        "set enable_external_access = true",
        "set lock_configuration = false",
    ],
)
def test_no_statement_changes_rollups_or_leaves_the_two_files(
    busy: PublishedHome, runs: PublishedRuns, tmp_path: Path, statement: str
) -> None:
    (run_dir,) = busy.settings.published("alpha").glob("2*")
    other = tmp_path / "other.duckdb"
    duckdb.connect(str(other)).close()
    text = statement.replace("{other}", str(other)).replace("{rollups}", str(run_dir / "rollups.duckdb"))
    with runs.run("alpha") as run, run.cursor() as cursor:
        before = cursor.execute('select count(*) from rollups.main."sessions_1"').fetchall()
        with pytest.raises(duckdb.Error):
            cursor.execute(text)
        assert cursor.execute('select count(*) from rollups.main."sessions_1"').fetchall() == before


def test_two_readers_in_one_process_share_a_run_and_its_lock(busy: PublishedHome) -> None:
    with closing(PublishedRuns(busy.settings)) as one, closing(PublishedRuns(busy.settings)) as other:
        assert reads_rollups(one)
        assert reads_rollups(other)
        with other.run("alpha") as run, run.cursor() as cursor, pytest.raises(duckdb.Error, match="locked"):
            cursor.execute("set threads = 1")
