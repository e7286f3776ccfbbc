"""Verb that asks the questions of tenants' own lists, and says which the published run answers as it is known."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from server.cli.options import AsJson, Tenants, read_command_settings

if TYPE_CHECKING:
    from pipeline.config.tenant import Tenant
    from pipeline.config.tenants_file import TenantsFile
    from pipeline.settings import Settings


def verify(tenants: Tenants = None, as_json: AsJson = False) -> None:
    """Ask the questions of `questions:` in tenants.yaml, and compare each answer with the known one.

    Each is right, wrong or refused. Exit 0 where all are right, 3 where one is not.
    """
    settings = read_command_settings()
    from server.cli.output.stdout import print_json, print_text
    from server.orchestration.build_context import open_build_context
    from server.orchestration.build_report import GATE, INPUT

    manifest = open_build_context(settings).manifest
    chosen = _chosen(manifest, tenants or ([settings.tenant] if settings.tenant else []))
    verified = [_verified(tenant, settings) for tenant in chosen]
    print_json({"tenants": verified}) if as_json else print_text(_text(verified))
    refused = [] if tenants else [entry for entry in manifest.refused if entry.status != "pending"]
    for entry in refused:
        sys.stderr.write(f"{entry.error}\n")
    if any(question["verdict"] != "right" for tenant in verified for question in tenant["questions"]):
        raise SystemExit(GATE)
    if refused:
        raise SystemExit(INPUT)


def _chosen(manifest: TenantsFile, named: Sequence[str]) -> list[Tenant]:
    """The tenants that were named; else all active ones that have questions."""
    if named:
        return [manifest.get(slug) for slug in dict.fromkeys(named)]
    return [tenant for tenant in manifest.active if tenant.questions]


def _verified(tenant: Tenant, settings: Settings) -> dict[str, Any]:  # Any: JSON values
    from pipeline.publish.run_files import STARS
    from semantic.answering.known_answers.ask_known import ask_known, check_queries
    from server.cli.ask import run_of

    check_queries(tenant.questions)
    day = settings.today or settings.now()
    with run_of(tenant.slug, settings) as run, run.cursor() as cursor:
        star = settings.published(tenant.slug) / run.run_id / STARS
        asked = ask_known(tenant.questions, run.model, cursor, star=star, today=day, settings=settings)
        return {"tenant": tenant.slug, "run_id": run.run_id, "questions": [each.to_dict() for each in asked]}


def _text(verified: Sequence[Mapping[str, Any]]) -> str:  # Any: JSON values
    from server.cli.output.tables import add_row, render, table

    if not any(tenant["questions"] for tenant in verified):
        return "There are no questions to ask. Write `questions:` to a tenant in tenants.yaml."
    rows = table("tenant", "question", "answer", "why", one_line=("tenant", "answer"))
    for tenant in verified:
        for question in tenant["questions"]:
            add_row(rows, tenant["tenant"], question["question"], question["verdict"], question["why"])
    questions = [question for tenant in verified for question in tenant["questions"]]
    right = sum(question["verdict"] == "right" for question in questions)
    return render(rows, "", f"{right} of {len(questions)} are right.")
