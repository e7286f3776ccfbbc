"""The wheel, as people get it: all that it needs is in it, and it builds, asks and serves outside of any checkout."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.small_shop import SMALL_TENANT, write_shop
from tests.packaging.installed import Environment, build_wheel, names_in, new_environment
from tests.packaging.lock_pins import ROOT

PACKAGES = ("pipeline", "warehouse", "semantic", "server")
ASK = ("ask", "--tenant", "small_shop", "--metrics", "spend,order_revenue", "--json")
ANSWER = [[18.25, 60.75]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Environment:
    """An empty environment with the wheel and no extra, and a shop's exports in the folder where its commands run."""
    environment = new_environment(tmp_path_factory.mktemp("installed"), wheel)
    (environment.folder / "tenants.yaml").write_text(SMALL_TENANT, encoding="utf-8")
    write_shop(environment.folder)
    return environment


@pytest.fixture(scope="module")
def built(installed: Environment) -> Environment:
    """The same environment after it was told what a build needs, did that, and built."""
    said = installed.run("gata", "build", code=2)
    (advised,) = re.findall(r"Run `(pip install [^`]+)`", said)
    constraints = str(installed.prefix.parent / "constraints.txt")
    installed.run(*shlex.split(advised), variables={"PIP_CONSTRAINT": constraints})
    report = json.loads(installed.run("gata", "build", "--json"))
    assert [tenant["status"] for tenant in report["tenants"]] == ["published"]
    return installed


def test_the_wheel_holds_every_file_of_the_product_but_fixtures_and_no_other(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True)
    files = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    added = {"pipeline/connectors/supported_connectors.yaml", "pipeline/connectors/contracts.lock.yaml"}
    held = {name for name in names_in(wheel) if ".dist-info/" not in name}
    fixtures = {name for name in files if name.startswith("pipeline/connectors/") and "/unit_tests" in name}
    assert held >= (files | added) - fixtures
    assert not held & fixtures
    assert {name.partition("/")[0] for name in held} == set(PACKAGES)


def test_the_wheel_says_that_its_packages_are_typed(wheel: Path) -> None:
    assert {f"{package}/py.typed" for package in PACKAGES} <= names_in(wheel)


@pytest.mark.long
def test_the_wheel_alone_brings_nothing_that_only_builds_need(installed: Environment) -> None:
    heavy = {"dlt", "dbt-core", "dbt-duckdb", "numpy", "vl-convert-python", "opentelemetry-sdk", "pandas"}
    assert not heavy & installed.packages().keys()


@pytest.mark.long
def test_the_wheel_writes_a_first_configuration_that_its_own_verbs_accept(installed: Environment) -> None:
    installed.run("gata", "init", "first")
    (plan,) = json.loads(installed.run("gata", "plan", "--json", variables={"GATA_TENANTS": "first/tenants.yaml"}))[
        "tenants"
    ]
    assert plan["action"] == "build"


@pytest.mark.long
def test_what_a_refused_build_advises_makes_it_build_ask_and_serve(built: Environment) -> None:
    assert json.loads(built.run("gata", *ASK))["rows"] == ANSWER
    with serving(built) as (address, token):
        _see_served(address, token)


@pytest.mark.long
def test_what_was_built_is_served_by_an_environment_that_cannot_build(
    built: Environment, wheel: Path, tmp_path: Path
) -> None:
    lean = Environment(new_environment(tmp_path, wheel).prefix, built.folder)
    assert json.loads(lean.run("gata", *ASK))["rows"] == ANSWER
    with serving(lean) as (address, token):
        _see_served(address, token)


@contextmanager
def serving(environment: Environment) -> Iterator[tuple[str, str]]:
    """`gata serve` of an environment; gives its address and a token."""
    token = environment.run("gata", "token", "create", "--tenant", "small_shop").strip()
    process = subprocess.Popen(
        [str(environment.prefix / "bin" / "gata"), "serve", "--port", "0"],
        env=environment.variables(),
        cwd=environment.folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        yield process.stderr.readline().split()[2], token
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)


def _see_served(address: str, token: str) -> None:
    query = {"metrics": ["spend", "order_revenue"]}
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=address, timeout=120) as client:
        assert client.get("/health").status_code == 200
        answer = client.post("/semantic-layer/small_shop/query", json=query, headers=headers)
    assert (answer.status_code, answer.json()["rows"]) == (200, ANSWER)
