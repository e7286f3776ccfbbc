"""`make run`: build the bundled tenants, show what is there, answer one question, say how to connect, serve."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from datetime import timedelta
from pathlib import Path

from pipeline.config.layers.configuration import read_settings
from pipeline.config.slug import Slug
from pipeline.errors import GataError
from pipeline.log import configure_log
from pipeline.log_files import log_to_files
from pipeline.settings import Settings
from pipeline.storage.ops import Ops
from server.cli.output.stdout import print_text
from server.orchestration.build_context import BuildContext, open_build_context
from server.orchestration.build_report import BuildReport
from server.serving.access import Access

HOST, PORT = "127.0.0.1", 8765
QUESTION = {
    "metrics": ["roas", "spend", "attributed_revenue"],
    "dimensions": ["campaign_name"],
    "time_range": "last_month",
    "order_by": ["-roas"],
    "include_sql": True,
}
CREATED_BY = "make run"
TOKEN_DAYS = 30


def main() -> int:
    """Build, show, answer and, unless --no-serve is given, serve until interrupted."""
    arguments = argparse.ArgumentParser(prog="make run", description=__doc__)
    arguments.add_argument("--no-serve", action="store_true", help="Stop after the answer.")
    serve_after = not arguments.parse_args().no_serve
    configure_log()
    try:
        settings = read_settings()
        log_to_files(settings.event_files)
        context = open_build_context(settings)
        _build(context)
        for tenant in context.manifest.active:
            _answer(settings, tenant.slug)
            _connect(settings, tenant.slug)
        if serve_after:
            from server.app import serve

            print_text(f"\nServing on http://{HOST}:{PORT} until you press Ctrl-C.")
            serve(settings, HOST, PORT)
    except GataError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _build(context: BuildContext) -> None:
    from server.orchestration.verbs import build

    started = time.monotonic()
    report = build(context, watch=_show_step)
    print_text(_rows(report))
    print_text(f"\n{_summary(report)} in {time.monotonic() - started:.0f} seconds.")
    if report.exit_code:
        raise next(tenant.error for tenant in report.tenants if tenant.error)


def _show_step(tenant: str, step: str) -> None:
    sys.stderr.write(f"  {tenant}: {step}\n")


def _rows(report: BuildReport) -> str:
    from server.cli.output.tables import add_row, render, table

    rows = table("tenant", "table", "rows", right=["rows"])
    for tenant in report.tenants:
        for name, count in tenant.rows.items():
            add_row(rows, tenant.tenant, name, f"{count:,}")
    return render(rows)


def _summary(report: BuildReport) -> str:
    return ", ".join(f"{tenant.tenant} is {tenant.status} (run {tenant.run_id})" for tenant in report.tenants)


def _answer(settings: Settings, slug: Slug) -> None:
    from semantic.planning.query import read_query
    from server.cli.output.tables import answer_text
    from server.serving import tools
    from server.serving.runs.published_runs import PublishedRuns

    runs = PublishedRuns(settings)
    try:
        with runs.run(slug) as run, run.cursor() as cursor:
            answer = tools.query(run, read_query(QUESTION), cursor, settings)
    finally:
        runs.close()
    print_text(f"\nROAS by campaign of {slug}, last month:\n\n{answer_text(answer, sql=True)}")


def _connect(settings: Settings, slug: Slug) -> None:
    """Print a fresh token, and the commands that connect a client; the last demo's token stops working."""
    with Ops(settings.ops) as ops:
        access = Access(ops)
        for token in access.tokens():
            if token.name == CREATED_BY and token.tenant == slug and token.revoked_at is None:
                access.revoke(token.id)
        secret, _ = access.create(tenant=slug, name=CREATED_BY, expires=timedelta(days=TOKEN_DAYS))
    gata = shlex.quote(str(Path(sys.executable).with_name("gata")))
    home, tenants = (shlex.quote(str(path.resolve())) for path in (settings.home, settings.tenants))
    print_text(f"""
Connect a client to {slug}:

  Claude Code      claude mcp add gata -e GATA_HOME={home} -e GATA_TENANTS={tenants} -- {gata} mcp --tenant {slug}
  Claude Desktop   in claude_desktop_config.json, under mcpServers:
                   "gata": {{"command": "{gata}", "args": ["mcp", "--tenant", "{slug}"],
                            "env": {{"GATA_HOME": "{home}", "GATA_TENANTS": "{tenants}"}}}}
  MCP Inspector    . .venv/bin/activate && GATA_TENANT={slug} mcp dev server/mcp_entry.py
  Over HTTP        http://{HOST}:{PORT}/mcp (or /sse) with the header
                   Authorization: Bearer {secret}""")


if __name__ == "__main__":
    sys.exit(main())
