"""Published runs as readers see them: followed, kept while read, closed afterwards, sandboxed, one tenant each."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import AccessError, PublishError, UnknownName
from pipeline.publish.run_store import move_pointer_back
from pipeline.settings import Settings
from semantic.planning.query import Query
from server.serving import tools
from server.serving.runs.open_run import OpenRun
from server.serving.runs.published_runs import PublishedRuns
from server.serving.tools import ValuesAsked
from tests.server.published_fixture import DAYS, PublishedHome


@pytest.fixture
def settings(fresh_home: PublishedHome) -> Settings:
    return fresh_home.settings


@pytest.fixture
def runs(settings: Settings) -> Iterator[PublishedRuns]:
    with closing(PublishedRuns(settings)) as runs:
        yield runs


@pytest.fixture
def kept(home: PublishedHome) -> Iterator[PublishedRuns]:
    """Runs that nobody changes."""
    with closing(PublishedRuns(home.settings)) as kept:
        yield kept


def spend(run: OpenRun, settings: Settings) -> Decimal:
    with run.cursor() as cursor:
        (row,) = tools.query(run, Query(metrics=("spend",)), cursor, settings).rows
    return Decimal(row[0])


def expected(a_day: int) -> Decimal:
    return 3 * a_day * DAYS + 2 * DAYS * Decimal("0.000001")


def test_the_newest_run_answers(kept: PublishedRuns, home: PublishedHome) -> None:
    with kept.run("alpha") as run:
        assert spend(run, home.settings) == expected(10)


def test_a_new_run_is_seen_by_the_next_call_without_a_restart(
    fresh_home: PublishedHome, runs: PublishedRuns, settings: Settings
) -> None:
    with runs.run("alpha") as run:
        first = run.run_id
    published = fresh_home.publish("alpha", spend=20)
    with runs.run("alpha") as run:
        assert run.run_id == published != first
        assert spend(run, settings) == expected(20)


def test_a_call_under_way_keeps_the_run_it_began_with(
    fresh_home: PublishedHome, runs: PublishedRuns, settings: Settings
) -> None:
    with runs.run("alpha") as old:
        fresh_home.publish("alpha", spend=20)
        with runs.run("alpha") as new:
            assert spend(new, settings) == expected(20)
            assert spend(old, settings) == expected(10)
        assert spend(old, settings) == expected(10)
    with pytest.raises(duckdb.Error):
        old.connection.execute("select 1")  # closed by its last reader


def test_a_rollback_is_followed_like_a_publish(
    fresh_home: PublishedHome, runs: PublishedRuns, settings: Settings
) -> None:
    fresh_home.publish("alpha", spend=20)
    with runs.run("alpha") as run:
        assert spend(run, settings) == expected(20)
    back = move_pointer_back(settings.published("alpha"), None, now=datetime.now(UTC))
    with runs.run("alpha") as run:
        assert run.run_id == back
        assert spend(run, settings) == expected(10)


def test_no_query_fails_or_mixes_runs_while_runs_are_published(
    fresh_home: PublishedHome, runs: PublishedRuns, settings: Settings
) -> None:
    wrong: list[object] = []
    stop = threading.Event()
    answered = threading.Semaphore(0)

    def ask() -> None:
        while not stop.is_set():
            try:
                with runs.run("alpha") as run:
                    if spend(run, settings) not in {expected(n) for n in (10, 20, 30)}:
                        wrong.append(run.run_id)
            except Exception as error:  # noqa: BLE001  # whatever it is, the test must see it
                wrong.append(error)
            answered.release()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for n in (20, 30):
        fresh_home.publish("alpha", spend=n)
        for _ in range(8):
            assert answered.acquire(timeout=120)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    with runs.run("alpha") as run:
        assert spend(run, settings) == expected(30)


def test_a_tenant_without_a_run_is_told_how_to_get_one(kept: PublishedRuns) -> None:
    with (
        pytest.raises(AccessError, match=r"gamma is not built yet\. Run `gata build --tenant gamma`"),
        kept.run("gamma"),
    ):
        pass


def test_a_first_run_is_found_by_a_server_that_was_there_before_it(
    fresh_home: PublishedHome, runs: PublishedRuns, settings: Settings
) -> None:
    assert runs.slugs() == ("alpha",)
    fresh_home.publish("beta")
    with runs.run("beta") as run:
        assert spend(run, settings) == expected(10)
    assert runs.slugs() == ("alpha", "beta")


@pytest.mark.parametrize("slug", ["../alpha", "alpha/../beta", "", "ALPHA", "alpha\x00"])
def test_a_name_that_is_no_slug_reaches_no_path(kept: PublishedRuns, slug: str) -> None:
    with pytest.raises(AccessError, match="no such tenant"), kept.run(slug):
        pass


def test_a_run_of_another_tenant_under_this_name_is_refused(settings: Settings, runs: PublishedRuns) -> None:
    shutil.copytree(settings.published("alpha"), settings.published("beta"))
    with pytest.raises(PublishError, match="of alpha"), runs.run("beta"):
        pass


def test_a_damaged_new_run_leaves_the_one_before_it_answering_and_says_so(
    fresh_home: PublishedHome, runs: PublishedRuns, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with runs.run("alpha") as run:
        good = run.run_id
    bad = settings.published("alpha") / fresh_home.publish("alpha", spend=20)
    bad.chmod(0o755)
    (bad / "semantic.yml").unlink()
    for _ in range(2):
        with runs.run("alpha") as run:
            assert run.run_id == good
            assert spend(run, settings) == expected(10)
            assert "is damaged: semantic.yml cannot be read" in tools.get_status(run)["notes"][0]
    assert capsys.readouterr().err.count("damaged_run") == 1


def test_a_withdrawn_personal_column_is_not_shown_even_when_nothing_else_can_be(
    fresh_home: PublishedHome, runs: PublishedRuns, settings: Settings
) -> None:
    with runs.run("alpha") as run:
        assert "customer_email" in run.model.catalog.dimensions
    bad = settings.published("alpha") / fresh_home.publish("alpha")
    bad.chmod(0o755)
    (bad / "semantic.yml").unlink()
    with runs.run("alpha") as run:
        assert "customer_email" in run.model.catalog.dimensions
    settings.tenants.write_text(settings.tenants.read_text(encoding="utf-8").replace("[customer_email]", "[]"))
    with runs.run("alpha") as run:
        assert "customer_email" not in run.model.catalog.dimensions


@pytest.mark.parametrize(
    "statement",
    [
        "create table t (a int)",
        "drop table fct_alpha__orders",
        "delete from fct_alpha__orders",
        "copy fct_alpha__orders to '/tmp/stolen.csv'",
        "select * from read_text('/etc/passwd')",
        "select * from read_csv('{other}')",
        "select * from '{other}'",
        "attach '{other}' as other",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set memory_limit = '100GB'",
        "set temp_directory = '/tmp'",
    ],
)
def test_no_statement_leaves_the_file(kept: PublishedRuns, tmp_path: Path, statement: str) -> None:
    other = tmp_path / "other.duckdb"
    duckdb.connect(str(other)).close()
    with kept.run("alpha") as run, run.cursor() as cursor, pytest.raises(duckdb.Error):
        cursor.execute(statement.replace("{other}", str(other)))


def test_a_query_that_spills_writes_under_the_state_folder_and_leaves_nothing(settings: Settings) -> None:
    tight = settings.model_copy(update={"query_memory": "64MB"})
    with closing(PublishedRuns(tight)) as runs, runs.run("alpha") as run, run.cursor() as cursor:
        cursor.execute("create temp table big as select repeat('x', 200) || range as s from range(1000000)")
        assert list((settings.home / "tmp").rglob("*.tmp"))
    assert list((settings.home / "tmp").iterdir()) == []


def test_personal_columns_follow_tenants_yaml_as_it_is_now(
    fresh_home: PublishedHome, runs: PublishedRuns, settings: Settings
) -> None:
    asked = ValuesAsked(dimension_name="customer_email")

    def emails() -> int:
        with runs.run("alpha") as run, run.cursor() as cursor:
            return len(tools.get_dimension_values(run, asked, cursor)["values"])

    assert emails() > 0
    text = settings.tenants.read_text(encoding="utf-8")
    settings.tenants.write_text(text.replace("[customer_email]", "[]"), encoding="utf-8")
    with pytest.raises(UnknownName):
        emails()
    move_pointer_back(settings.published("alpha"), fresh_home.publish("alpha"), now=datetime.now(UTC))
    with pytest.raises(UnknownName):
        emails()


def test_personal_columns_are_withheld_while_tenants_yaml_cannot_be_read(
    runs: PublishedRuns, settings: Settings
) -> None:
    asked = ValuesAsked(dimension_name="customer_email")
    good = settings.tenants.read_bytes()
    settings.tenants.write_text("tenants: [", encoding="utf-8")
    with runs.run("alpha") as run, run.cursor() as cursor, pytest.raises(UnknownName):
        tools.get_dimension_values(run, asked, cursor)
    settings.tenants.write_bytes(good)
    with runs.run("alpha") as run, run.cursor() as cursor:
        assert tools.get_dimension_values(run, asked, cursor)["values"]


def test_a_change_in_an_included_file_counts_too(runs: PublishedRuns, settings: Settings) -> None:
    included = settings.tenants.with_name("alpha.yaml")
    included.write_text(settings.tenants.read_text(encoding="utf-8"), encoding="utf-8")
    settings.tenants.write_text("include: alpha.yaml\n", encoding="utf-8")
    with runs.run("alpha") as run:
        assert "customer_email" in run.model.catalog.dimensions
    included.write_text(included.read_text(encoding="utf-8").replace("[customer_email]", "[]"), encoding="utf-8")
    with runs.run("alpha") as run:
        assert "customer_email" not in run.model.catalog.dimensions


def test_status_says_how_far_each_fact_goes(kept: PublishedRuns, home: PublishedHome) -> None:
    with kept.run("alpha") as run:
        status = tools.get_status(run)
    assert (status["tenant"], status["run_id"], status["time_zone"]) == ("alpha", run.run_id, "Europe/Berlin")
    assert {fact["fact"]: (fact["rows"], fact["as_of"]) for fact in status["facts"]} == {
        "ad_performance": (2 * DAYS, "2026-02-28"),
        "orders": (DAYS, "2026-02-28"),
        "order_items": (DAYS, "2026-02-28"),
        "refunds": (1, "2026-02-28"),
        "sessions": (2 * DAYS, "2026-02-28"),
        "events": (DAYS, "2026-02-28"),
    }
    manifest = json.loads(
        (home.settings.published("alpha") / run.run_id / "_MANIFEST.json").read_text(encoding="utf-8")
    )
    assert status["tables"] == {table["name"]: table["rows"] for table in manifest["tables"]}
    published_at = datetime.fromisoformat(status["published_at"])
    assert timedelta(0) <= datetime.now(UTC) - published_at < timedelta(minutes=10)


def test_every_read_gives_the_file_back(fresh_home: PublishedHome, runs: PublishedRuns, settings: Settings) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    for n in range(3):
        fresh_home.publish("alpha", spend=n + 1)
        with runs.run("alpha") as run:
            spend(run, settings)
    runs.close()
    assert len(list(Path("/proc/self/fd").iterdir())) <= before
