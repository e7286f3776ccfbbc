"""Processes of ours import nothing from the working directory, whatever files stand there."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from server.serving.access import Access
from tests.end_to_end.small_shop import SMALL_TENANT, write_shop
from tests.library import with_library
from tests.server.cli_run import ROOT, environment

GATA = Path(sys.executable).with_name("gata")
HOSTILE = (
    *("server.py", "pipeline/__init__.py", "semantic.py", "warehouse.py", "bench.py"),
    *("dbt_x.py", "dlt_x.py", "dbt.py", "dlt.py", "uvicorn.py", "pandas.py", "on_import_path/dbt_x.py"),
    *("multiprocessing/__init__.py", "json.py", "pickle.py", "signal.py", "typing.py"),  # a spawned process needs them
)
PATIENCE_SECONDS = 240
"""Longest a process may take on a machine that is busy with other things."""

ENTRY: dict[str, Any] = {
    "slug": "posted",
    "business_name": "Posted",
    "currency": "EUR",
    "sources": {
        "facebook_ads": {"enabled": True, "read": {"kind": "files", "objects": {"campaigns": "ads/campaigns*.jsonl"}}},
        "shopify": {"enabled": True, "read": {"kind": "files", "objects": {"orders": "shop/orders*"}}},
        "google_analytics": {"enabled": True, "read": {"kind": "files", "objects": {"events": "web/events*.jsonl"}}},
    },
}


@dataclass(frozen=True)
class HostileFolder:
    """A working directory full of files that note when they are imported, and a state folder elsewhere."""

    path: Path
    settings: Settings
    token: str

    @property
    def imported(self) -> list[str]:
        return sorted({path.name for path in (self.path / "imported").iterdir()})

    @property
    def environment(self) -> dict[str, str]:
        """Where a user in a checkout has the working directory on the import path, dbt finds a `dbt_x.py` there."""
        return environment(self.settings, GATA_THREADS="2", PYTHONPATH=str(self.path / "on_import_path"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> HostileFolder:
    """Two tenants, so that a build begins processes of its own."""
    here, project = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("project")
    (here / "imported").mkdir()
    for name in HOSTILE:
        (here / name).parent.mkdir(exist_ok=True)
        note = f"open({str(here / 'imported')!r} + '/' + __name__.partition('.')[0], 'w').close()\n"
        (here / name).write_text(f"{note}raise ImportError('{name} of the working directory')\n", encoding="utf-8")
    _, _, tenant = SMALL_TENANT.partition("tenants:\n")
    second = tenant.replace("small_shop", "second_shop")
    (project / "tenants.yaml").write_text(f"tenants:\n{tenant}{second}", encoding="utf-8")
    write_shop(project)
    settings = Settings(home=project / "state", tenants=project / "tenants.yaml", today=date(2026, 11, 21))
    with_library(settings)
    with Ops(settings.ops) as ops:
        token, _ = Access(ops).create(tenant=None, name="admin")
    return HostileFolder(here, settings, token)


@contextmanager
def serving(folder: HostileFolder) -> Iterator[httpx.Client]:
    """`gata serve` with two workers, begun in the folder."""
    log = folder.settings.home / "serve.log"
    command = [str(GATA), "serve", "--port", "0", "--workers", "2"]
    with log.open("wb") as told:
        server = subprocess.Popen(
            command, cwd=folder.path, env=folder.environment, stdin=subprocess.DEVNULL, stdout=told, stderr=told
        )
    try:
        address = until(lambda: re.search(r"http://\S+:\d+", log.read_text(encoding="utf-8")))[0]
        headers = {"Authorization": f"Bearer {folder.token}"}
        with httpx.Client(base_url=address, headers=headers, timeout=PATIENCE_SECONDS) as http:
            yield http
    finally:
        server.terminate()
        server.wait(PATIENCE_SECONDS)


def until(found: Any) -> Any:
    """What a function finds, once it does."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while not (value := found()):
        assert time.monotonic() < ends_at
        time.sleep(0.05)
    return value


@pytest.mark.long
def test_the_processes_of_a_build_import_nothing_from_the_working_folder(folder: HostileFolder) -> None:
    """Landing begins them, and they load what stars need."""
    command = [str(GATA), "land"]
    landed = subprocess.run(
        command, cwd=folder.path, env=folder.environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert folder.imported == []
    assert landed.returncode == 0, landed.stderr


@pytest.mark.long
def test_workers_and_the_process_of_a_job_import_nothing_from_the_working_folder(folder: HostileFolder) -> None:
    with serving(folder) as http:
        posted = http.post("/tenants/onboard", json=ENTRY)
        assert posted.status_code == 202, posted.text

        def ended() -> dict[str, Any] | None:
            job: dict[str, Any] = http.get(posted.headers["location"]).json()
            return job if job["state"] in ("ready", "failed") else None

        job = until(ended)
    log = folder.settings.home / "jobs" / f"{job['id']}.log"
    assert folder.imported == []
    assert job["state"] == "ready", (job, log.read_text(encoding="utf-8"))


def test_every_command_that_starts_a_module_keeps_the_working_directory_off_the_import_path() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    ours = "server|bench|tests|pipeline|warehouse|semantic"
    begins = re.compile(rf"""python[0-9.]* -m (?:{ours})\b|(?:executable, |\[)"-m\"""")
    found = []
    for name in listed.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".yaml", ".toml", ""} and path.is_file() and path != Path(__file__):
            found += [name for _ in begins.findall(path.read_text(encoding="utf-8", errors="replace"))]
    assert found == []
