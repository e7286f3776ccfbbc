"""docs/seeds.md: what it says stands here does stand here."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from pipeline.config.connector_catalog import load_catalog
from pipeline.config.tenants_file import load_tenants
from pipeline.contracts.registry import blueprints
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from server.cli.app import VERBS
from server.rest.app import rest_app
from server.serving.runs.published_runs import PublishedRuns
from warehouse.projects.hub_projects import library_project, push_project
from warehouse.projects.star_project import star_project

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| .+ \| .+ \| (?P<where>(?:`[^`]+` ?)+|–) \|$", re.MULTILINE)
PAGE = (ROOT / "docs" / "seeds.md").read_text(encoding="utf-8")
THINGS = sorted({thing for row in ROW.finditer(PAGE) for thing in re.findall(r"`([^`]+)`", row["where"])})
MACRO = re.compile(r"{%-? *macro +(\w+)")
REFUSED_ON_PURPOSE = ("hub_tenant_sources",)


@pytest.mark.parametrize("thing", THINGS)
def test_a_thing_that_the_page_names_exists(thing: str, routes: dict[str, dict[str, object]]) -> None:
    kind, _, name = thing.partition(" ")
    if kind == "gata":
        assert name in {verb.name for verb in VERBS}
    elif kind in ("GET", "POST"):
        assert kind.lower() in routes.get(name, {})
    elif kind == "macro":
        assert name in macros()
    elif kind == "model":
        assert name in models()
    else:
        assert (ROOT / thing).exists()


def test_every_row_of_the_page_says_where() -> None:
    tables = [line for line in PAGE.splitlines() if line.startswith("|") and not re.match(r"\| name |\|---", line)]
    assert len(tables) == len(ROW.findall(PAGE)) > 60


def test_what_the_documents_call_obsolete_is_not_here() -> None:
    assert not models().intersection(REFUSED_ON_PURPOSE)


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """The methods of every path of the REST API, by /openapi.json."""
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    ops = Ops(settings.ops)
    try:
        return rest_app(PublishedRuns(settings), ops).openapi()["paths"]  # type: ignore[no-any-return]
    finally:
        ops.close()


@cache
def macros() -> set[str]:
    files = [*(ROOT / "warehouse" / "macros").rglob("*.sql"), *(ROOT / "pipeline" / "connectors").rglob("engine.sql")]
    return {name for file in files for name in MACRO.findall(file.read_text(encoding="utf-8"))}


@cache
def models() -> set[str]:
    """Every model of the platform, of the hub's library and of the bundled tenants' projects."""
    catalog = load_catalog(ROOT / "supported_connectors.yaml")
    known = blueprints(catalog)
    tenants = load_tenants(ROOT / "tenants.yaml", catalog).tenants
    written = {path.stem for path in (ROOT / "warehouse" / "models").glob("*/*.sql")}
    projects = [library_project(known, {}, {})]
    projects += [project(tenant, known) for tenant in tenants for project in (push_project, star_project)]
    return written | {Path(path).stem for files in projects for path in files if path.endswith(".sql")}
