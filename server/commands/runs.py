"""The verbs about published runs: what is there, what the next build would do, and the way back."""

from __future__ import annotations

from typing import Annotated

import typer

from server.commands.options import AsJson, open_door


def rollback(
    tenant: Annotated[str, typer.Option("--tenant", metavar="SLUG", help="The tenant whose readers go back.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="RUN_ID", help="The run to go to. Left out: the one before this.")
    ] = None,
) -> None:
    """Let readers see an earlier run again: its data and its definitions, from the next question on."""
    settings = open_door()
    from server.builds import steps
    from server.builds.workshop import open_workshop
    from server.commands.stdout import say

    say(steps.rollback(open_workshop(settings), tenant, to))


def status(as_json: AsJson = False) -> None:
    """Say what readers see, how the last build went and what was kept out, for every tenant."""
    settings = open_door()
    from server.builds.overview import onboarded
    from server.builds.overview import status as statuses
    from server.builds.workshop import open_workshop
    from server.commands.stdout import say, say_json

    found = statuses(open_workshop(settings))
    if as_json:
        say_json({"tenants": found})
        return
    from server.commands.show import add_row, as_text, table

    headings = ("tenant", "status", "onboarding", "run", "published (UTC)", "last build", "quarantined")
    rows = table(*headings, right=("quarantined",))
    for tenant in found:
        published_at = (tenant["published_at"] or "")[:16].replace("T", " ")
        build, quarantined = tenant["last_build"], f"{tenant['quarantined']:,}"
        phase, run = onboarded(tenant["onboarding"]), tenant["run_id"]
        add_row(rows, tenant["tenant"], tenant["status"], phase, run, published_at, build, quarantined)
    findings = [f"{tenant['tenant']}: {finding}" for tenant in found for finding in tenant["findings"]]
    say(as_text(rows, *(["", *findings] if findings else [])))


def plan(as_json: AsJson = False) -> None:
    """Say what the next build would do, and why, without doing it."""
    settings = open_door()
    from server.builds.overview import plan as plans
    from server.builds.workshop import open_workshop
    from server.commands.stdout import say, say_json

    found = plans(open_workshop(settings))
    if as_json:
        say_json({"tenants": found})
        return
    from server.commands.show import add_row, as_text, table

    rows = table("tenant", "action", "why")
    for tenant in found:
        add_row(rows, tenant["tenant"], tenant["action"], "; ".join(tenant["reasons"]))
    say(as_text(rows))
