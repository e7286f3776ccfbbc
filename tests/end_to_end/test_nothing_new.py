"""A run with nothing new: what it opens does not grow with the tenants, and no change is missed for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.config.slug import Slug, slug_of
from pipeline.ingest.admission import known_contents
from pipeline.publish.pointer import POINTER, latest_run_id
from pipeline.settings import Settings
from pipeline.storage.hub import write_hub
from pipeline.storage.ops import Ops
from server.orchestration.build_command import BuildCommand, open_command, unobserved
from server.orchestration.build_context import BuildContext, open_build_context
from server.orchestration.build_report import BuildReport
from server.orchestration.comparison.unchanged import compare_all, remember_unchanged
from server.orchestration.overview import plan_builds
from server.orchestration.publishing import read_published_star
from server.orchestration.verbs import build, land_only
from tests.end_to_end.cloned_tenants import ORIGINAL, clone_tenants, make_original, settings_of
from tests.end_to_end.small_shop import bring_order

ONE, OTHER = slug_of("t0001"), slug_of("t0002")
ALL = {ORIGINAL, ONE, OTHER}


@dataclass
class Home:
    """A home of three built tenants."""

    folder: Path
    changed: Mapping[str, Any]
    """Settings that differ. Any: as Settings takes them."""

    @property
    def settings(self) -> Settings:
        return settings_of(self.folder).model_copy(update=dict(self.changed))

    @property
    def context(self) -> BuildContext:
        return open_build_context(self.settings)

    def run(self, *slugs: Slug, **options: Any) -> BuildReport:  # Any: as `build` takes them
        return build(self.context, slugs or None, **options)

    def steps(self, report: BuildReport) -> set[tuple[str, str]]:
        """The steps that a command ran, by tenant."""
        with Ops(self.settings.ops) as ops:
            done = ops.steps(report.run_id)
        return {(step["tenant"], step["step"]) for step in done if step["status"] != "skipped"}

    def unchanged(self, settings: Mapping[str, Any] | None = None) -> set[str]:
        """The tenants that the next build would take for unchanged at once."""
        self.changed = settings or {}
        with open_command(self.context, self.context.select(None), 0.0, unobserved) as command:
            compare_all(command)
            found = {slug for slug, report in command.reports.items() if report.status == "unchanged"}
        self.changed = {}
        return found

    def note(self) -> None:
        """Leave the notes of a build that found nothing new, without one."""
        with open_command(self.context, self.context.select(None), 0.0, unobserved) as command:
            compare_all(command)
            for slug in (tenant.slug for tenant in command.open):
                built = read_published_star(self.settings, slug)
                assert built is not None
                command.reports[slug].set_unchanged(built)
            remember_unchanged(command)
        assert self.unchanged() == ALL


@pytest.fixture(scope="module")
def still() -> Iterator[None]:
    """Files that were just written count as still: their times of change cannot be set back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known_contents, "STEP_NS", 0)
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, still: None) -> Home:  # from the first landing on
    folder = tmp_path_factory.mktemp("clones") / "project"
    make_original(folder, 6)
    clone_tenants(folder, 3)
    return Home(folder, {})


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of DuckDB files and exports that are opened, in order."""
    names: list[str] = []
    connect, open_ = duckdb.connect, os.open

    def connected(database: object = ":memory:", *rest: Any, **more: Any) -> duckdb.DuckDBPyConnection:
        names.append(Path(str(database)).name)
        return connect(str(database), *rest, **more)

    def opened_file(path: Any, *rest: Any, **more: Any) -> int:
        names.append(Path(os.fsdecode(path)).name)
        return open_(path, *rest, **more)

    monkeypatch.setattr(duckdb, "connect", connected)
    monkeypatch.setattr(os, "open", opened_file)
    return names


def test_what_a_run_with_nothing_new_opens_does_not_grow_with_the_tenants(home: Home, opened: list[str]) -> None:
    def counts(*slugs: Slug) -> tuple[int, int]:
        opened.clear()
        report = home.run(*slugs)
        assert {tenant.status for tenant in report.tenants} == {"unchanged"}
        return opened.count("hub.duckdb"), sum(name.endswith(".jsonl") for name in opened)

    home.run()  # reads what was cloned
    shutil.rmtree(home.settings.home / "landing", ignore_errors=True)
    for slug in ALL:
        home.settings.unchanged_note(slug_of(slug)).unlink()
    step_by_step_of_one, step_by_step = counts(ORIGINAL), counts()
    assert step_by_step == step_by_step_of_one
    assert step_by_step[1] == 0
    of_one, of_all = counts(ORIGINAL), counts()
    assert of_all == of_one
    assert of_all[0] < step_by_step[0]
    assert of_all[1] == 0


def test_an_unchanged_tenant_is_reported_as_step_by_step(home: Home) -> None:
    for slug in ALL:
        home.settings.unchanged_note(slug_of(slug)).unlink(missing_ok=True)
    first, again = home.run(), home.run()
    assert {step for _, step in home.steps(first)} == {"words", "land", "push"}
    assert home.steps(again) == set()
    assert again.to_dict()["tenants"] == first.to_dict()["tenants"]


def _exports(home: Home) -> Path:
    return home.folder / ONE


def _rewrite(path: Path, old: str, new: str) -> None:
    path.chmod(0o600)
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def _published(home: Home, name: str) -> Path:
    folder = home.settings.published(ONE)
    return folder / str(latest_run_id(folder)) / name


def _restored_time(home: Home) -> None:
    path = _exports(home) / "shop/orders.jsonl"
    before = path.stat()
    _rewrite(path, "10.50", "99.50")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replaced(home: Home) -> None:
    path = _exports(home) / "shop/orders.jsonl"
    shutil.copy2(path, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


CHANGES: Mapping[str, Callable[[Home], object]] = {
    "a new export": lambda home: bring_order(_exports(home) / "shop", 9),
    "an export with a restored time": _restored_time,
    "an export that was replaced": _replaced,
    "an export that is gone": lambda home: (_exports(home) / "ads/campaigns.jsonl").unlink(),
    "a manifest beside exports": lambda home: (_exports(home) / "shop/x_MANIFEST.json").write_text("{}"),
    "a damaged star": lambda home: home.settings.stars(ONE).write_bytes(b"none"),
    "a published file that is gone": lambda home: _published(home, "semantic.yml").unlink(),
    "another pointer": lambda home: _rewrite(home.settings.published(ONE) / POINTER, "}", " }"),
    "a note that is gone": lambda home: home.settings.stars(ONE).with_name("landed.json").unlink(),
    "a generated file that was edited": lambda home: _rewrite(
        home.settings.home / "dbt" / ONE / "push/dbt_project.yml", "name", "nome"
    ),
    "a partition of bronze that came": lambda home: (
        home.settings.home / "bronze" / ONE / "shopify/main/orders/ingest_dt=2026-01-01"
    ).mkdir(parents=True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_tenant_with_any_change_is_looked_at_step_by_step_and_the_others_are_not(home: Home, change: str) -> None:
    place = home.settings.home
    kept = [place / "tenants" / ONE, place / "published" / ONE, place / "dbt" / ONE, place / "bronze" / ONE]
    kept = [path for path in (*kept, home.folder / ONE) if path.exists()]
    for path in kept:
        shutil.copytree(path, path.with_name(f".kept-{path.name}"), copy_function=shutil.copy2)
    home.note()
    CHANGES[change](home)
    try:
        assert home.unchanged() == ALL - {ONE}
    finally:
        for path in (*kept, place / "bronze" / ONE):
            shutil.rmtree(path, ignore_errors=True)
        for path in kept:
            path.with_name(f".kept-{path.name}").replace(path)


def test_a_hub_that_somebody_else_wrote_is_looked_at_step_by_step(home: Home) -> None:
    home.note()
    with write_hub(home.settings) as hub:
        hub.execute("create table of_somebody (number integer)")
    assert home.unchanged() == set()
    assert home.unchanged() == set()
    with write_hub(home.settings) as hub:
        hub.execute("drop table of_somebody")
    home.note()


def test_a_hub_that_a_command_writes_before_it_builds_is_looked_at_step_by_step(home: Home) -> None:
    home.note()
    with open_command(home.context, home.context.select(None), 0.0, unobserved) as command:
        with write_hub(home.settings) as hub:
            hub.execute("create table of_a_replay (number integer)")
            hub.execute("drop table of_a_replay")
            hub.execute("checkpoint")
        compare_all(command)
        assert _statuses(command) == {"pending"}


def _statuses(command: BuildCommand) -> set[str]:
    return {report.status for report in command.reports.values()}


def test_rows_of_the_ledger_that_were_lost_are_made_again(home: Home) -> None:
    home.note()
    with Ops(home.settings.ops) as ops, ops.transaction() as database:
        database.execute("delete from source_freshness where tenant = ?", (ONE,))
    assert home.unchanged() == ALL - {ONE}


def test_other_settings_or_another_configuration_are_looked_at_step_by_step(home: Home) -> None:
    home.note()
    assert home.unchanged({"build_memory": "2GB", "threads": 2}) == ALL
    assert home.unchanged({"rollups": False}) == set()
    home.note()
    tenants = home.settings.tenants
    text = tenants.read_text(encoding="utf-8")
    tenants.write_text(text.replace("business_name: Small Shop", "business_name: Great Shop", 1), encoding="utf-8")
    assert home.unchanged() == ALL - {ORIGINAL}
    tenants.write_text(text, encoding="utf-8")


def test_a_new_day_alone_changes_nothing_until_a_delivery_is_overdue(home: Home) -> None:
    home.note()
    today = home.settings.day()
    assert home.unchanged({"today": today + timedelta(days=1)}) == ALL
    assert home.unchanged({"today": today + timedelta(days=60)}) == set()


def test_exports_just_written_are_compared_by_content(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.note()
    monkeypatch.setattr(known_contents, "STEP_NS", 10**18)
    assert home.unchanged() == set()


def test_whoever_asks_for_it_looks_at_every_tenant_step_by_step(home: Home) -> None:
    home.note()
    assert {slug for slug, step in home.steps(home.run(verifies=True)) if step == "land"} == ALL


def test_a_step_of_another_command_is_no_ground_to_skip_a_tenant(home: Home) -> None:
    home.note()
    land_only(home.context, [ONE])
    assert home.unchanged() == ALL - {ONE}


def test_a_tenant_whose_comparison_fails_is_met_by_its_steps(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    from server.orchestration.comparison import tenant_seen

    home.note()
    stamps = tenant_seen.source_stamps

    def broken(tenant: Any, settings: Settings) -> Any:  # Any: as source_stamps
        if tenant.slug == ONE:
            raise ZeroDivisionError
        return stamps(tenant, settings)

    monkeypatch.setattr(tenant_seen, "source_stamps", broken)
    assert home.unchanged() == ALL - {ONE}


def test_a_plan_opens_the_hub_once(home: Home, opened: list[str]) -> None:
    assert {entry["action"] for entry in plan_builds(home.context)} == {"unchanged"}
    assert opened.count("hub.duckdb") == 1


def test_a_file_that_comes_between_runs_with_nothing_new_is_published(home: Home) -> None:
    home.note()
    bring_order(home.folder / ORIGINAL / "shop", 55)
    report = home.run()
    assert {tenant.tenant: tenant.status for tenant in report.tenants} == {
        ORIGINAL: "published",
        ONE: "unchanged",
        OTHER: "unchanged",
    }
    assert {slug for slug, _ in home.steps(report)} == {ORIGINAL}
    assert report.tenants[0].rows[f"fct_{ORIGINAL}__orders"] == 5
