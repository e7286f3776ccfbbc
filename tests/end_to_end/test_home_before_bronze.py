"""A home of a release before bronze, with keys of another form, gives the numbers of a clean build after an upgrade."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from pipeline.publish.pointer import latest_run_id
from pipeline.settings import Settings
from server.orchestration.verbs import build
from tests.end_to_end.old_homes import SHOP, served_numbers, unpack_home
from tests.end_to_end.project_fixture import Project
from tests.end_to_end.small_shop import order, write_jsonl
from tests.end_to_end.whole_homes import sums
from tests.server.cli_run import environment, start

TOKEN = "gata_d710c27ac597_k5fSy6aYjkzKJVdrs5ml3QHNsXXoMv8q1C30XC9PNW8"
RUN = "20261121T140615520490Z_f46a5f"
BEFORE = [[3, 62.75, 18.25]]
AFTER = [[4, 92.75, 18.25]]


@pytest.fixture
def old(tmp_path: Path) -> Project:
    """A copy of the home, that no code of today has opened yet."""
    unpack_home("home_before_bronze", tmp_path / "old")
    return Project(of_folder(tmp_path / "old"))


def of_folder(folder: Path) -> Settings:
    return Settings(home=folder / "state", tenants=folder / "tenants.yaml", today=date(2026, 11, 21), threads=1)


def restate(project: Project) -> None:
    """Bring an export after the upgrade: order 2 comes to 45.00 now, and order 4 is new."""
    later = [order(2, "45.00", updated="2026-03-05T10:00:00+01:00"), order(4, "5.00")]
    write_jsonl(project.settings.tenants.parent / "shop/orders_today.jsonl", later)


def clean_sums(project: Project, folder: Path) -> dict[str, object]:
    """The numbers of a first build from the same exports."""
    kept_out = shutil.ignore_patterns("state")
    shutil.copytree(project.settings.tenants.parent, folder, ignore=kept_out)
    clean = Project(of_folder(folder))
    clean.build()
    return sums(clean, SHOP)


@pytest.mark.long
def test_upgraded_under_a_running_server_it_has_the_numbers_of_a_clean_build_and_can_go_back(
    old: Project, tmp_path: Path
) -> None:
    settings, seen = old.settings, {RUN: BEFORE}
    with served_numbers(settings, TOKEN) as numbers:

        def ask() -> str:
            run_id, rows = numbers()
            assert rows == seen.setdefault(run_id, AFTER)
            return run_id

        assert ask() == RUN
        restate(old)
        with start("build", "--tenant", SHOP, env=environment(settings)) as process:
            while process.poll() is None:
                ask()
            out, err = process.communicate()
        assert process.returncode == 0, out + err
        built = str(latest_run_id(settings.published(SHOP)))
        assert (ask(), set(seen)) == (built, {RUN, built})
        for target in (RUN, built):
            back = start("rollback", "--tenant", SHOP, "--to", target, env=environment(settings))
            assert back.communicate()[0] == f"{target}\n"
            assert ask() == target
    before = sums(old, SHOP)
    assert (len(before) >= 30, before) == (True, clean_sums(old, tmp_path / "clean"))
    assert [tenant.status for tenant in old.build().tenants] == ["unchanged"]


@pytest.mark.long
def test_without_the_exports_that_landed_it_is_refused_and_the_command_of_the_refusal_works(
    old: Project, tmp_path: Path
) -> None:
    (old.settings.tenants.parent / "shop/orders_later.jsonl").unlink()
    restate(old)
    (refused,) = build(old.context).tenants
    assert str(refused.error) == (
        "An earlier release pushed the orders of shopify main of small_shop under other keys, and orders_later.jsonl"
        " that landed cannot be landed anew as it was; nothing was touched. Put the exports of then back, or run"
        " `gata build --from bronze`: it makes the hub anew from bronze and the exports that are there, and names the"
        " tables with fewer rows."
    )
    assert old.number(SHOP, "order_revenue") == pytest.approx(62.75)
    old.build(from_bronze=True)
    assert sums(old, SHOP) == clean_sums(old, tmp_path / "clean")
