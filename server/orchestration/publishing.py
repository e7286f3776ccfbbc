"""Publishing of a rebuilt star: stages a copy, derives its definitions, compiles every metric, commits the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.config.slug import Slug
from pipeline.config.tenant import Tenant
from pipeline.errors import PublishError
from pipeline.gates.finding import Finding, findings_json, with_since
from pipeline.gates.gate_result import GateResult, failed_sentences, found, rules_of
from pipeline.gates.landing_gates import enforce
from pipeline.gates.run_measures import RunMeasures, TableMeasures, measures_json
from pipeline.ingest.deliveries.delivered_days import DeliveredDays
from pipeline.publish.damage import Stamp, stamps
from pipeline.publish.run_files import (
    CATALOG_JSON,
    CATALOG_SCHEMA,
    COVERAGE,
    DEFINITIONS,
    FINDINGS,
    MEASURES,
    ROLLUPS,
    STARS,
)
from pipeline.publish.run_history import published_run
from pipeline.publish.run_manifest import PublishedRollups, published_file
from pipeline.publish.run_store import Published, Staged, commit, link_rollups, prune, stage
from pipeline.settings import Settings
from pipeline.storage.build_memory import duckdb_memory
from pipeline.storage.disk import explain_os_error, replace_text
from pipeline.storage.run_id import new_run_id
from warehouse.build.models_file import publish_models, push_models_file
from warehouse.build.star import StarBuild
from warehouse.own_models.own_models import own_descriptions
from warehouse.projects.star_project import star_tables

if TYPE_CHECKING:
    from semantic.answering.known_answers.ask_known import AskedQuestion
    from semantic.answering.semantic_model import SemanticModel
    from semantic.definitions.found.find_tables import StarTables
    from server.orchestration.build_context import BuildContext

RUNS_KEPT = 10


class BuildNote(BaseModel):
    """A note stored beside a star or a run, to identify it later."""

    model_config = ConfigDict(frozen=True)

    findings: tuple[str, ...] = ()
    measured: tuple[Finding, ...] = ()
    """What the tests of the star found."""


class LandedNote(BaseModel):
    """The note of a tenant's last landing: what of its files is in no table, and which days were delivered."""

    model_config = ConfigDict(frozen=True)

    findings: tuple[Finding, ...] = ()
    delivered: tuple[DeliveredDays, ...] = ()
    sinks: tuple[GateResult, ...] = ()
    """What the sinks were judged to be after the last push of each object."""


class FinishedStar(BuildNote):
    """The note of a star after its build and checks: the digest of its inputs."""

    inputs: str
    star_bytes: int | None = None
    """The size of its file; None when an earlier release built it."""
    measures: tuple[TableMeasures, ...] = ()
    failures: tuple[str, ...] | None = None
    """What failed in its checks and was a note then; None when an earlier release built it."""


class PublishedStar(BuildNote):
    """The note of a tenant's last published run: a tenant with unchanged inputs is not built again."""

    inputs: str
    run_id: str
    rows: dict[str, int]
    landed: tuple[Finding, ...] = ()
    """What the landing before it found."""
    delivered: tuple[DeliveredDays, ...] = ()
    """The days that were delivered before it."""
    undamaged_at: dict[str, Stamp] = {}
    """By run and file, the modification stamps of DuckDB files that were found undamaged."""
    judged: tuple[GateResult, ...] = ()
    """The results of the gates of the run itself."""

    @property
    def details(self) -> tuple[Finding, ...]:
        """What all gates found in its data."""
        return (*self.landed, *self.measured, *found(self.judged))


AnyNote = TypeVar("AnyNote", bound=BaseModel)


def read_note(kind: type[AnyNote], path: Path) -> AnyNote | None:
    """Read a note; None where it is missing or damaged: in both cases its star or run is made again."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def write_note(note: BaseModel, path: Path) -> None:
    replace_text(path, note.model_dump_json(indent=2) + "\n")


def read_published_star(settings: Settings, slug: Slug) -> PublishedStar | None:
    """The note of the last publish; None where there is none, and the tenant has to be built."""
    return read_note(PublishedStar, _built(settings, slug))


def write_built(settings: Settings, slug: Slug, built: PublishedStar) -> None:
    write_note(built, _built(settings, slug))


def read_landed(settings: Settings, slug: Slug) -> LandedNote:
    """The note of the tenant's last landing; an empty one before the first."""
    return read_note(LandedNote, _landed(settings, slug)) or LandedNote()


def write_landed(settings: Settings, slug: Slug, note: LandedNote) -> None:
    path = _landed(settings, slug)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_note(note, path)


def read_finished(settings: Settings, slug: Slug) -> FinishedStar | None:
    """The note of the current star; None while it is unfinished."""
    return read_note(FinishedStar, _finished(settings, slug))


def begin_star(settings: Settings, slug: Slug) -> None:
    """Remove the note of a star before its rebuild: an unfinished star cannot be published."""
    _finished(settings, slug).unlink(missing_ok=True)


def finish_star(settings: Settings, slug: Slug, inputs: str, findings: tuple[str, ...], star: StarBuild) -> None:
    """Write the note of a star that is complete and has passed its checks."""
    note = FinishedStar(
        inputs=inputs,
        findings=findings,
        measured=star.measured,
        star_bytes=settings.stars(slug).stat().st_size,
        measures=star.measures,
        failures=star.failures,
    )
    write_note(note, _finished(settings, slug))


def publish_finished(tenant: Tenant, context: BuildContext) -> PublishedStar:
    """Publish the star that was built last, with the inputs of its note.

    Raises:
        PublishError: No star was finished since the last attempt.
    """
    finished = read_finished(context.settings, tenant.slug)
    if finished is None:
        raise PublishError(
            f"{tenant.slug} has no finished star.", f"Run `gata transform --tenant {tenant.slug}` first."
        )
    return publish_star(tenant, context.settings, finished.inputs, finished.findings, finished.measured)


def publish_star(
    tenant: Tenant,
    settings: Settings,
    inputs: str,
    findings: tuple[str, ...] = (),
    measured: tuple[Finding, ...] = (),
) -> PublishedStar:
    """Publish the tenant's current star, with the definitions derived from it and what gates found in its data.

    Args:
        tenant: Whose star it is.
        settings: Where it is.
        inputs: The digest of what it was built from.
        findings: Sentences about it.
        measured: What its tests found; what its last landing found is published with them.

    Raises:
        PublishError: There is no star, or the disk refuses; readers keep the run they have.
        ConfigError: `semantic:` in tenants.yaml asks for something the star does not have.
        BuildError: A metric does not compile.
    """
    landed, finished = read_landed(settings, tenant.slug), read_finished(settings, tenant.slug)
    run = publish_file(
        tenant,
        settings,
        settings.stars(tenant.slug),
        new_run_id(settings.now()),
        known=(*landed.findings, *measured),
        delivered=landed.delivered,
        measures=finished.measures if finished else (),
    )
    published = run.published
    undamaged = {f"{published.run_id}/{name}": stamp for name, stamp in stamps(published.path).items()}
    built = PublishedStar(
        inputs=inputs,
        run_id=published.run_id,
        rows=table_rows(published),
        findings=(*findings, *(each.sentence for each in found(run.judged) if each.sentence not in findings)),
        measured=run.known[len(landed.findings) : len(landed.findings) + len(measured)],
        landed=run.known[: len(landed.findings)],
        delivered=landed.delivered,
        undamaged_at=undamaged,
        judged=run.judged,
    )
    write_built(settings, tenant.slug, built)
    return built


@dataclass(frozen=True)
class NewRun:
    """A run that was just published, with what its own gates found."""

    published: Published
    known: tuple[Finding, ...]
    """The findings that it was published with, each since its first run: those given, in their order, and its own."""
    judged: tuple[GateResult, ...]


def publish_file(
    tenant: Tenant,
    settings: Settings,
    stars: Path,
    run_id: str,
    definitions: str | None = None,
    *,
    known: Sequence[Finding] = (),
    delivered: Sequence[DeliveredDays] = (),
    measures: Sequence[TableMeasures] = (),
) -> NewRun:
    """Publish a star file under a run id, with findings, measures and the days it covers.

    Its definitions are derived from it when none are given.

    Raises:
        PublishError, ConfigError, BuildError: As for `publish_star`.
        GateFailed: A gate of the run failed in strict mode; readers keep the run they have.
    """
    from semantic.answering.export import catalog_json_schema, export_catalog
    from semantic.answering.guard.run_gates import run_results
    from semantic.answering.known_answers.ask_known import answered_right
    from semantic.answering.known_answers.gate_results import known_answer_results
    from semantic.answering.validate import validate_run
    from semantic.catalog.coverage import coverage_json
    from semantic.definitions.derive_coverage import derive_coverage

    star = tables_of(tenant, stars)
    layout = {table.table_name(tenant.slug): table.order_by for table in star.tables}
    staged = stage(stars, settings.published(tenant.slug), run_id, tenant.slug, layout, memory=duckdb_memory(settings))
    with explain_os_error(staged.folder, tenant.slug):
        publish_models(stars, push_models_file(settings, tenant.slug), staged.path)
    text = definitions or derive_definitions(tenant, staged.path / STARS, star)
    covered = derive_coverage(tenant, staged.path / STARS, delivered, star.tables)
    _write_texts(staged, {DEFINITIONS: text, COVERAGE: coverage_json(covered)})
    model = validate_run(staged.path)
    before = published_run(settings, tenant.slug)
    rules = rules_of(tenant, settings)
    judged, totals = run_results(
        model,
        staged.path / STARS,
        rules,
        today=settings.day(),
        before=before.measures.metrics,
        memory=duckdb_memory(settings),
    )
    asked = ask_own_questions(tenant, model, staged.path / STARS, settings)
    judged += known_answer_results(asked, rules, model.catalog)
    enforce(tenant.slug, failed_sentences(judged), strict=settings.strict, results=judged)
    listed = with_since((*known, *found(judged)), before.findings, run_id)
    measured = RunMeasures(tables=tuple(measures), metrics=tuple(totals), verified=answered_right(asked))
    texts = {CATALOG_JSON: export_catalog(model, run_id=run_id), CATALOG_SCHEMA: catalog_json_schema()}
    _write_texts(staged, {**texts, FINDINGS: findings_json(listed), MEASURES: measures_json(measured)})
    rollups = _rollups(staged, text, settings) if settings.rollups else None
    published = commit(staged, text, now=settings.now(), rollups=rollups)
    prune(settings.published(tenant.slug), RUNS_KEPT)
    own = iter(listed[len(known) :])
    results = tuple(each.model_copy(update={"finding": next(own)}) if each.finding else each for each in judged)
    return NewRun(published, listed, results)


def ask_own_questions(tenant: Tenant, model: SemanticModel, stars: Path, settings: Settings) -> list[AskedQuestion]:
    """Ask the questions of the tenant's own list of a star; none where their gate is off."""
    from semantic.answering.known_answers.ask_known import ask_known
    from semantic.answering.known_answers.gate_results import GATE
    from semantic.answering.sandboxed_star import sandboxed

    if not tenant.questions or not rules_of(tenant, settings).is_on(GATE):
        return []
    day = settings.today or settings.now()
    with sandboxed(stars, settings) as cursor:
        return list(ask_known(tenant.questions, model, cursor, star=stars, today=day, settings=settings))


def _write_texts(staged: Staged, texts: Mapping[str, str]) -> None:
    with explain_os_error(staged.folder, staged.slug):
        for name, text in texts.items():
            (staged.path / name).write_text(text, encoding="utf-8")


def _rollups(staged: Staged, definitions: str, settings: Settings) -> PublishedRollups | None:
    """The rollups of a staged run: those of an equal earlier run, else new ones; None without a large fact.

    A run without them gives the same answers, slower: an error here is reported, and does not stop the publish.
    """
    import duckdb

    from pipeline.bug_reports import report_bug
    from semantic.answering.rollups import build_rollups

    if linked := link_rollups(staged, definitions):
        return linked
    file = staged.path / ROLLUPS
    try:
        rollups = build_rollups(staged.path, file, least_rows=settings.rollup_rows, memory=duckdb_memory(settings))
    except duckdb.Error as error:
        report_bug(error, call=f"rollups of {staged.slug}")
        rollups = ()
    if not rollups:
        file.unlink(missing_ok=True)
        return None
    return PublishedRollups(file=published_file(staged.path, ROLLUPS), rollups=rollups)


def tables_of(tenant: Tenant, stars: Path) -> StarTables:
    """The tables of a star file: those that every tenant has, and those that the tenant's own models made.

    Raises:
        BuildError: The file cannot be read.
        ConfigError: The meta of a model, or its yml, is wrong.
    """
    from semantic.definitions.found.find_tables import find_tables
    from semantic.definitions.introspect import open_star

    with open_star(stars, tenant.slug) as connection:
        return find_tables(connection, tenant.slug, star_tables(tenant), own_descriptions(tenant))


def derive_definitions(tenant: Tenant, stars: Path, star: StarTables) -> str:
    """The text of semantic.yml for a star file of the tenant, whose tables are known.

    Raises:
        ConfigError: `semantic:` in tenants.yaml asks for something the star does not have.
        BuildError: The file cannot be read.
    """
    from semantic.definitions.derive import definitions_yaml, derive
    from semantic.definitions.introspect import introspect

    observed = introspect(stars, star.tables, tenant.slug)
    derived = derive(tenant, star.tables, observed, descriptions=star.descriptions, candidates=star.candidates)
    return definitions_yaml(derived)


def table_rows(published: Published) -> dict[str, int]:
    return {table.name: table.rows for table in published.manifest.tables}


def _built(settings: Settings, slug: Slug) -> Path:
    return settings.stars(slug).with_name("built.json")


def _landed(settings: Settings, slug: Slug) -> Path:
    return settings.stars(slug).with_name("landed.json")


def _finished(settings: Settings, slug: Slug) -> Path:
    return settings.stars(slug).with_name("finished.json")
