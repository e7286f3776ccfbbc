"""A landing process may die at any moment, or meet another: nothing is lost, and nothing counts twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import duckdb
import pytest

from pipeline.errors import LandError
from tests.pipeline.landing_fixture import LandingFixture, table_of

pytestmark = pytest.mark.long  # kills landings

ROOT = Path(__file__).resolve().parents[2]

DIE = "os.kill(os.getpid(), signal.SIGKILL)"

MOMENTS = {
    "while files are read": "progress = die",
    "before dlt loads": "Pipeline.load = die",
    "after some tables are in": "after(DuckDbCopyJob, 'run')",
    "before the load is complete": "SqlJobClientBase.complete_load = die",
    "after the load is complete": "after(SqlJobClientBase, 'complete_load')",
}

CHILD = f"""
import os, signal, sys
from pathlib import Path
from dlt.pipeline.pipeline import Pipeline
from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob
from dlt.destinations.job_client_impl import SqlJobClientBase
from tests.pipeline.landing_fixture import LandingFixture

def die(*_, **__):
    {DIE}

def after(owner, name):
    real = getattr(owner, name)
    def both(self, *args, **kwargs):
        real(self, *args, **kwargs)
        die()
    setattr(owner, name, both)

progress = None
"""


def run(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, str(folder)],
        cwd=environment.pop("cwd", ROOT),
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def lines(*ids: int) -> str:
    return "".join(json.dumps({"id": number, "total_price": "9.90"}) + "\n" for number in ids)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_landing_is_made_good_by_the_next(sandbox: LandingFixture, moment: str) -> None:
    sandbox.write("a.jsonl", lines(1, 2, 3))
    sandbox.land(orders="*.jsonl")
    sandbox.write("b.jsonl", lines(4, 5) + "oops\n")
    sandbox.write("p.jsonl", lines(7))
    land = (
        "\nsandbox = LandingFixture(Path(sys.argv[1]))\n"
        "sandbox.land(progress=progress, orders='*.jsonl', products='p.jsonl')\n"
    )
    killed = run(CHILD + MOMENTS[moment] + land, sandbox.files.parent)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    again = sandbox.land(orders="*.jsonl", products="p.jsonl")
    assert (again.load_id is None) == (moment == "after the load is complete")
    assert sandbox.counted("shopify__orders") == 6
    assert sandbox.counted("shopify__products") == 1
    assert sandbox.counted("quarantine") == 1
    assert sandbox.counted("landed_files") == 4
    assert sandbox.land(orders="*.jsonl", products="p.jsonl").load_id is None
    assert [path.name for path in (sandbox.settings.home / "landing").iterdir()] == []


@pytest.mark.parametrize("room", [300_000, 6_000_000])  # too little for the parts; for the hub
def test_a_full_disk_is_said_and_costs_nothing_that_landed(sandbox: LandingFixture, room: int) -> None:
    sandbox.write("a.jsonl", lines(1))
    sandbox.land(orders="*.jsonl")
    noise = Random(1)
    records = (
        {"id": number, "total_price": "9.90", "name": f"{noise.getrandbits(400):x}"} for number in range(2, 40_000)
    )
    sandbox.write("b.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    code = f"""
import resource, sys
from pathlib import Path
from pipeline.errors import LandError
from tests.pipeline.landing_fixture import LandingFixture
sandbox = LandingFixture(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
try:
    sandbox.land(orders="*.jsonl")
except LandError as error:
    print(error)
"""
    full = run(code, sandbox.files.parent)
    assert "There is no room left for " in full.stdout, full.stderr
    assert sandbox.counted("shopify__orders") == 1
    assert table_of(sandbox.land(orders="*.jsonl"), "orders").rows == 39_998
    assert sandbox.counted("shopify__orders") == 39_999


def test_a_hub_that_another_process_holds_is_named_with_the_way_out(sandbox: LandingFixture) -> None:
    sandbox.write("a.jsonl", lines(1))
    sandbox.land(orders="none*")
    hold = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(sandbox.settings.hub)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LandError) as caught:
            sandbox.land(orders="*.jsonl")
        holder.communicate()
    assert str(sandbox.settings.hub) in caught.value.what
    assert "gata build --wait" in caught.value.fix
    assert table_of(sandbox.land(orders="*.jsonl"), "orders").rows == 1


def test_a_landing_leaves_the_hub_free_and_writes_nowhere_else(sandbox: LandingFixture, tmp_path: Path) -> None:
    sandbox.write("a.jsonl", lines(1))
    home, here = tmp_path / "user", tmp_path / "cwd"
    home.mkdir()
    (here / ".dlt").mkdir(parents=True)
    (here / ".dlt/config.toml").write_text('[schema]\nnaming = "snake_case"\n')
    code = """
import sys, warnings
warnings.simplefilter("error")
from pathlib import Path
from tests.pipeline.landing_fixture import LandingFixture
sandbox = LandingFixture(Path(sys.argv[1]))
sandbox.land(orders="*.jsonl")
sandbox.land(orders="*.jsonl")
print(sandbox.query("select count(*) from shopify__orders"))
"""
    done = run(code, sandbox.files.parent, cwd=here, HOME=str(home), SCHEMA__NAMING="sql_ci_v1")  # type: ignore[arg-type]
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("[(1,)]\n")
    assert done.stderr == ""
    assert list(home.iterdir()) == []
    assert [path.relative_to(here) for path in here.rglob("*")] == [Path(".dlt"), Path(".dlt/config.toml")]
    with duckdb.connect(sandbox.settings.hub) as con:
        assert con.execute("select count(*) from landing_acme.shopify__orders").fetchall() == [(1,)]
