"""Verbs about quarantine: what is kept out, why and where, and reading it again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.options import AsJson, Wait, read_command_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.config.tenant import Tenant
    from pipeline.gates.quarantined_now import QuarantinedRecord
    from server.orchestration.build_context import BuildContext

OneTenant = Annotated[str, typer.Option("--tenant", metavar="SLUG", help="The tenant.")]
Platform = Annotated[str | None, typer.Option("--platform", metavar="P", help="Only this platform, such as shopify.")]
Account = Annotated[str | None, typer.Option("--account", metavar="A", help="Only this account.")]
Object = Annotated[str | None, typer.Option("--object", metavar="O", help="Only this object, such as orders.")]


def list_kept_out(
    tenant: Annotated[str | None, typer.Option("--tenant", metavar="SLUG", help="Only this tenant.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what is in quarantine now, by tenant, source and reason, with counts and since when. No value is shown."""
    from pipeline.gates.quarantined_now import reason_without_values
    from server.cli.output.stdout import print_json, print_text
    from server.cli.output.tables import add_row, render, table
    from server.orchestration.run_history.quarantine_replay import SourceChoice, in_quarantine

    context = _context()
    counts, since = Counter[tuple[str, ...]](), dict[tuple[str, ...], str]()
    for each in _tenants(context, tenant):
        for record in in_quarantine(context, each, SourceChoice()):
            key = (each.slug, record.platform, record.account, record.object, reason_without_values(record))
            counts[key] += 1
            since[key] = min(since.get(key, "9"), record.since.isoformat(timespec="seconds"))
    names = ("tenant", "platform", "account", "object", "reason")
    listed = [{**dict(zip(names, key, strict=True)), "count": counts[key], "since": since[key]} for key in counts]
    if as_json:
        print_json({"quarantine": listed})
        return
    rows = table(*names, "count", "since (UTC)", right=("count",))
    for entry in listed:
        add_row(
            rows, *(entry[name] for name in names), f"{entry['count']:,}", str(entry["since"])[:16].replace("T", " ")
        )
    print_text(render(rows) if listed else "Nothing is in quarantine.")


def show(
    tenant: OneTenant,
    *,
    platform: Platform = None,
    account: Account = None,
    object_: Object = None,
    values: Annotated[
        bool, typer.Option("--values", help="Show reasons with the values they quote, and the records. Personal data!")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="The most records to show.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the records in quarantine of a tenant: file, line and reason; with --values also what they hold."""
    from server.cli.output.stdout import print_json, print_text
    from server.cli.output.tables import add_row, render, table
    from server.orchestration.run_history.quarantine_replay import SourceChoice, in_quarantine

    context = _context()
    choice, chosen = SourceChoice(platform, account, object_), context.manifest.get(tenant)
    found = in_quarantine(context, chosen, choice, with_records=values)
    shown = [_entry(record, values=values) for record in found[:limit]]
    if as_json:
        print_json({"tenant": tenant, "records": shown, "total": len(found)})
        return
    names = ("platform", "account", "object", "file", "line", "reason", *(("record",) if values else ()))
    rows = table(*names, right=("line",))
    for entry in shown:
        add_row(rows, *(entry[name] for name in names))
    more = [f"{len(shown)} of {len(found):,} records: --limit shows more."] if len(shown) < len(found) else []
    print_text(render(rows, *more) if found else "Nothing is in quarantine.")


def replay(
    tenant: OneTenant,
    *,
    platform: Platform = None,
    account: Account = None,
    object_: Object = None,
    wait: Wait = 0.0,
    as_json: AsJson = False,
) -> None:
    """Read again what is in quarantine of a tenant, and build it: after a new release, or a mended file.

    Doing it twice gives the same rows. What still does not convert stays in quarantine.
    """
    from server.cli.output.progress import show_progress
    from server.cli.output.stdout import print_json, print_text, stdout_for_answers
    from server.orchestration.run_history.quarantine_replay import SourceChoice, replay_quarantine

    context = _context()
    with stdout_for_answers(), show_progress() as watch:
        choice = SourceChoice(platform, account, object_)
        done = replay_quarantine(context, tenant, choice, wait_seconds=wait, watch=watch)
    again, run_id = done.reread, done.build.run_id if done.build else None
    if as_json:
        counts = {"batches": again.batches, "files": again.files, "left": again.left}
        records = {"before": done.before, "after": done.after}
        print_json({"tenant": tenant, "run_id": run_id, "read_again": counts, "in_quarantine": records})
    elif done.build is None:
        print_text("Nothing is in quarantine.")
    else:
        left = f" {again.left} batches cannot be read again: bring their files once more." if again.left else ""
        read = f"{again.batches} batches and {again.files} whole files were read again."
        print_text(f"{tenant}: {read} In quarantine were {done.before:,}, are {done.after:,}.{left} Run {run_id}.")
    raise typer.Exit(done.build.exit_code if done.build else 0)


def _context() -> BuildContext:
    settings = read_command_settings()
    from server.orchestration.build_context import open_build_context

    return open_build_context(settings)


def _tenants(context: BuildContext, slug: str | None) -> Sequence[Tenant]:
    return context.manifest.tenants if slug is None else (context.manifest.get(slug),)


def _entry(record: QuarantinedRecord, *, values: bool) -> Mapping[str, Any]:  # Any: JSON values
    from pathlib import PurePath

    from pipeline.gates.quarantined_now import reason_without_values

    shown = {"reason": record.reason, "record": record.record} if values else {"reason": reason_without_values(record)}
    place = {"platform": record.platform, "account": record.account, "object": record.object}
    file = {"file": PurePath(record.path).name, "line": record.line, "batch_id": record.batch_id}
    return {**place, **file, "since": record.since.isoformat(timespec="seconds"), **shown}
