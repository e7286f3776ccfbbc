"""The verbs of a build: all of it, or one step alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.options import AsJson, Tenants, Wait, open_door

if TYPE_CHECKING:
    from rich.console import RenderableType

    from server.builds.report import BuildReport
    from server.builds.steps import Watch
    from server.builds.workshop import Workshop

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The tenant, as tenants.yaml names it.")]


def build(
    tenant: Tenants = None,
    full: Annotated[bool, typer.Option("--full", help="Rebuild and publish also what did not change.")] = False,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Land, push, rebuild, check and publish: everything, and only what changed.

    A tenant that fails keeps the run its readers have and never stops the others.
    Exit 0 done, 1 a bug, 2 your input, 3 a gate failed in strict mode (GATA_ENV dev or prod).
    """
    from server.builds import steps

    _run(lambda shop, watch: steps.build(shop, tenant, full=full, wait_seconds=wait, watch=watch), as_json=as_json)


def land(tenant: Tenants = None, wait: Wait = 0.0, as_json: AsJson = False) -> None:
    """Bring new exports and new synthetic days into the landing tables, and no further."""
    from server.builds import steps

    _run(lambda shop, watch: steps.land_only(shop, tenant, wait_seconds=wait, watch=watch), as_json=as_json)


def transform(
    tenant: Tenants = None,
    logic_version: Annotated[
        str | None,
        typer.Option(
            "--logic-version",
            metavar="HASH",
            help="Build one tenant's star apart, with an earlier logic: a logic_hash of one of its tables, or a"
            " logic_version of all of them together.",
        ),
    ] = None,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Push what has landed into the sinks and rebuild the stars; publish nothing.

    With --logic-version the result is an unpublished run: `gata publish --run RUN_ID` lets readers see it.
    """
    from server.builds import steps

    _run(
        lambda shop, watch: steps.transform(shop, tenant, logic_version=logic_version, wait_seconds=wait, watch=watch),
        as_json=as_json,
    )


def validate(
    tenant: Tenants = None,
    full: Annotated[bool, typer.Option("--full", help="Prove the published runs too, byte by byte.")] = False,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Run every check on the stars as they were last built."""
    from server.builds import steps

    _run(lambda shop, watch: steps.validate(shop, tenant, full=full, wait_seconds=wait, watch=watch), as_json=as_json)


def publish(
    tenant: Tenants = None,
    run: Annotated[
        str | None,
        typer.Option(
            "--run",
            metavar="RUN_ID",
            help="This unpublished run of `gata transform --logic-version`. Readers see it until the next build that"
            " finds something new.",
        ),
    ] = None,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Publish the stars as they were last built, or one unpublished run."""
    from server.builds import steps

    _run(
        lambda shop, watch: steps.publish_only(shop, tenant, run_id=run, wait_seconds=wait, watch=watch),
        as_json=as_json,
    )


def library(wait: Wait = 0.0, as_json: AsJson = False) -> None:
    """See that every sink and blueprint of the catalog exists in the hub."""
    settings = open_door()
    from server.builds import steps
    from server.builds.workshop import open_workshop
    from server.commands.stdout import kept_for_answers, say, say_json

    with kept_for_answers():
        made = steps.library(open_workshop(settings), wait_seconds=wait)
    if as_json:
        say_json(made)
    else:
        news = "made or renewed now" if made["changed"] else "all there already"
        say(f"{made['blueprints']} blueprints route to {made['sinks']} sinks: {news}.")


def onboard(
    slug: Slug,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a tenant's dbt projects: sources, pushers, stars and their tests, routed by its blueprints."""
    settings = open_door()
    from server.builds import steps
    from server.builds.workshop import open_workshop
    from server.commands.stdout import say, say_json

    done = steps.onboard(open_workshop(settings), slug, dry_run=dry_run)
    if as_json:
        say_json({"tenant": done.slug, "dry_run": dry_run, "files": done.files, "changed": done.changed})
        return
    for path in done.changed:
        say(path)
    would = "would be written" if dry_run else "written"
    say(f"{done.slug}: {len(done.files)} files, {len(done.changed)} of them {would}.")


def _run(step: Callable[[Workshop, Watch], BuildReport], *, as_json: bool) -> None:
    settings = open_door()
    from server.builds.workshop import open_workshop
    from server.commands.progress import watching
    from server.commands.stdout import kept_for_answers, say, say_json

    shop = open_workshop(settings)
    with kept_for_answers(), watching() as watch:
        report = step(shop, watch)
    if as_json:
        say_json(report.to_dict())
    else:
        say(report_text(report.to_dict()))
    raise typer.Exit(report.exit_code)


def report_text(report: Mapping[str, Any]) -> str:  # Any: JSON values
    """How each tenant went, the rows of every table, and what the checks found."""
    from server.commands.show import add_row, as_text, table

    tenants = table("tenant", "status", "run", "quarantined", right=("quarantined",))
    rows = table("tenant", "table", "rows", right=("rows",))
    findings = []
    for tenant in report["tenants"]:
        add_row(tenants, tenant["tenant"], tenant["status"], tenant["run_id"], f"{tenant['quarantined']:,}")
        for name, count in tenant["rows"].items():
            add_row(rows, tenant["tenant"], name, f"{count:,}")
        findings += [f"{tenant['tenant']}: {finding}" for finding in tenant["findings"]]
    parts: list[RenderableType] = [tenants]
    parts += ["", rows] if rows.row_count else []
    parts += ["", *findings] if findings else []
    return as_text(*parts)
