"""A build looks at what the one before left behind: what is damaged is named, and made again by the same command."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.publish.pointer import latest_run_id, run_ids
from pipeline.publish.run_files import CATALOG_JSON, CATALOG_SCHEMA, DEFINITIONS, MANIFEST, ROLLUPS, STARS
from pipeline.publish.run_store import verify
from server.orchestration.build_report import TenantReport
from server.orchestration.outputs import output_damage, remember_undamaged
from server.orchestration.overview import plan_builds
from server.orchestration.publishing import publish_star
from server.orchestration.run_history.status_snapshots import known_statuses
from server.orchestration.verbs import land_only, validate
from server.serving.runs.observability import findings_of
from tests.end_to_end.project_fixture import Project, copy_project
from tests.pipeline.test_publish import flip_a_byte
from tests.server.cli_run import Terminal
from warehouse.build.hub_metadata import read_hub_records

pytestmark = pytest.mark.long  # builds again after each kind of damage

SLUG = "small_shop"
Damage = Callable[[Path, Path], object]
"""Does it to a star file and a published run."""


def rewrite(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def cut(path: Path) -> None:
    rewrite(path, path.read_bytes()[:-4096])


def garbage(path: Path) -> None:
    rewrite(path, b"x" * path.stat().st_size)


def point_to_nothing(pointer: Path) -> None:
    rewrite(pointer, json.dumps({"version": 1, "run_id": "20200101T000000000000Z_abcdef"}).encode())


DAMAGES: dict[str, tuple[Damage, str]] = {
    "star gone": (lambda star, run: star.unlink(), "stars.duckdb cannot be read"),
    "star cut short": (lambda star, run: cut(star), "its build left"),
    "star of garbage": (lambda star, run: garbage(star), "is no DuckDB file"),
    "star unfinished": (lambda star, run: star.with_name("finished.json").unlink(), "was left unfinished"),
    "published star gone": (lambda star, run: (run / STARS).unlink(), "stars.duckdb cannot be read"),
    "published star cut short": (lambda star, run: cut(run / STARS), "bytes, published were"),
    "published star of garbage": (lambda star, run: garbage(run / STARS), "stars.duckdb has SHA-256"),
    "a bit of the published star": (lambda star, run: flip_a_byte(run / STARS), "stars.duckdb has SHA-256"),
    "manifest gone": (lambda star, run: (run / MANIFEST).unlink(), "_MANIFEST.json cannot be read"),
    "manifest empty": (lambda star, run: rewrite(run / MANIFEST, b""), "_MANIFEST.json"),
    "manifest of garbage": (lambda star, run: garbage(run / MANIFEST), "_MANIFEST.json"),
    "definitions changed": (lambda star, run: flip_a_byte(run / DEFINITIONS), "semantic.yml has SHA-256"),
    "definitions gone": (lambda star, run: (run / DEFINITIONS).unlink(), "semantic.yml cannot be read"),
    "catalog changed": (lambda star, run: flip_a_byte(run / CATALOG_JSON), "semantic.json has SHA-256"),
    "schema gone": (lambda star, run: (run / CATALOG_SCHEMA).unlink(), "semantic.schema.json cannot be read"),
    "rollups gone": (lambda star, run: (run / ROLLUPS).unlink(), "rollups.duckdb cannot be read"),
    "pointer empty": (lambda star, run: rewrite(run.parent / "_latest.json", b""), "_latest.json cannot be read"),
    "pointer to a run that is gone": (lambda star, run: point_to_nothing(run.parent / "_latest.json"), "_MANIFEST"),
    "pointer gone": (lambda star, run: (run.parent / "_latest.json").unlink(), "_latest.json is gone"),
}


@pytest.fixture(scope="module")
def home(small: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small shop with rollups and an earlier run. Whoever damages it has it built again, or takes a copy."""
    home = copy_project(small, tmp_path_factory.mktemp("damaged") / "home", rollup_rows=1)
    home.build(full=True)  # where it lies is no reason to build
    return home


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal


def star(home: Project) -> Path:
    return home.settings.stars(SLUG)


def run(home: Project) -> Path:
    folder = home.settings.published(SLUG)
    return folder / str(latest_run_id(folder))


def report_of(home: Project, **options: Any) -> TenantReport:
    (report,) = home.build(**options).tenants
    return report


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_named_by_status_and_is_a_reason_to_build(
    home: Project, tmp_path: Path, damage: Damage, message: str
) -> None:
    home = copy_project(home, tmp_path / "home")
    assert output_damage(home.settings, SLUG) == ()
    damage(star(home), run(home))
    (found,) = output_damage(home.settings, SLUG)
    assert message in found
    assert found in known_statuses(home.settings)[0]["findings"]
    (planned,) = plan_builds(home.context)
    assert planned["action"] == "build"
    assert found.rstrip(".") in planned["reasons"]


def test_what_is_damaged_is_made_again_once_by_the_same_build(home: Project) -> None:
    before, first = home.number(SLUG, "order_revenue"), run(home)
    assert report_of(home).status == "unchanged"
    star(home).unlink()
    report = report_of(home)
    (said,) = report.damage
    assert (report.status, said in report.to_dict()["findings"], STARS in said) == ("published", True, True)
    assert star(home).exists()
    second = run(home)
    garbage(second / STARS)
    flip_a_byte(second / CATALOG_JSON)
    assert home.ask(SLUG, metrics=["order_revenue"])["run_id"] == first.name
    report = report_of(home)
    assert report.status == "published"
    assert [name in said for name, said in zip((STARS, CATALOG_JSON), report.damage, strict=True)] == [True, True]
    assert not any("damaged" in said for said in findings_of(SLUG, home.settings))
    report = report_of(home)
    assert (report.status, report.damage) == ("unchanged", ())
    assert home.number(SLUG, "order_revenue") == before
    verify(run(home))


def test_the_step_that_a_failed_question_names_works(home: Project, terminal: Terminal) -> None:
    terminal.use(home.settings)
    asked = ("ask", "--tenant", SLUG, "--metrics", "order_revenue", "--json")
    before = json.loads(terminal(*asked).out)
    for run_id in run_ids(home.settings.published(SLUG)):
        (home.settings.published(SLUG) / run_id / DEFINITIONS).unlink(missing_ok=True)
    rewrite(home.settings.published(SLUG) / "_latest.json", b"")
    failed = terminal(*asked)
    assert failed.code == 2
    assert f"Run `gata build --tenant {SLUG}`" in " ".join(failed.err.split())
    built = terminal("build", "--tenant", SLUG, "--json")
    assert built.code == 0, built.err
    (said,) = json.loads(built.out)["tenants"]
    assert "The pointer _latest.json cannot be read." in said["findings"]
    after = json.loads(terminal(*asked).out)
    assert after["rows"] == before["rows"]
    assert after["run_id"] == said["run_id"] != before["run_id"]
    assert not any("damaged" in note for note in after["notes"])


def test_a_copy_of_the_state_is_hashed_once_and_is_no_damage(home: Project, tmp_path: Path) -> None:
    moved = copy_project(home, tmp_path / "moved")
    for path in (*run(moved).glob("*.duckdb"),):
        path.touch()
    note = star(moved).with_name("built.json")
    before = note.read_bytes()
    assert output_damage(moved.settings, SLUG) == ()
    remember_undamaged(moved.settings, SLUG)
    after = note.read_bytes()
    assert after != before
    remember_undamaged(moved.settings, SLUG)
    assert note.read_bytes() == after


def test_validation_fails_for_what_readers_see_and_names_what_they_do_not(home: Project, tmp_path: Path) -> None:
    moved = copy_project(home, tmp_path / "moved", rollup_rows=1)
    old, new = publish_again(moved), publish_again(moved)
    flip_a_byte(old / CATALOG_JSON)
    (report,) = validate(moved.context, full=True).tenants
    (said,) = [finding for finding in report.findings if CATALOG_JSON in finding]
    assert (report.status, old.name in said, said.endswith("Readers do not see it.")) == ("done", True, True)
    assert output_damage(moved.settings, SLUG) == ()  # running the tests did not touch the star
    assert (SLUG, old.name) in read_hub_records(moved.settings).published
    flip_a_byte(new / CATALOG_SCHEMA)
    failed = validate(moved.context, full=True)
    assert failed.exit_code == 2
    assert CATALOG_SCHEMA in str(failed.tenants[0].error)


def test_a_damaged_run_keeps_no_other_out_of_the_books(home: Project, tmp_path: Path) -> None:
    moved = copy_project(home, tmp_path / "moved")
    old, new = publish_again(moved), publish_again(moved)
    (old / DEFINITIONS).unlink()
    assert land_only(moved.context).exit_code == 0
    listed = read_hub_records(moved.settings).published
    assert ((SLUG, old.name) in listed, (SLUG, new.name) in listed) == (False, True)


def publish_again(home: Project) -> Path:
    """Publish the star as it lies there, without the rest of a build; the run."""
    (tenant,) = home.context.manifest.tenants
    publish_star(tenant, home.settings, "")
    return run(home)
