"""`gata forget`."""

from __future__ import annotations

from typing import Annotated

import typer

from server.commands.options import AsJson, Wait, open_door


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
    settings = open_door()
    from server.builds.forgetting import forget as erase
    from server.builds.workshop import open_workshop
    from server.commands.progress import watching
    from server.commands.stdout import kept_for_answers, say, say_json

    with kept_for_answers(), watching() as watch:
        done = erase(open_workshop(settings), tenant, person, wait_seconds=wait, watch=watch)
    if as_json:
        say_json({"tenant": done.tenant, "erased": done.erased, "run_id": done.run_id})
        return
    whom = "A person" if person else "Everything"
    say(f"{whom} of {done.tenant} is forgotten: {sum(done.erased.values()):,} rows in {len(done.erased)} tables.")
    if done.run_id:
        say(f"Its one remaining run is {done.run_id}.")
