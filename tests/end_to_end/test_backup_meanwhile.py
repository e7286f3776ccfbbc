"""Backups while builds and a server run: each is of one moment between two builds, and answers as the home did then."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from pipeline.config.slug import slug_of
from pipeline.publish.pointer import run_ids
from pipeline.publish.run_store import verify
from pipeline.storage.bronze.batch_checks import damaged_batches
from pipeline.storage.bronze.batches import batch_folder, bronze_folder
from pipeline.storage.ops import Ops
from server.orchestration.overview import plan_builds
from server.orchestration.recovery.backup_manifest import verified, whole_backups
from server.orchestration.recovery.restore import restore
from server.serving.access import Access
from tests.end_to_end.kills import FIRST, SHOP, KilledHome
from tests.end_to_end.project_fixture import Project
from tests.end_to_end.small_shop import bring_order, revenue
from tests.end_to_end.whole_homes import sums
from tests.server.cli_run import environment, start
from tests.server.published_fixture import PublishedHome
from tests.server.test_rest_jobs import wait_for

pytestmark = pytest.mark.long  # builds and backs up in processes of their own

ROUNDS = 2
WAIT = ("--wait", "900")


class Asking:
    """Answers of a server to a client that asks without pause, in a thread."""

    def __init__(self, http: httpx.Client) -> None:
        self._http, self._ends = http, threading.Event()
        self.answers: list[tuple[int, str]] = []
        self._thread = threading.Thread(target=self._ask)

    @contextmanager
    def meanwhile(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._ends.set()
            self._thread.join()

    def _ask(self) -> None:
        question = {"metrics": ["valid_orders", "order_revenue"]}
        while not self._ends.wait(0.05):
            answer = self._http.post(f"/semantic-layer/{SHOP}/query", json=question)
            self.answers.append((answer.status_code, answer.text))

    def wrong(self, most: int) -> list[str]:
        """Answers that are none, or whose two numbers are not of one run."""
        right = [[[orders, revenue(orders)]] for orders in range(FIRST, most + 1)]
        return [
            text
            for status, text in self.answers
            if status != 200 or json.loads(text, parse_float=Decimal)["rows"] not in right
        ]


def gata(home: Project, *arguments: str) -> subprocess.Popen[str]:
    return start(*arguments, env=environment(home.settings, GATA_THREADS="1"))


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = process.communicate(timeout=1800)
    return process.returncode, out + err


def bring(home: Project, orders: int) -> None:
    bring_order(home.settings.tenants.parent / SHOP, orders)


def restored(home: Project, kept: Path, folder: Path) -> Project:
    """The newest backup in a folder of its own, with tenants.yaml and without exports."""
    folder.mkdir()
    shutil.copy(whole_backups(kept)[-1] / "config" / "tenants.yaml", folder)
    paths = {"home": folder / "state", "tenants": folder / "tenants.yaml"}
    other = Project(home.settings.model_copy(update=paths))
    restore(kept, other.settings)
    return other


def check_one_moment(other: Project, token: str) -> int:
    """Check that everything in a restored home is of one moment; returns how many orders it has."""
    slug = slug_of(SHOP)
    orders = int(other.number(SHOP, "valid_orders"))
    assert Decimal(other.number(SHOP, "order_revenue")) == revenue(orders)
    for file, table in (
        (other.settings.hub, "platform_mm__shopify_api_v1_orders"),
        (other.settings.stars(slug), f"fct_{SHOP}__orders"),
    ):
        with closing(duckdb.connect(str(file), read_only=True)) as database:
            assert database.execute(f"select count(*) from {table}").fetchall() == [(orders,)]
    bronze = bronze_folder(other.settings, slug)
    assert list(damaged_batches(bronze)) == []
    held = batch_folder(bronze, "shopify", "main", "orders")
    assert sum(manifest.total_rows for _, manifest in held.manifests(held.batch_ids())) == orders
    published = other.settings.published(slug)
    for run_id in run_ids(published):
        verify(published / run_id)
    with Ops(other.settings.ops) as ops:
        assert ops.connection.execute("pragma integrity_check").fetchone()[0] == "ok"
        assert Access(ops).verify(token) is not None
        assert [run["status"] for run in ops.runs() if run["status"] == "running"] == []
    assert [plan["action"] for plan in plan_builds(other.context)] == ["unchanged"]
    return orders


def test_a_backup_that_is_made_while_builds_and_a_server_run_is_of_one_moment(tmp_path: Path) -> None:
    home = KilledHome.of(tmp_path / "project", seed=0).project
    kept, orders = tmp_path / "backups", FIRST
    with Ops(home.settings.ops) as ops:
        token = Access(ops).create(tenant=slug_of(SHOP), name="reader")[0]
    served = PublishedHome(home.settings, {SHOP: token})
    with (
        served.serving() as address,
        httpx.Client(base_url=address, headers=served.headers(SHOP), timeout=120) as http,
    ):
        asking = Asking(http)
        with asking.meanwhile():
            for number in range(ROUNDS):
                bring(home, orders + 1)
                first = gata(home, "build", *WAIT)
                wait_for((home.settings.home / "build.lock.json").exists)
                code, said = ended(gata(home, "backup", str(kept)))  # a build is running, and nobody waits for it
                assert first.poll() is not None or (code, "Another build holds" in said) == (2, True), said
                backup = gata(home, "backup", str(kept), *WAIT)
                bring(home, orders + 2)
                second = gata(home, "build", *WAIT)  # which waits too: either may be next
                for process in (first, backup, second):
                    code, said = ended(process)
                    assert code == 0, said
                assert [verified(each) for each in whole_backups(kept)] == [()] * len(whole_backups(kept))
                other = restored(home, kept, tmp_path / f"elsewhere_{number}")
                assert check_one_moment(other, token) in (orders + 1, orders + 2)
                orders += 2
    assert asking.wrong(orders) == []
    assert len(asking.answers) > ROUNDS
    code, said = ended(gata(home, "backup", str(kept)))
    assert code == 0, said
    before: dict[str, Any] = sums(home, SHOP)
    shutil.rmtree(home.settings.tenants.parent)  # the home, the exports
    last = restored(home, kept, tmp_path / "last")
    assert check_one_moment(last, token) == orders
    assert sums(last, SHOP) == before
    assert [path for path in kept.iterdir() if path.name.startswith(".")] == []
