"""A damaged run is named, an earlier one answers and says so, and nobody sees a traceback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.errors import DamagedRun, PublishError
from pipeline.publish.pointer import latest_run_id
from pipeline.publish.run_files import CATALOG_JSON, ROLLUPS
from pipeline.publish.run_store import verify
from semantic.planning.query import read_query
from server.serving import tools
from server.serving.runs import published_runs
from server.serving.runs.published_models import published_models
from server.serving.runs.published_runs import PublishedRuns
from server.serving.runs.readiness import readiness
from tests.pipeline.test_run_files import DAMAGES, rewrite
from tests.server import test_published_rollups as rollups
from tests.server.cli_run import Terminal
from tests.server.published_fixture import DAYS, PublishedHome, new_published_home

SPEND = {"metrics": ["spend"]}
POINTERS: dict[str, Callable[[Path], object]] = {
    "pointer empty": lambda run: rewrite(run.parent / "_latest.json", b""),
    "pointer of garbage": lambda run: rewrite(run.parent / "_latest.json", b"\xff{"),
}


@pytest.fixture
def terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fresh_home: PublishedHome
) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal.use(fresh_home.settings)


def ask(home: PublishedHome, runs: PublishedRuns | None = None, **query: Any) -> dict[str, Any]:
    """An answer by the functions behind every interface; with runs of its own, as a new process has."""
    if runs is None:
        with closing(PublishedRuns(home.settings)) as runs:
            return ask(home, runs, **query)
    with runs.run("alpha") as run, run.cursor() as cursor:
        return tools.query(run, read_query(query or SPEND), cursor, home.settings).to_dict()


def spent(a_day: int) -> Decimal:
    return 3 * a_day * DAYS + 2 * DAYS * Decimal("0.000001")


def run_of(home: PublishedHome, run_id: str) -> Path:
    return home.settings.published("alpha") / run_id


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_the_run_before_a_damaged_one_answers_and_says_why(
    fresh_home: PublishedHome, damage: Callable[[Path], object]
) -> None:
    first = latest_run_id(fresh_home.settings.published("alpha"))
    second = fresh_home.publish("alpha", spend=20)
    damage(run_of(fresh_home, second))
    for _ in range(2):
        answer = ask(fresh_home)
        assert (answer["run_id"], answer["rows"]) == (first, [[spent(10)]])
        assert f"Run {second} is damaged: " in answer["notes"][0]
        assert f"An earlier run answers instead: {first}." in answer["notes"][0]
    third = fresh_home.publish("alpha", spend=30)
    answer = ask(fresh_home)
    assert (answer["run_id"], answer["rows"]) == (third, [[spent(30)]])
    assert not any("damaged" in note for note in answer["notes"])


@pytest.mark.parametrize("damage", POINTERS.values(), ids=POINTERS)
def test_with_a_damaged_pointer_the_newest_run_answers_and_says_so(
    fresh_home: PublishedHome, damage: Callable[[Path], object]
) -> None:
    second = fresh_home.publish("alpha", spend=20)
    damage(run_of(fresh_home, second))
    answer = ask(fresh_home)
    assert (answer["run_id"], answer["rows"]) == (second, [[spent(20)]])
    assert "The pointer to the newest run cannot be read." in answer["notes"][0]


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_without_another_run_the_question_ends_with_the_run_and_the_step(
    fresh_home: PublishedHome, terminal: Terminal, damage: Callable[[Path], object]
) -> None:
    run_id = str(latest_run_id(fresh_home.settings.published("alpha")))
    damage(run_of(fresh_home, run_id))
    done = terminal("ask", "--tenant", "alpha", "--metrics", "spend")
    assert (done.code, done.out) == (2, "")
    assert run_id in done.err
    assert "Run `gata build --tenant alpha`" in done.err
    assert "bug in gata" not in done.err
    assert "Traceback" not in done.err


def test_every_list_that_agents_read_says_so_too(fresh_home: PublishedHome) -> None:
    second = fresh_home.publish("alpha", spend=20)
    (run_of(fresh_home, second) / "stars.duckdb").unlink()
    with closing(PublishedRuns(fresh_home.settings)) as runs, runs.run("alpha") as run, run.cursor() as cursor:
        asked = tools.ValuesAsked(dimension_name="campaign_name")
        found = (
            tools.list_briefly(run, tools.MetricsAsked()),
            tools.get_dimension_values(run, asked, cursor),
            tools.get_status(run),
        )
    assert all(f"Run {second} is damaged" in each["notes"][0] for each in found)


def test_what_is_said_about_a_tenant_is_of_the_run_that_answers(fresh_home: PublishedHome) -> None:
    settings = fresh_home.settings
    first = latest_run_id(settings.published("alpha"))
    shutil.rmtree(run_of(fresh_home, fresh_home.publish("alpha")))
    assert {model["run_id"] for model in published_models(settings, "alpha")} == {first}
    from pipeline.storage.ops import Ops

    with Ops(settings.ops) as ops, closing(PublishedRuns(settings)) as runs:
        assert readiness(runs, ops, "alpha")["run_id"] == first


def test_a_restored_run_answers_again_without_a_restart(
    fresh_home: PublishedHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_runs, "LOOK_AGAIN_SECONDS", 0.0)
    second = fresh_home.publish("alpha", spend=20)
    star = run_of(fresh_home, second) / "stars.duckdb"
    star.rename(star.with_name("away"))
    with closing(PublishedRuns(fresh_home.settings)) as runs:
        assert ask(fresh_home, runs)["rows"] == [[spent(10)]]
        star.with_name("away").rename(star)
        assert ask(fresh_home, runs)["rows"] == [[spent(20)]]


def test_damage_that_only_a_query_meets_ends_it_and_the_next_one_has_the_run_before(fresh_home: PublishedHome) -> None:
    second = fresh_home.publish("alpha", spend=20)
    star = run_of(fresh_home, second) / "stars.duckdb"
    content = bytearray(star.read_bytes())
    headers = 3 * 4096
    content[headers:] = bytes(byte ^ 255 for byte in content[headers:])
    rewrite(star, bytes(content))
    with closing(PublishedRuns(fresh_home.settings)) as runs:
        try:
            ask(fresh_home, runs)
        except PublishError as error:
            assert second in error.what  # noqa: PT017  # DuckDB may read the damaged block when it opens the file
        assert ask(fresh_home, runs)["rows"] == [[spent(10)]]
        assert any(f"Run {second} is damaged" in note for note in ask(fresh_home, runs)["notes"])


def meet_a_damaged_block(star: Path) -> None:
    rewrite(star, star.read_bytes()[:-1] + b"\x01")
    raise duckdb.IOException("Corrupt database file: computed checksum 1 does not match stored checksum 2")


def test_a_query_that_fails_on_a_damaged_block_names_the_run(fresh_home: PublishedHome) -> None:
    second = fresh_home.publish("alpha", spend=20)
    with closing(PublishedRuns(fresh_home.settings)) as runs:
        with pytest.raises(DamagedRun, match=second), runs.run("alpha"):
            meet_a_damaged_block(run_of(fresh_home, second) / "stars.duckdb")
        with runs.run("alpha") as run:
            assert run.run_id != second
        with pytest.raises(duckdb.IOException), runs.run("alpha"):
            raise duckdb.IOException("No space left on device")  # the run is whole: this is something else
        with runs.run("alpha") as run:
            assert run.run_id != second


@pytest.mark.parametrize("name", [ROLLUPS, CATALOG_JSON])
def test_a_run_answers_without_a_file_that_readers_can_do_without(tmp_path: Path, name: str) -> None:
    home = new_published_home(tmp_path)
    run = rollups.publish(home)
    whole = ask(home, **rollups.QUESTION)
    (run.path / name).unlink()
    answer = ask(home, **rollups.QUESTION)
    assert answer["rows"] == whole["rows"]
    assert answer["run_id"] == run.run_id
    said = f"Run {run.run_id} answers without a damaged file: {name} cannot be read"
    assert answer["notes"][0].startswith(said)
    with pytest.raises(DamagedRun, match=name):
        verify(run.path)


def test_doctor_names_damaged_runs_that_no_reader_sees(fresh_home: PublishedHome, terminal: Terminal) -> None:
    old = str(latest_run_id(fresh_home.settings.published("alpha")))
    fresh_home.publish("alpha", spend=20)
    (run_of(fresh_home, old) / "stars.duckdb").unlink()
    checks = {line["check"]: line for line in json.loads(terminal("doctor", "--json").out)["checks"]}
    assert checks["run of alpha"]["state"] == "ok"
    assert f"Damaged, and seen by no reader: {old}." in checks["run of alpha"]["what"]


def test_a_rollback_without_a_name_goes_to_the_last_run_that_is_whole(
    fresh_home: PublishedHome, terminal: Terminal
) -> None:
    first = str(latest_run_id(fresh_home.settings.published("alpha")))
    second, third = fresh_home.publish("alpha", spend=20), fresh_home.publish("alpha", spend=30)
    (run_of(fresh_home, second) / "semantic.yml").unlink()
    done = terminal("rollback", "--tenant", "alpha")
    assert (done.code, done.out.strip()) == (0, first)
    assert third != first
