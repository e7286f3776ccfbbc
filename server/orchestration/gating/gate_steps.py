"""Gates within the steps of a build: what is judged after landing and after the push, and where results are kept."""

from __future__ import annotations

from collections.abc import Collection

from pipeline.config.tenant import Tenant
from pipeline.gate_rules.gate import Severity
from pipeline.gates.finding import Finding
from pipeline.gates.gate_result import GateResult, GateStatus, failed_sentences, found, rules_of, write_results
from pipeline.gates.landing_checks import SAID_BY_FILE, delivery_results, landing_results
from pipeline.gates.landing_findings import landing_findings
from pipeline.gates.landing_gates import drift_failures, enforce, waiting_results
from pipeline.gates.sink_gates import sink_results
from pipeline.ingest.land import Landing
from pipeline.publish.pointer import latest_readable
from pipeline.publish.run_files import STARS
from pipeline.publish.run_history import published_run
from pipeline.settings import Settings
from server.orchestration.build_command import BuildCommand
from server.orchestration.publishing import LandedNote, ask_own_questions, read_landed, write_landed
from warehouse.build.finding_facts import with_facts
from warehouse.build.star import check_star

WAITING = ("quarantine_share", "pass_rate")
"""Gates about quarantined records, of which `landing_findings` has a finding for each object."""


def judge_landing(command: BuildCommand, tenant: Tenant, landing: Landing) -> None:
    """Judge a landing; in strict mode hold all but drifted tables, whose other tables are pushed first.

    Raises:
        GateFailed: A gate failed in strict mode.
    """
    context, report = command.context, command.reports[tenant.slug]
    settings = context.settings
    known = landing_findings(tenant, landing, context.blueprints, settings)
    results = [
        *landing_results(tenant, landing, known, context.blueprints, settings),
        *waiting_results(tenant, settings),
    ]
    report.gates += results
    if rules_of(tenant, settings).severity("contract_holds") is Severity.ERROR:
        command.drifted[tenant.slug] = drift_failures(landing)
    own = [each for each in results if each.gate not in SAID_BY_FILE]
    measured = found(each for each in own if each.gate not in WAITING)
    report.details = [with_facts(finding, tenant, context.blueprints) for finding in known]
    report.details += [finding for finding in measured if finding not in report.details]
    earlier = read_landed(settings, tenant.slug)
    note = LandedNote(findings=tuple(report.details), delivered=landing.delivered, sinks=earlier.sinks)
    write_landed(settings, tenant.slug, note)
    _say(report.findings, found(own))
    held = [each for each in results if each.gate != "contract_holds"]
    enforce(tenant.slug, failed_sentences(held), strict=settings.strict)


def judge_sinks(command: BuildCommand, tenant: Tenant, pushed: Collection[str]) -> None:
    """Judge the sinks after a push of these loads.

    Without any, what they were judged to be holds; it is judged again where that was a finding, and in a full build.

    Raises:
        GateFailed: A gate failed in strict mode.
    """
    settings, report = command.context.settings, command.reports[tenant.slug]
    landed = read_landed(settings, tenant.slug)
    sinks = landed.sinks
    if pushed or command.is_full or found(sinks):
        judged = tuple(sink_results(tenant, command.context.blueprints, settings, pushed or None))
        objects = {_subject(each) for each in judged}
        sinks = (*(each for each in sinks if _subject(each) not in objects), *judged)
    known = tuple(dict.fromkeys((*landed.findings, *found(sinks))))
    noted = landed.model_copy(update={"sinks": sinks, "findings": known})
    if noted != landed:
        write_landed(settings, tenant.slug, noted)
    report.gates += sinks
    report.details += [finding for finding in found(sinks) if finding not in report.details]
    _say(report.findings, found(sinks))
    enforce(tenant.slug, failed_sentences(sinks), strict=settings.strict)


def _subject(result: GateResult) -> tuple[str, str | None]:
    """What a result is about: objects of two platforms may have the same name."""
    return result.table, result.source


def judge_again(command: BuildCommand, tenant: Tenant) -> None:
    """Judge what is there: deliveries, sinks, the star as it was last built, and the run that readers see.

    Raises:
        GateFailed: A gate failed in strict mode.
        BuildError: There is no star.
    """
    context, report = command.context, command.reports[tenant.slug]
    settings = context.settings
    star = check_star(tenant, context.blueprints, settings)
    results = (
        *delivery_results(tenant, read_landed(settings, tenant.slug).delivered, settings),
        *sink_results(tenant, context.blueprints, settings),
        *star.results,
        *_of_run(tenant, settings),
    )
    report.gates += results
    report.details += found(results)
    report.findings += star.notes
    _say(report.findings, found(results, GateStatus.WARNED))
    report.findings += enforce(tenant.slug, failed_sentences(results), strict=settings.strict)


def _of_run(tenant: Tenant, settings: Settings) -> list[GateResult]:
    """The results of the gates of the run that readers see; none before the first."""
    from semantic.answering.guard.run_gates import run_results
    from semantic.answering.known_answers.gate_results import known_answer_results
    from semantic.answering.semantic_model import load_model

    folder = settings.published(tenant.slug)
    if (run_id := latest_readable(folder)) is None:
        return []
    before = published_run(settings, tenant.slug).measures.metrics
    exposed = frozenset(tenant.semantic.get("expose", ()))
    model, rules = load_model(folder / run_id, expose=exposed), rules_of(tenant, settings)
    stars = folder / run_id / STARS
    results, _ = run_results(model, stars, rules, today=settings.day(), before=before)
    return [*results, *known_answer_results(ask_own_questions(tenant, model, stars, settings), rules, model.catalog)]


def _say(sentences: list[str], findings: Collection[Finding]) -> None:
    """Add the sentences of findings that are not there yet."""
    sentences += [s for s in dict.fromkeys(finding.sentence for finding in findings) if s not in sentences]


def keep_results(command: BuildCommand) -> None:
    """Write the results of the gates of every tenant that the command did something for."""
    for tenant in command.tenants:
        report = command.reports[tenant.slug]
        if report.gates and report.status != "unchanged":
            write_results(command.context.settings, command.run_id, tenant.slug, report.gates)
