"""Verbs about published runs: their status, the plan of the next build, and rollback."""

from __future__ import annotations

from typing import Annotated

import typer

from server.cli.options import AsJson, read_command_settings


def rollback(
    tenant: Annotated[str, typer.Option("--tenant", metavar="SLUG", help="The tenant whose readers go back.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="RUN_ID", help="The run to go to. Left out: the one before this.")
    ] = None,
) -> None:
    """Let readers see an earlier run again: its data and its definitions, from the next question on."""
    settings = read_command_settings()
    from server.cli.output.stdout import print_text
    from server.orchestration import verbs
    from server.orchestration.build_context import open_build_context

    print_text(verbs.rollback(open_build_context(settings), tenant, to))


def status(as_json: AsJson = False) -> None:
    """Say what readers see, how the last build went and what was kept out, for every tenant."""
    settings = read_command_settings()
    from server.cli.output.stdout import print_json, print_text
    from server.orchestration.build_context import open_build_context
    from server.orchestration.overview import onboarded_tenants
    from server.orchestration.overview import tenant_statuses as statuses

    tenants = statuses(open_build_context(settings))
    if as_json:
        print_json({"tenants": tenants})
        return
    from server.cli.output.tables import add_row, render, table

    headings = ("tenant", "status", "onboarding", "run", "published (UTC)", "last build", "quarantined")
    rows = table(*headings, right=("quarantined",))
    for tenant in tenants:
        published_at = (tenant["published_at"] or "")[:16].replace("T", " ")
        build, quarantined = tenant["last_build"], f"{tenant['quarantined']:,}"
        phase, run = onboarded_tenants(tenant["onboarding"]), tenant["run_id"]
        add_row(rows, tenant["tenant"], tenant["status"], phase, run, published_at, build, quarantined)
    findings = [f"{tenant['tenant']}: {finding}" for tenant in tenants for finding in tenant["findings"]]
    print_text(render(rows, *(["", *findings] if findings else [])))


def plan(as_json: AsJson = False) -> None:
    """Say what the next build would do, and why, without doing it."""
    settings = read_command_settings()
    from server.cli.output.stdout import print_json, print_text
    from server.orchestration.build_context import open_build_context
    from server.orchestration.overview import plan_builds as plans

    tenants = plans(open_build_context(settings))
    if as_json:
        print_json({"tenants": tenants})
        return
    from server.cli.output.tables import add_row, render, table

    rows = table("tenant", "action", "why")
    for tenant in tenants:
        add_row(rows, tenant["tenant"], tenant["action"], "; ".join(tenant["reasons"]))
    print_text(render(rows))
