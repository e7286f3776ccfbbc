"""GATA_BUILD_MEMORY is for all processes of a build together."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import LandError
from pipeline.settings import Settings
from pipeline.storage import build_memory
from pipeline.storage.build_memory import LEAST, OF_PROCESS, among_processes, duckdb_memory
from pipeline.storage.hub import write_hub
from warehouse.run_dbt import run_dbt, write_project

PROJECT = {
    "dbt_project.yml": "name: limits\nprofile: limits\nflags: {send_anonymous_usage_stats: false}\n",
    "profiles.yml": "limits:\n  target: sandbox\n  outputs:\n"
    "    sandbox: {type: duckdb, path: \"{{ env_var('GATA_STARS_FILE') }}\", threads: 2}\n",
    "models/limits.sql": "{{ config(materialized='table') }} select current_setting('memory_limit') as memory_limit\n",
}


def buffer(settings: Settings) -> int:
    return int(duckdb_memory(settings)["memory_limit"].removesuffix("B"))


@given(st.integers(1_500, 64_000), st.integers(1, 8))
def test_what_processes_hold_at_once_is_not_more_than_the_setting(total: int, processes: int) -> None:
    own, worker = among_processes(Settings(build_memory=f"{total}MB"), processes)
    least = LEAST * processes + OF_PROCESS * (processes + 1)
    for at_work in (buffer(own), processes * buffer(worker)):
        assert at_work + OF_PROCESS * (processes + 1) <= max(total * 1_000_000, least)


def test_without_a_setting_a_build_may_hold_three_quarters_of_its_control_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = tmp_path / "memory.max"
    monkeypatch.setattr(build_memory, "_CGROUP", group)
    of_machine = build_memory.build_memory(Settings())
    group.write_text("800000000\n")
    assert build_memory.build_memory(Settings()) == 600_000_000
    group.write_text("max\n")
    assert build_memory.build_memory(Settings()) == of_machine > 600_000_000


def test_the_hub_is_written_within_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", build_memory="428MB")
    with write_hub(settings) as hub:
        assert hub.execute("select current_setting('memory_limit')").fetchone() == ("122.0 MiB",)


def test_more_than_fits_says_which_step_works(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", build_memory="100MB")
    with pytest.raises(LandError, match="Run it again with more memory"), write_hub(settings) as hub:
        hub.execute("select list(range) from range(100_000_000)").fetchall()


@pytest.mark.long
def test_the_databases_of_dbt_keep_to_it_and_the_next_ones_have_their_own(tmp_path: Path) -> None:
    write_project(tmp_path / "project", PROJECT)
    for memory, limit in (({"memory_limit": "200000000B"}, "190.7 MiB"), ({"memory_limit": "300000000B"}, "286.1 MiB")):
        files = {"GATA_STARS_FILE": tmp_path / "stars.duckdb"}
        (model,) = run_dbt(tmp_path / "project", ("run",), files=files, memory=memory)
        assert model.status == "success"
        with duckdb.connect(str(tmp_path / "stars.duckdb"), read_only=True) as star:
            assert star.execute("from limits").fetchall() == [(limit,)]
