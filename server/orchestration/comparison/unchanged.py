"""The steps that tell unchanged tenants from the others: the first and the last of a build.

    compare_all          a tenant that is as the last build that found nothing new saw it is unchanged: done
    remember_unchanged   leaves a note of each tenant of which this build, step by step, found nothing new

A tenant that any step works for loses its note first. What is compared: `BuildDigests`.
"""

from __future__ import annotations

from pipeline.bug_reports import report_bug
from pipeline.config.tenant import Tenant
from pipeline.errors import GataError
from pipeline.gates.gate_result import found
from pipeline.log import log
from server.orchestration.build_command import BuildCommand
from server.orchestration.comparison.files_seen import UnsettledFile
from server.orchestration.comparison.tenant_seen import BuildDigests, UnchangedNote
from server.orchestration.publishing import read_landed, read_note, write_note

WHY = "All that a build looks at is as it was when the last one found nothing new."


def compare_all(command: BuildCommand) -> None:
    """Set unchanged tenants apart; the others are compared again, step by step."""
    settings, digests = command.context.settings, BuildDigests(command.context, command.ops)
    generation = command.hub_seen.refresh().generation
    is_asked = command.is_full or command.verifies
    for tenant in command.open:
        path, inputs = settings.unchanged_note(tenant.slug), _inputs(digests, tenant)
        note = read_note(UnchangedNote, path)
        is_same = note is not None and inputs == note.inputs and note.generation == generation
        if note and is_same and not is_asked and digests.is_as_left(tenant, note):
            command.reports[tenant.slug].set_as_before(note.rows, note.findings, note.details)
            continue
        path.unlink(missing_ok=True)
        if inputs is not None:
            command.inputs_seen[tenant.slug] = inputs
    slugs = [tenant.slug for tenant in _unchanged(command)]
    command.ops.skip_all(command.run_id, slugs, step="stars", detail=WHY)


def remember_unchanged(command: BuildCommand) -> None:
    """Note what was seen of each unchanged tenant; one whose sinks have findings is judged anew by each build."""
    settings, digests = command.context.settings, BuildDigests(command.context, command.ops)
    for tenant in _unchanged(command):
        path, report = settings.unchanged_note(tenant.slug), command.reports[tenant.slug]
        inputs = command.inputs_seen.get(tenant.slug)
        if inputs is None or path.exists() or found(read_landed(settings, tenant.slug).sinks):
            continue
        note = UnchangedNote(
            generation=command.hub_seen.generation,
            inputs=inputs,
            left=digests.left(tenant),
            day=settings.day(),
            due=digests.due(tenant),
            rows=report.rows,
            findings=tuple(report.findings),
            details=tuple(report.details),
        )
        write_note(note, path)


def _unchanged(command: BuildCommand) -> list[Tenant]:
    return [tenant for tenant in command.tenants if command.reports[tenant.slug].status == "unchanged"]


def _inputs(digests: BuildDigests, tenant: Tenant) -> str | None:
    """The digest of a tenant's inputs; None where they cannot be told apart by stamps: then the steps say what is."""
    try:
        return digests.inputs(tenant)
    except UnsettledFile:
        log.debug("compared_by_content", tenant=tenant.slug)
    except (GataError, OSError) as error:
        log.debug("not_compared", tenant=tenant.slug, what=str(error))
    except Exception as error:  # noqa: BLE001  # of whatever kind, it is this tenant's, and its steps will meet it
        report_bug(error, call=f"compare {tenant.slug}")
    return None
