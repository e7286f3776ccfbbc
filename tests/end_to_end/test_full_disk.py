"""A real disk that fills up under a build: the failure names it, nothing half-written stays, readers read on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.slug import slug_of
from pipeline.errors import GataError, NoRoom, Unforeseen
from pipeline.privacy.holdings import held_files
from pipeline.publish.pointer import run_ids
from pipeline.publish.run_store import verify
from server.orchestration.verbs import build
from tests.end_to_end.hostile_tenants import ENTRY
from tests.end_to_end.project_fixture import Project, open_project
from tests.end_to_end.small_shop import ORDERS, bring_order, revenue, write_jsonl
from tests.end_to_end.whole_homes import sums

pytestmark = pytest.mark.needs_tmpfs

SHOP = "shop"
FILLER = "filler"
SIZE = "1g"
BLOCK = 4096
HALF_WRITTEN = ("staged runs", "bronze drafts", "work")
"""Places of what a killed process leaves; one that fails removes it."""
FILLED: tuple[tuple[str, int], ...] = (
    ("library", 0),
    ("land", 256 << 10),
    ("push", 1 << 20),
    ("stars", 0),
    ("publish", 0),
)
"""Steps that begin on a full disk, and the bytes that are left: where little is, ops.sqlite is refused first."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, left: int) -> None:
    """Write a file until so many bytes are free."""
    with (disk / FILLER).open("ab") as file:
        while (free := shutil.disk_usage(disk).free - left) >= BLOCK:
            file.write(bytes(min(free, 1 << 24)))
            file.flush()


@contextmanager
def filled_at(disk: Path, step: str, left: int) -> Iterator[Callable[[str, str], None]]:
    """An observer of a build that fills the disk when a step begins; the room comes back with the block's end."""
    seen: list[str] = []

    def watch(_: str, begun: str) -> None:
        if begun == step and step not in seen:
            fill(disk, left)
        seen.append(begun)

    try:
        yield watch
    finally:
        (disk / FILLER).unlink(missing_ok=True)
    assert step in seen, f"{step} never began: {seen}"


class Shop:
    """A shop whose state folder is on a disk of its own, and whose exports are not."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder, self.orders = folder, len(ORDERS)
        write_jsonl(folder / SHOP / "orders.jsonl", ORDERS)
        project = open_project(folder, "tenants:\n" + ENTRY.format(slug=SHOP), bare=True, retries=0)
        self.project = Project(project.settings.model_copy(update={"home": home}))
        self.project.build()

    def bring_order(self) -> None:
        self.orders += 1
        bring_order(self.folder / SHOP, self.orders)

    def served(self) -> tuple[int, Decimal]:
        return int(self.project.number(SHOP, "valid_orders")), Decimal(self.project.number(SHOP, "order_revenue"))

    def expected(self, orders: int) -> tuple[int, Decimal]:
        return orders, revenue(orders)

    def failure(self, watch: Callable[[str, str], None]) -> GataError:
        """The failure of a build that believes in endless room, as the command or the tenant says it."""
        context = replace(self.project.context, free_bytes=lambda _: 1 << 50)
        try:
            report = build(context, watch=watch)
        except GataError as error:  # ops.sqlite, which concerns everybody
            return error
        (tenant,) = report.tenants
        assert tenant.error is not None, report.to_dict()
        return tenant.error

    def half_written(self) -> list[str]:
        home = self.project.settings.home
        places = ((file.relative, file.place) for file in held_files(home) if file.relative != FILLER)
        return [name for name, place in places if place is None or place.name in HALF_WRITTEN]

    def check_runs(self) -> None:
        published = self.project.settings.published(slug_of(SHOP))
        for run_id in run_ids(published):
            verify(published / run_id)


def names_of(home: Path) -> dict[str, Any]:
    """Every file of a home with its size; but for the records of what was done."""
    records = ("operations", "locks", "log files", "records of runs")
    return {
        file.relative: file.status.st_size
        for file in held_files(home)
        if file.place is None or file.place.name not in records
    }


def test_a_disk_that_fills_up_at_any_step_is_named_and_leaves_nothing_half_written(tmp_path: Path, disk: Path) -> None:
    shop = Shop(tmp_path / "project", disk)
    for step, left in FILLED:
        before = shop.served()
        assert before == shop.expected(shop.orders)
        shop.bring_order()
        with filled_at(disk, step, left) as watch:
            failure = shop.failure(watch)
            assert not isinstance(failure, Unforeseen), (step, str(failure))
            assert "room" in str(failure), (step, str(failure))
            assert str(disk) in str(failure), (step, str(failure))
            assert shop.served() == before, step  # while the disk is full
        assert shop.half_written() == [], step
        shop.check_runs()
        shop.project.build()
        assert shop.served() == shop.expected(shop.orders), step
    clean = Shop(tmp_path / "clean", tmp_path / "clean_home")
    while clean.orders < shop.orders:
        clean.bring_order()
    clean.project.build()
    assert sums(shop.project, SHOP) == sums(clean.project, SHOP)


def test_a_disk_without_room_for_a_build_is_not_written_at_all(tmp_path: Path, disk: Path) -> None:
    shop = Shop(tmp_path / "project", disk)
    before = names_of(disk)
    shop.bring_order()
    fill(disk, 2 << 20)
    with pytest.raises(NoRoom, match=f"on the disk of {disk}, and 2 MB are free: nothing was begun"):
        build(shop.project.context)
    assert shop.served() == shop.expected(len(ORDERS))
    (disk / FILLER).unlink()
    assert names_of(disk) == before
    shop.project.build()
    assert shop.served() == shop.expected(shop.orders)
