"""Verbs about published runs: their status, the plan of the next build, and rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.options import AsJson, read_command_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TENANTS_SHOWN = 50
"""By a status for people."""


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


def status(
    show_all: Annotated[bool, typer.Option("--all", help="Show every tenant also where there are many.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what readers see, how the last build went and what was kept out, for every tenant.

    Tenants that need somebody come first: failed, held by a gate, damaged, or with a source that stopped delivering.
    """
    settings = read_command_settings(is_silent=True)
    from server.cli.output.stdout import print_json, print_text
    from server.orchestration.run_history.status_snapshots import known_statuses

    tenants = known_statuses(settings)
    if as_json:
        print_json({"tenants": tenants})
        return
    print_text(_status_text(tenants, most=len(tenants) if show_all else TENANTS_SHOWN))


def _status_text(tenants: Sequence[Mapping[str, Any]], *, most: int) -> str:  # Any: JSON values
    """The first tenants as a table, those that need somebody before the others; then sentences about them."""
    from server.cli.output.tables import add_row, render, table
    from server.orchestration.run_history.tenant_health import onboarded_tenants

    headings = ("tenant", "status", "onboarding", "run", "published (UTC)", "last build", "quarantined", "attention")
    rows = table(*headings, right=("quarantined",))
    shown = sorted(tenants, key=lambda tenant: not tenant["attention"])[:most]
    for tenant in shown:
        published_at = (tenant["published_at"] or "")[:16].replace("T", " ")
        build, quarantined = tenant["last_build"], f"{tenant['quarantined']:,}"
        phase, run = onboarded_tenants(tenant["onboarding"]), tenant["run_id"]
        kinds = ", ".join(dict.fromkeys(_since(each) for each in tenant["attention"]))
        add_row(rows, tenant["tenant"], tenant["status"], phase, run, published_at, build, quarantined, kinds)
    stale = [(tenant, each) for tenant in shown for each in tenant["attention"] if each["kind"] == "stale"]
    lines = [f"{tenant['tenant']}: {each['text']}" for tenant, each in stale]
    lines += [f"{tenant['tenant']}: {finding}" for tenant in shown for finding in tenant["findings"]]
    if len(shown) < len(tenants):
        count = sum(bool(tenant["attention"]) for tenant in tenants)
        lines.append(f"{len(shown)} of {len(tenants):,} tenants, of which {count:,} need attention: --all shows each.")
    return render(rows, *(["", *lines] if lines else []))


def _since(attention: Mapping[str, Any]) -> str:  # Any: JSON values
    since = (attention["since"] or "")[:16].replace("T", " ")
    return f"{attention['kind']} since {since}" if since else str(attention["kind"])


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
