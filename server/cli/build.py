"""Verbs of a build: all of its steps, or one alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from server.cli.options import AsJson, Tenants, Wait, read_command_settings

if TYPE_CHECKING:
    from rich.console import RenderableType

    from server.orchestration.build_command import StepObserver
    from server.orchestration.build_context import BuildContext
    from server.orchestration.build_report import BuildReport

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The tenant, as tenants.yaml names it.")]


def build(
    *,
    tenant: Tenants = None,
    full: Annotated[bool, typer.Option("--full", help="Rebuild and publish also what did not change.")] = False,
    source: Annotated[
        Literal["bronze"] | None,
        typer.Option("--from", help="Make a new hub of all that was delivered; the old one may be damaged or gone."),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Read a share of the exports again that look as they did, those read longest ago first.",
        ),
    ] = False,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Land, push, rebuild, check and publish: everything, and only what changed.

    An export is read again when its size, times or inode changed; `gata build --verify`, once a week, also finds what
    changed without them.

    A tenant that fails keeps the run its readers have and never stops the others.
    Exit 0 done, 1 a bug, 2 your input, 3 a gate failed in strict mode (GATA_ENV dev or prod).
    """
    from server.orchestration import verbs

    _run(
        lambda context, watch: verbs.build(
            context,
            tenant,
            full=full,
            verifies=verify,
            from_bronze=source == "bronze",
            wait_seconds=wait,
            watch=watch,
        ),
        as_json=as_json,
    )


def land(tenant: Tenants = None, wait: Wait = 0.0, as_json: AsJson = False) -> None:
    """Bring new exports and new synthetic days into the landing tables, and no further."""
    from server.orchestration import verbs

    _run(lambda context, watch: verbs.land_only(context, tenant, wait_seconds=wait, watch=watch), as_json=as_json)


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
    from server.orchestration import verbs

    _run(
        lambda context, watch: verbs.transform(
            context, tenant, logic_version=logic_version, wait_seconds=wait, watch=watch
        ),
        as_json=as_json,
    )


def validate(
    tenant: Tenants = None,
    full: Annotated[
        bool, typer.Option("--full", help="Prove the published runs and bronze too, byte by byte.")
    ] = False,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Run every check on the stars as they were last built."""
    from server.orchestration import verbs

    _run(
        lambda context, watch: verbs.validate(context, tenant, full=full, wait_seconds=wait, watch=watch),
        as_json=as_json,
    )


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
    from server.orchestration import verbs

    _run(
        lambda context, watch: verbs.publish_only(context, tenant, run_id=run, wait_seconds=wait, watch=watch),
        as_json=as_json,
    )


def library(wait: Wait = 0.0, as_json: AsJson = False) -> None:
    """See that every sink and blueprint of the catalog exists in the hub.

    New contracts are added to contracts.lock.yaml in the working directory, never to an installed package.
    """
    settings = read_command_settings()
    from server.cli.output.stdout import print_json, print_text, stdout_for_answers
    from server.orchestration import verbs
    from server.orchestration.build_context import open_build_context

    with stdout_for_answers():
        result = verbs.library(open_build_context(settings), wait_seconds=wait)
    if as_json:
        print_json(result)
    else:
        news = "made or renewed now" if result["changed"] else "all there already"
        print_text(f"{result['blueprints']} blueprints route to {result['sinks']} sinks: {news}.")
        if text := lock_text(result["lock"]):
            print_text(text)


def onboard(
    slug: Slug,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a tenant's dbt projects: sources, pushers, stars and their tests, routed by its blueprints."""
    settings = read_command_settings()
    from server.cli.output.stdout import print_json, print_text
    from server.orchestration import verbs
    from server.orchestration.build_context import open_build_context

    done = verbs.onboard_tenant(open_build_context(settings), slug, dry_run=dry_run)
    if as_json:
        print_json({"tenant": done.slug, "dry_run": dry_run, "files": done.files, "changed": done.changed})
        return
    for path in done.changed:
        print_text(path)
    would = "would be written" if dry_run else "written"
    print_text(f"{done.slug}: {len(done.files)} files, {len(done.changed)} of them {would}.")


def lock_text(lock: Mapping[str, Any]) -> str:  # Any: JSON values
    """The message about contracts that were missing from the lock; empty where none was."""
    if not lock["new"]:
        return ""
    new = ", ".join(lock["new"])
    if lock["is_written"]:
        return f"{lock['file']} holds now: {new}. Commit it."
    return (
        f"{new}: not frozen, because {lock['file']} ships with gata and is never written to."
        f" Copy it here (`cp {lock['file']} .`) and run `gata library` again: the copy is used, and gains them."
    )


def _run(step: Callable[[BuildContext, StepObserver], BuildReport], *, as_json: bool) -> None:
    settings = read_command_settings()
    from server.cli.output.progress import show_progress
    from server.cli.output.stdout import print_json, print_text, stdout_for_answers
    from server.orchestration.build_context import open_build_context

    context = open_build_context(settings)
    with stdout_for_answers(), show_progress() as watch:
        report = step(context, watch)
    if as_json:
        print_json(report.to_dict())
    else:
        print_text(report_text(report.to_dict()))
    raise typer.Exit(report.exit_code)


def report_text(report: Mapping[str, Any]) -> str:  # Any: JSON values
    """The status of each tenant, the rows of every table, and the findings of the checks."""
    from server.cli.output.tables import add_row, render, table

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
    return render(*parts)
