"""Verb that shows the way from payload fields to a metric, a dimension or a column: as a tree, or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.ask import run_of
from server.cli.options import AsJson, read_command_settings

if TYPE_CHECKING:
    from pipeline.settings import Settings


def lineage(
    name: Annotated[
        str,
        typer.Argument(
            metavar="METRIC|DIMENSION|COLUMN",
            help="A name from `gata metrics`, a column such as orders.total_price, or a field of a connector's records"
            " such as shopify.orders.total_price.",
        ),
    ],
    tenant: Annotated[
        str | None,
        typer.Option(
            "--tenant", metavar="SLUG", help="Whose; GATA_TENANT when left out, or the only one that is published."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a metric, a dimension or a column is made from, back to payload fields, and what is made from it.

    Read from the SQL that built the published run. Each line is made from those below it, by the macros in brackets.
    """
    settings = read_command_settings()
    from server.cli.output.stdout import print_json, print_text
    from server.serving.lineage import lineage as lineage_of

    with run_of(tenant or settings.tenant or _only_tenant(settings), settings) as run:
        result = lineage_of(run, name, settings)
    if as_json:
        print_json(result)
        return
    from server.cli.origins.lineage_tree import lineage_text

    print_text(lineage_text(result))


def _only_tenant(settings: Settings) -> str | None:
    """The tenant that is published, where there is one alone."""
    from server.serving.runs.published_runs import PublishedRuns

    slugs = PublishedRuns(settings).slugs()
    return slugs[0] if len(slugs) == 1 else None
