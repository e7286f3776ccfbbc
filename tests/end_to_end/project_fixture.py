"""A project fixture: the product in a temporary folder, built and asked by the functions that every interface uses."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.log import configure_log
from pipeline.settings import Settings
from semantic.planning.query import read_query
from server.orchestration.build_context import BuildContext, open_build_context
from server.orchestration.build_report import BuildReport
from server.orchestration.verbs import build
from server.serving import tools
from server.serving.runs.published_runs import PublishedRuns
from tests.library import with_library


@dataclass(frozen=True)
class Project:
    """A project in a folder: its settings, and how to build and ask."""

    settings: Settings

    @property
    def context(self) -> BuildContext:
        return open_build_context(self.settings)

    def build(self, **options: Any) -> BuildReport:
        report = build(self.context, **options)
        assert report.exit_code == 0, report.to_dict()
        return report

    def ask(self, slug: str, **query: Any) -> dict[str, Any]:
        runs = PublishedRuns(self.settings)
        try:
            with runs.run(slug) as run, run.cursor() as cursor:
                return tools.query(run, read_query(query), cursor, self.settings).to_dict()
        finally:
            runs.close()

    def number(self, slug: str, metric: str, **query: Any) -> Any:
        """The one number a metric comes to."""
        ((value,),) = self.ask(slug, metrics=[metric], **query)["rows"]
        return value


def copy_project(built: Project, folder: Path, *, tenants: str | None = None, **settings: Any) -> Project:
    """Copy a built project with its files into a folder of its own, for a test that changes it."""
    shutil.copytree(built.settings.tenants.parent, folder, dirs_exist_ok=True)
    path = folder / "tenants.yaml"
    if tenants is not None:
        path.write_text(tenants, encoding="utf-8")
    unset = built.settings.model_dump(exclude_unset=True)
    return Project(Settings(**unset | {"home": folder / "state", "tenants": path} | settings))


def open_project(
    folder: Path, tenants: str, *, today: date = date(2026, 11, 21), bare: bool = False, **more: Any
) -> Project:
    """Create a project whose tenants.yaml is `tenants`; only the library is built, and nothing where it is `bare`.

    One thread builds all, as each process of a pool would load dbt anew: a test of several tenants that is about
    more asks for `threads`, and `make run` of the README has them.
    """
    configure_log()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tenants.yaml"
    path.write_text(tenants, encoding="utf-8")
    settings = Settings(home=folder / "state", tenants=path, today=today, **{"threads": 1} | more)
    if not bare:
        with_library(settings)
    return Project(settings)
