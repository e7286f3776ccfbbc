"""A build that is stopped at any step: readers keep the last run, and the next build is right."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import Busy, ConfigError, HubInUse
from pipeline.storage.build_lock import build_lock
from server.orchestration.verbs import build
from tests.end_to_end.project_fixture import Project, copy_project, open_project
from tests.end_to_end.small_shop import SMALL_TENANT, bring_order, write_shop
from tests.pipeline.fake_clock import FakeClock
from tests.server.cli_run import ROOT, environment

pytestmark = pytest.mark.long  # kills builds

SHOP = "small_shop"
BUILD = """
from pipeline.config.layers.configuration import read_settings
from server.orchestration.verbs import build
from server.orchestration.build_context import open_build_context
build(open_build_context(read_settings()), watch=lambda tenant, step: print(step, flush=True))
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, small: Project) -> Project:
    return copy_project(small, tmp_path_factory.mktemp("interrupted"))


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT], ids=["SIGKILL", "SIGINT"])
def test_stopping_a_build_at_any_step_leaves_the_last_run_served_and_the_next_build_right(
    shop: Project, sent: signal.Signals
) -> None:
    number = int(shop.number(SHOP, "orders")) + 1
    revenue = Decimal(shop.number(SHOP, "order_revenue"))
    bring_order(shop.settings.tenants.parent / "shop", number)
    for step in ("library", "land", "push", "stars", "publish"):
        process = subprocess.Popen(
            [sys.executable, "-c", BUILD],
            env=environment(shop.settings),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        with process.stdout as steps:
            for line in steps:
                if line.strip() == step:
                    break
            os.killpg(process.pid, sent)
        process.wait()
        if process.returncode != 0:  # it may just have been done
            assert shop.number(SHOP, "order_revenue") in (revenue, revenue + 10)
    shop.build()
    assert shop.number(SHOP, "orders") == number
    assert shop.number(SHOP, "order_revenue") == revenue + 10


def test_a_second_build_is_told_who_holds_the_lock(shop: Project) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", f"{HOLD}"], env=environment(shop.settings), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        with pytest.raises(Busy, match=f"process {holder.pid}"):
            build(shop.context)
    finally:
        holder.kill()
        holder.communicate()


HOLD = """
import time
from pipeline.storage.build_lock import build_lock
from pipeline.config.layers.configuration import read_settings
with build_lock(read_settings().home, wait_seconds=0):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_hub_that_another_process_has_open_fails_the_build_unless_it_is_free_next_time(
    shop: Project,
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", OPEN_HUB], env=environment(shop.settings), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "open"
        clock = FakeClock()
        with pytest.raises(HubInUse, match=r"hub\.duckdb is open in another process"):
            build(replace(shop.context, clock=clock))
        assert clock.slept == [60]
        assert shop.number(SHOP, "orders") >= 3
        freed = FakeClock(while_asleep=holder.kill)
        build(replace(shop.context, clock=freed))
        assert freed.slept == [60]
    finally:
        holder.kill()
        holder.communicate()


OPEN_HUB = """
import time
import duckdb
from pipeline.config.layers.configuration import read_settings
with duckdb.connect(str(read_settings().hub)):
    print("open", flush=True)
    time.sleep(60)
"""


def test_a_state_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a folder should be", encoding="utf-8")
    write_shop(tmp_path)
    with pytest.raises(ConfigError, match="GATA_HOME"):
        build(open_project(tmp_path, SMALL_TENANT, bare=True).context)


def test_the_lock_is_free_again_after_a_killed_build(shop: Project) -> None:
    with build_lock(shop.settings.home, wait_seconds=0):
        pass
    with duckdb.connect(str(shop.settings.hub), read_only=True) as hub:
        assert hub.execute("select count(*) from platform_ops__push_ledger").fetchall()[0][0] > 0
