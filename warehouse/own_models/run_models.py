"""Runs a tenant's own models and their tests on a star, in a process of warehouse/confined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from pipeline.config.tenant import Tenant
from pipeline.errors import BuildError
from pipeline.gate_rules.gate_settings import GateRules
from pipeline.gates.finding import Finding, FindingKind
from pipeline.gates.gate_result import GateResult, result_of_test, rules_of
from pipeline.settings import Settings
from warehouse.confined.run_confined import Event, run_work
from warehouse.confined.star_process import ConfinedSelect
from warehouse.own_models.column_tests import failures_query, failures_sentence
from warehouse.own_models.file_line import FileLine
from warehouse.own_models.own_models import OwnModel, short_name
from warehouse.own_models.schema_file import ColumnTest
from warehouse.run_dbt import Node


@dataclass(frozen=True)
class Outcome:
    """What one model or test came to."""

    node: Node
    started_at: datetime
    """In UTC, as the times of dbt."""
    seconds: float
    test: ColumnTest | None = None


@dataclass(frozen=True)
class OwnBuild:
    """What the models of a tenant came to."""

    started_at: datetime
    """In UTC."""
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
    started_at = datetime.now(UTC)
    if not models:
        return OwnBuild(started_at)
    rules = rules_of(tenant, settings)
    tests = [(model, test) for model in models for test in model.tests if rules.is_on(test.test)]
    report = _Report(tenant, tests, rules, {model.name: model for model in models}, settings)
    events = run_work(
        star,
        settings,
        seconds=settings.model_timeout,
        models=[(model.name, model.template.rendered()) for model in built],
        selects=[ConfinedSelect(failures_query(model, test)) for model, test in tests],
    )
    for event in events:
        report.add(event)
    return OwnBuild(started_at, tuple(report.outcomes), tuple(report.results))


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

    def add(self, event: Event) -> None:
        if "model" in event:
            self.model = self.models[event["model"]]
        elif "select" in event:
            self.model, self.test = self.tests[event["select"]]
        elif "error" in event:
            raise self._error(event)
        elif "count" in event and self.model:
            self._built(self.model, event)
        elif "rows" in event and self.model and self.test:
            self._tested(self.model, self.test, event)

    def _built(self, model: OwnModel, event: Event) -> None:
        for column, place in (model.words.columns if model.words else {}).items():
            if column not in event["columns"]:
                fix = f"It has {', '.join(event['columns'][:20])}: describe one of these."
                raise BuildError(f"{place}: {model.name} has no column named {column!r}.", fix)
        self.rows[model.name] = event["count"]
        self.outcomes.append(Outcome(_model_node(model, event), _began(event), event["seconds"]))

    def _tested(self, model: OwnModel, test: ColumnTest, event: Event) -> None:
        ((failures,),) = event["rows"]
        finding = self._finding(model, test, failures) if failures else None
        result = result_of_test(self.rules, test.test, short_name(model.name), finding, failed=True)
        self.results.append(result)
        self.outcomes.append(Outcome(_test_node(model, test, failures), _began(event), event["seconds"], test))

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


def _began(event: Event) -> datetime:
    return datetime.fromtimestamp(event["began"], UTC)


def _model_node(model: OwnModel, event: Event) -> Node:
    return Node(
        name=model.name,
        kind="model",
        status="success",
        failures=None,
        message="",
        sql=model.template.rendered(),
        reads=model.depends_on,
        rows=event["count"],
    )


def _test_node(model: OwnModel, test: ColumnTest, failures: int) -> Node:
    return Node(
        name=f"{test.test}_{model.name}_{test.column}",
        kind="test",
        status="fail" if failures else "pass",
        failures=failures,
        message="",
        sql=failures_query(model, test),
        checks=model.name,
        test=test.test,
        column=test.column,
    )
