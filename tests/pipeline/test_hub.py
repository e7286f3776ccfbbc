"""What the hub refuses is told by its cause: a full disk, another process, damage, permission."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.errors import LandError
from pipeline.settings import Settings
from pipeline.storage.hub import kept_open, let_go_of_hub, read_hub, write_hub
from tests.pipeline.storage_faults import little_room, read_only

HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A hub of a few blocks: each byte of it is behind a checksum that DuckDB compares."""
    settings = Settings(home=tmp_path / "home")
    with write_hub(settings) as hub:
        hub.execute("CREATE TABLE payloads AS SELECT range AS id, md5(range::VARCHAR) AS payload FROM range(20000)")
    return settings


def read_all(settings: Settings) -> None:
    with read_hub(settings) as hub:
        hub.execute("SELECT sum(id), max(payload) FROM payloads").fetchall()


def test_a_hub_of_flipped_bytes_is_damaged_and_never_open_in_another_process(settings: Settings) -> None:
    whole, seed, refusals = settings.hub.read_bytes(), random.Random(7), list[str]()
    for flips in (1, 200):
        for _ in range(10):
            damaged = bytearray(whole)
            for _ in range(flips):
                damaged[seed.randrange(len(damaged))] ^= 1 << seed.randrange(8)
            settings.hub.write_bytes(damaged)
            try:
                read_all(settings)
            except LandError as error:  # one byte may be in free space
                refusals.append(str(error))
    assert len(refusals) >= 10
    for refusal in refusals:
        assert re.search(r"hub\.duckdb is damaged: .*Run `gata build --from bronze`", refusal)


@pytest.mark.parametrize("left", [0, 5_000, 300_000])
def test_a_hub_that_was_cut_short_is_damaged(settings: Settings, left: int) -> None:
    with settings.hub.open("r+b") as file:
        file.truncate(left)
    with pytest.raises(LandError, match=r"hub\.duckdb is damaged: .*Run `gata build --from bronze`"):
        read_all(settings)


def test_a_hub_that_another_process_writes_is_open_there(settings: Settings) -> None:
    command = [sys.executable, "-c", HOLD, str(settings.hub)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LandError, match=r"hub\.duckdb is open in another process.*--wait SECONDS"):
            read_all(settings)
        holder.communicate()


def test_a_hub_without_room_says_so_and_keeps_what_it_holds(settings: Settings) -> None:
    more = "CREATE TABLE more AS SELECT md5(range::VARCHAR) || md5((7 * range)::VARCHAR) AS text FROM range(200000)"
    with (
        little_room(settings.hub.stat().st_size + 100_000),
        pytest.raises(LandError, match=r"There is no room left for .*hub\.duckdb: .*Free some under"),
        write_hub(settings) as hub,
    ):
        hub.execute(more)
    read_all(settings)


def test_a_hub_that_may_not_be_written_names_the_permission(settings: Settings) -> None:
    with (
        read_only(settings.home),
        pytest.raises(LandError, match=r"hub\.duckdb may not be read and written by this user: .*set GATA_HOME"),
        write_hub(settings),
    ):
        pass
    read_all(settings)


def test_a_mistake_in_our_own_sql_stays_the_error_that_it_is(settings: Settings) -> None:
    with write_hub(settings) as hub, pytest.raises(duckdb.CatalogException):
        hub.execute("SELECT * FROM nowhere")
    with pytest.raises(duckdb.CatalogException), read_hub(settings) as hub:
        hub.execute("SELECT * FROM nowhere")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modes in which DuckDB files are opened."""
    modes: list[str] = []
    connect = duckdb.connect

    def watched(*arguments: Any, **options: Any) -> duckdb.DuckDBPyConnection:  # Any: as duckdb.connect takes them
        modes.append("read" if options.get("read_only") else "write")
        return connect(*arguments, **options)

    monkeypatch.setattr(duckdb, "connect", watched)
    return modes


def test_a_phase_opens_the_hub_once(settings: Settings, opened: list[str]) -> None:
    with kept_open(settings):
        for _ in range(3):
            read_all(settings)
    assert opened == ["read"]
    read_all(settings)
    assert opened == ["read", "read"]


def test_a_phase_that_writes_opens_it_for_both(settings: Settings, opened: list[str]) -> None:
    with kept_open(settings):
        read_all(settings)
        for number in range(3):
            with write_hub(settings) as hub:
                hub.execute(f"CREATE TABLE more_{number} AS SELECT {number} AS number")
            with read_hub(settings) as hub:
                assert hub.execute(f"SELECT * FROM more_{number}").fetchall() == [(number,)]
    assert opened == ["read", "write"]


def test_a_hub_that_a_phase_lets_go_is_open_to_another_process(settings: Settings) -> None:
    command = [sys.executable, "-c", HOLD, str(settings.hub)]
    with kept_open(settings):
        with write_hub(settings) as hub:
            hub.execute("CREATE TABLE more AS SELECT 1 AS number")
        let_go_of_hub()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(LandError, match="open in another process"):
                read_all(settings)
            holder.communicate()
        read_all(settings)


def test_an_error_in_a_phase_reaches_nobody_after_it(settings: Settings) -> None:
    with kept_open(settings):
        with pytest.raises(duckdb.CatalogException), write_hub(settings) as hub:
            hub.execute("BEGIN; CREATE TABLE half AS SELECT 1 AS number; SELECT * FROM nowhere")
        with write_hub(settings) as hub:
            assert hub.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'half'").fetchall() == [(0,)]
            hub.execute("CREATE TABLE whole AS SELECT 1 AS number")
    with read_hub(settings) as hub:
        assert hub.execute("SELECT number FROM whole").fetchall() == [(1,)]


def test_a_hub_without_room_fails_who_met_it_and_no_one_after(settings: Settings) -> None:
    more = "CREATE TABLE more AS SELECT md5(range::VARCHAR) || md5((7 * range)::VARCHAR) AS text FROM range(200000)"
    with kept_open(settings):
        with (
            little_room(settings.hub.stat().st_size + 100_000),
            pytest.raises(LandError, match=r"There is no room left for .*hub\.duckdb"),
            write_hub(settings) as hub,
        ):
            hub.execute(more)
        with write_hub(settings) as hub:
            hub.execute(more)


def test_a_session_leaves_its_settings_to_nobody(settings: Settings) -> None:
    with kept_open(settings):
        with read_hub(settings) as hub:
            hub.execute("SET TimeZone = 'Asia/Tokyo'")
        with write_hub(settings) as hub:
            assert hub.execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]


def test_phases_of_other_homes_keep_their_own_hub(settings: Settings, tmp_path: Path) -> None:
    other = Settings(home=tmp_path / "other")
    with kept_open(settings), write_hub(other) as hub:
        assert hub.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]
