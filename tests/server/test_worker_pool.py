"""The worker pool of a build: errors come back as values, and its processes end with the build."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from structlog.contextvars import bound_contextvars

from pipeline.config.tenant import Tenant
from pipeline.errors import BuildError
from pipeline.log import log
from pipeline.settings import Settings
from server.orchestration.build_context import BuildContext, open_build_context
from server.orchestration.worker_pool import WorkerPool
from tests.server.cli_run import ROOT, environment
from warehouse.build.build_paths import projects_folder
from warehouse.build.star import check_star

TENANTS = """
tenants:
  - {slug: first, business_name: First, sources: {facebook_ads: {enabled: true}, shopify: {enabled: true},
     google_analytics: {enabled: true}}}
  - {slug: second, business_name: Second, sources: {facebook_ads: {enabled: true}, shopify: {enabled: true},
     google_analytics: {enabled: true}}}
"""
BEGIN = """
import multiprocessing, time
from pipeline.ingest.exports import export_targets
from pipeline.config.layers.configuration import read_settings
from server.orchestration.worker_pool import WorkerPool
from server.orchestration.build_context import open_build_context
if __name__ == "__main__":
    shop = open_build_context(read_settings())
    with WorkerPool(shop.blueprints, shop.settings) as pool:
        pool.prefetch(export_targets, shop.manifest.tenants)
        print(*(process.pid for process in multiprocessing.active_children()), flush=True)
        time.sleep(600)
"""


@pytest.fixture
def shop(tmp_path: Path) -> BuildContext:
    (tmp_path / "tenants.yaml").write_text(TENANTS, encoding="utf-8")
    return open_build_context(Settings(home=tmp_path / "state", tenants=tmp_path / "tenants.yaml", threads=2))


@pytest.mark.parametrize("threads", [1, 2], ids=["here", "in processes"])
def test_an_error_comes_back_as_the_outcome_of_its_tenant_alone(shop: BuildContext, threads: int) -> None:
    settings = shop.settings.model_copy(update={"threads": threads})
    first, second = shop.manifest.tenants
    with WorkerPool(shop.blueprints, settings) as pool:
        pool.prefetch(check_star, [first, second])  # fails in silence: whoever needs it will be told
        pool.wait_for(check_star, [first, second])
        outcomes = {tenant.slug: outcome for tenant, outcome in pool.each(check_star, [first, second], "validate")}
        path = pool.submit(projects_folder, settings, "first").result()
    assert [type(outcome) for outcome in outcomes.values()] == [BuildError, BuildError]
    assert {slug: str(outcome).partition(" has ")[0] for slug, outcome in outcomes.items()} == {
        "first": "first",
        "second": "second",
    }
    assert path == projects_folder(settings, "first")


def prints(tenant: Tenant, *_: object) -> None:
    os.write(1, f"of {tenant.slug}\n".encode())


def test_what_a_library_prints_in_a_process_of_the_pool_does_not_reach_stdout(
    shop: BuildContext, capfd: pytest.CaptureFixture[str]
) -> None:
    with WorkerPool(shop.blueprints, shop.settings) as pool:
        assert len(list(pool.each(prints, shop.manifest.tenants, "stars"))) == 2
    printed = capfd.readouterr()
    assert {"of first", "of second"} <= set(printed.err.splitlines())
    assert printed.out == ""


def says(tenant: Tenant, *_: object) -> int:
    log.info("at_work")
    return os.getpid()


def test_events_of_a_process_say_which_run_tenant_and_step_they_are_of(
    shop: BuildContext, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for modules in ("PRELOADED", "PRELOADED_FOR_NEW"):  # without dbt, which nothing here needs
        monkeypatch.setattr(f"server.orchestration.worker_pool.{modules}", ())
    first, second = shop.manifest.tenants
    with WorkerPool(shop.blueprints, shop.settings) as pool, bound_contextvars(run_id="r1"):
        pool.prefetch(says, [first, second])
        pool.wait_for(says, [first, second])
        at = {outcome for _, outcome in pool.each(says, [first, second], "stars")}
        with bound_contextvars(tenant="first", step="publish"):
            at.add(pool.submit(says, first).result())
    said = [json.loads(line) for line in capfd.readouterr().err.splitlines() if "at_work" in line]
    assert os.getpid() not in at
    assert sorted((line["run_id"], line["tenant"], line.get("step")) for line in said if line.get("step")) == [
        ("r1", "first", "publish"),
        ("r1", "first", "stars"),
        ("r1", "second", "stars"),
    ]
    ahead = [line for line in said if not line.get("step")]
    assert sorted((line["run_id"], line["tenant"]) for line in ahead) == [("r1", "first"), ("r1", "second")]


def test_what_one_tenant_needs_later_begins_no_process(shop: BuildContext) -> None:
    with WorkerPool(shop.blueprints, shop.settings) as pool:
        pool.prefetch(check_star, shop.manifest.tenants[:1])
        ((tenant, outcome),) = pool.each(check_star, shop.manifest.tenants[:1], "validate")
        assert not pool.works
    assert tenant.slug == "first"
    assert isinstance(outcome, BuildError)


def test_a_killed_build_takes_its_pool_with_it(shop: BuildContext, tmp_path: Path) -> None:
    program = tmp_path / "begin.py"
    program.write_text(BEGIN, encoding="utf-8")
    build = subprocess.Popen(
        [sys.executable, str(program)],
        env=environment(shop.settings) | {"PYTHONPATH": str(ROOT), "GATA_THREADS": "2"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert build.stdout is not None
    with build.stdout as said:
        pool = [int(pid) for pid in said.readline().split()]
    assert len(pool) == 2
    assert all(map(_is_alive, pool))
    build.kill()
    build.wait()
    patience = time.monotonic() + 120
    while any(map(_is_alive, pool)) and time.monotonic() < patience:
        time.sleep(0.05)
    assert not any(map(_is_alive, pool))


def _is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked about does not."""
    try:
        os.kill(pid, 0)
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
    except ProcessLookupError:
        return False
    return bool(state.strip()) and not state.startswith("Z")
