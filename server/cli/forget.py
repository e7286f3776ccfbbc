"""Verb that erases a tenant, or one person of it."""

from __future__ import annotations

from typing import Annotated

import typer

from server.cli.options import AsJson, Wait, read_command_settings


def forget(
    tenant: Annotated[str, typer.Option("--tenant", help="The tenant, by its slug.", metavar="SLUG")],
    person: Annotated[
        str | None, typer.Option("--person", help="Only this person of the tenant.", metavar="EMAIL")
    ] = None,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Erase a tenant, or one person of it, from hub, stars, published runs and ledger; a record says that it happened.

    A tenant must be offboarded in tenants.yaml first. A person's orders and visits stay and still add up, under an
    alias; every earlier run of the tenant goes. The export files you gave are yours to erase.
    """
    settings = read_command_settings()
    from server.cli.output.progress import show_progress
    from server.cli.output.stdout import print_json, print_text, stdout_for_answers
    from server.orchestration.build_context import open_build_context
    from server.orchestration.forgetting import erase_with_record

    with stdout_for_answers(), show_progress() as watch:
        done = erase_with_record(open_build_context(settings), tenant, person, wait_seconds=wait, watch=watch)
    if as_json:
        print_json({"tenant": done.tenant, "erased": done.erased, "run_id": done.run_id})
        return
    subject = "A person" if person else "Everything"
    print_text(
        f"{subject} of {done.tenant} is forgotten: {sum(done.erased.values()):,} rows in {len(done.erased)} tables."
    )
    if done.run_id:
        print_text(f"Its one remaining run is {done.run_id}.")
