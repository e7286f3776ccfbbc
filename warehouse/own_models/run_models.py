"""Runs a tenant's own models and their tests on a star, in a process of warehouse/own_models/model_process.py."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.config.tenant import Tenant
from pipeline.errors import BuildError
from pipeline.gate_rules.gate_settings import GateRules
from pipeline.gates.finding import Finding, FindingKind
from pipeline.gates.gate_result import GateResult, result_of_test, rules_of
from pipeline.settings import Settings, environment_variables
from warehouse.own_models.column_tests import failures_query, failures_sentence
from warehouse.own_models.file_line import FileLine
from warehouse.own_models.model_process import GRACE_SECONDS, KILLED, Work
from warehouse.own_models.own_models import OwnModel, short_name
from warehouse.own_models.schema_file import ColumnTest
from warehouse.run_dbt import Node

_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH")
"""What an interpreter may need to start; nothing else of the environment reaches the process."""
Event = dict[str, Any]  # Any: JSON values


@dataclass(frozen=True)
class Outcome:
    """What one model or test came to."""

    node: Node
    seconds: float
    test: ColumnTest | None = None


@dataclass(frozen=True)
class OwnBuild:
    """What the models of a tenant came to."""

    outcomes: tuple[Outcome, ...] = ()
    results: tuple[GateResult, ...] = ()

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(each.node for each in self.outcomes)


def build_own_models(tenant: Tenant, models: Sequence[OwnModel], star: Path, settings: Settings) -> OwnBuild:
    """Build the models as tables of a finished star, in their order, and test them.

    Raises:
        BuildError: A model failed, or took more time, memory or disk than it may; names file and line. The star file
            is unfinished.
    """
    return _run(tenant, models, models, star, settings)


def check_own_models(tenant: Tenant, models: Sequence[OwnModel], star: Path, settings: Settings) -> OwnBuild:
    """Test the models of a star as they are.

    Raises:
        BuildError: As for `build_own_models`; also where one was not built yet.
    """
    return _run(tenant, models, (), star, settings)


def _run(
    tenant: Tenant, models: Sequence[OwnModel], built: Sequence[OwnModel], star: Path, settings: Settings
) -> OwnBuild:
    if not models:
        return OwnBuild()
    rules = rules_of(tenant, settings)
    tests = [(model, test) for model in models for test in model.tests if rules.is_on(test.test)]
    report = _Report(tenant, tests, rules, {model.name: model for model in models}, settings)
    for event in _events(built, tests, star, settings):
        report.add(event)
    return report.build()


def _events(
    models: Sequence[OwnModel], tests: Sequence[tuple[OwnModel, ColumnTest]], star: Path, settings: Settings
) -> Iterator[Event]:
    """The events of a run, as its process says them; the last is an error where it did not finish."""
    scratch = settings.home / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=scratch, prefix="models_", ignore_cleanup_errors=True) as folder:
        work = Work(
            star=str(star.absolute()),
            scratch=str(Path(folder).absolute()),
            memory_bytes=settings.query_memory_bytes,
            disk_bytes=settings.query_spill_bytes,
            threads=settings.threads,
            seconds=settings.model_timeout,
            models=[(model.name, model.template.rendered()) for model in models],
            tests=[failures_query(model, test) for model, test in tests],
        )
        said = _process(work, folder)
    yield from said


def _process(work: Work, folder: str) -> list[Event]:
    environment = {name: value for name, value in environment_variables().items() if name in _VARIABLES}
    with subprocess.Popen(  # our own program
        [sys.executable, "-P", "-m", "warehouse.own_models.model_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=environment,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            said, _ = process.communicate(work.text(), timeout=work.seconds + 4 * GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()[0] + "\n" + json.dumps({"error": "time"})
        except BaseException:
            process.kill()
            raise
    events: list[Event] = []
    for line in said.splitlines():
        with suppress(ValueError):  # a line that its end cut short
            events.append(json.loads(line))
    if not events or not ("finished" in events[-1] or "error" in events[-1]):
        events.append({"error": _cause(process.returncode)})
    return events


def _cause(returncode: int) -> str:
    """Why a process ended before it said so: at its deadline, or by a signal, which a lack of memory comes to."""
    return "time" if returncode == KILLED else "memory" if returncode < 0 else f"exit code {returncode}"


class _Report:
    """Turns the events of a run into nodes and results."""

    def __init__(
        self,
        tenant: Tenant,
        tests: Sequence[tuple[OwnModel, ColumnTest]],
        rules: GateRules,
        models: dict[str, OwnModel],
        settings: Settings,
    ) -> None:
        self.tenant, self.tests, self.rules, self.models, self.settings = tenant, tests, rules, models, settings
        self.outcomes: list[Outcome] = []
        self.results: list[GateResult] = []
        self.rows: dict[str, int] = {}
        self.model: OwnModel | None = None
        self.test: ColumnTest | None = None

    def build(self) -> OwnBuild:
        return OwnBuild(tuple(self.outcomes), tuple(self.results))

    def add(self, event: Event) -> None:
        if "model" in event:
            self.model = self.models[event["model"]]
        elif "test" in event:
            self.model, self.test = self.tests[event["test"]]
        elif "error" in event:
            raise self._error(event)
        elif "rows" in event and self.model:
            self._built(self.model, event)
        elif "failures" in event and self.model and self.test:
            self._tested(self.model, self.test, event)

    def _built(self, model: OwnModel, event: Event) -> None:
        for column, place in (model.words.columns if model.words else {}).items():
            if column not in event["columns"]:
                fix = f"It has {', '.join(event['columns'][:20])}: describe one of these."
                raise BuildError(f"{place}: {model.name} has no column named {column!r}.", fix)
        self.rows[model.name] = event["rows"]
        self.outcomes.append(Outcome(_model_node(model, event), event["seconds"]))

    def _tested(self, model: OwnModel, test: ColumnTest, event: Event) -> None:
        finding = self._finding(model, test, event["failures"]) if event["failures"] else None
        result = result_of_test(self.rules, test.test, short_name(model.name), finding, failed=True)
        self.results.append(result)
        self.outcomes.append(Outcome(_test_node(model, test, event), event["seconds"], test))

    def _finding(self, model: OwnModel, test: ColumnTest, failures: int) -> Finding:
        name = short_name(model.name)
        rows = self.rows.get(model.name, 0)
        return Finding(
            kind=FindingKind.OTHER,
            sentence=failures_sentence(model, test, failures),
            rule=test.test,
            table=name,
            value=Decimal(failures),
            threshold=Decimal(0),
            facts=(name,),
            columns=() if test.test == "unique" else (test.column,),
            records=failures,
            next_step=f"Correct the model, or its test at {test.place}.",
            weight=min(1.0, failures / rows) if rows else 1.0,
        )

    def _error(self, event: Event) -> BuildError:
        model = self.model
        if model is None:
            what = f"The own models of {self.tenant.slug} could not be run: their process ended ({event['error']})."
            return BuildError(what, "Run the build again; the published run is still served.")
        place = self.test.place if self.test else model.place.at(event.get("line", 1))
        return BuildError(*self._sentences(event, model, place))

    def _sentences(self, event: Event, model: OwnModel, place: FileLine) -> tuple[str, str]:
        name, kind, settings = f"{place}: {model.name}", event["error"], self.settings
        of_slug = f"the published run of {self.tenant.slug} is still served"
        if kind == "taken":
            return f"{name} is the name of a table of the star.", "Give the file a name of its own."
        if kind == "time":
            what = f"{name} was stopped: the models of a tenant may run {settings.model_timeout:g} seconds."
            return what, f"Join and read less, or raise GATA_MODEL_TIMEOUT; {of_slug}."
        if kind == "memory":
            what = f"{name} was stopped: it needs more memory than {settings.query_memory}."
            return what, f"Read less at once, or raise GATA_QUERY_MEMORY; {of_slug}."
        if kind == "disk":
            what = f"{name} was stopped: it writes more to disk than {settings.query_spill}, or the disk is full."
            return what, f"Keep fewer rows, or raise GATA_QUERY_SPILL; {of_slug}."
        what = event.get("message") or f"its process ended with {kind}"
        return f"{name} failed: {what.rstrip('.')}.", f"Correct it, and build again; {of_slug}."


def _model_node(model: OwnModel, event: Event) -> Node:
    return Node(
        name=model.name,
        kind="model",
        status="success",
        failures=None,
        message="",
        sql=model.template.rendered(),
        reads=model.depends_on,
        rows=event["rows"],
    )


def _test_node(model: OwnModel, test: ColumnTest, event: Event) -> Node:
    return Node(
        name=f"{test.test}_{model.name}_{test.column}",
        kind="test",
        status="fail" if event["failures"] else "pass",
        failures=event["failures"],
        message="",
        sql=failures_query(model, test),
        checks=model.name,
        test=test.test,
        column=test.column,
    )
