"""Command line: every verb with an example, and the exit codes.

0 done   1 a bug: traceback and event id   2 your input: what is wrong and what works   3 a gate failed
130 interrupted   141 the reader of stdout has gone
"""

from __future__ import annotations

import secrets
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated

import typer
from typer.main import get_command

from pipeline.bug_reports import is_interrupt
from pipeline.errors import GataError
from server.cli import ask, audit, build, check, config, forget, init, runs, serve, token
from server.cli.change import explain
from server.cli.definitions import export, verify
from server.cli.ledger import kept_out, recorded
from server.cli.options import COMMAND_OPTIONS, command_options
from server.cli.origins import lineage
from server.cli.projects import dbt_command
from server.cli.recovery import backup, du, restore
from server.serving.process.setup import safe_import_path

DONE, BUG, INPUT, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True)
class Verb:
    """A command, the panel of `gata --help` that lists it, and a use of it that works."""

    name: str
    panel: str
    function: Callable[..., None]
    example: str


VERBS = (
    Verb("init", "Build", init.init, "gata init acme"),
    Verb("check", "Build", check.check, "gata check exports/*.csv"),
    Verb("build", "Build", build.build, "gata build --tenant tyrell_corp"),
    Verb("library", "Build", build.library, "gata library"),
    Verb("onboard", "Build", build.onboard, "gata onboard tyrell_corp --dry-run"),
    Verb("land", "Build", build.land, "gata land --tenant tyrell_corp"),
    Verb(
        "transform",
        "Build",
        build.transform,
        "gata transform --tenant tyrell_corp --logic-version 43e08a28d32c280430671de5f4a1b487",
    ),
    Verb("validate", "Build", build.validate, "gata validate --full"),
    Verb("publish", "Build", build.publish, "gata publish --run 20260301T000000000000Z_0a1b2c"),
    Verb("dbt", "Build", dbt_command.dbt, "gata dbt tyrell_corp stars -- build"),
    Verb("status", "Published runs", runs.status, "gata status"),
    Verb("plan", "Published runs", runs.plan, "gata plan"),
    Verb("runs", "Published runs", recorded.runs, "gata runs --tenant tyrell_corp --limit 5"),
    Verb("quarantine list", "Published runs", kept_out.list_kept_out, "gata quarantine list --tenant tyrell_corp"),
    Verb(
        "quarantine show",
        "Published runs",
        kept_out.show,
        "gata quarantine show --tenant tyrell_corp --values",
    ),
    Verb("quarantine replay", "Published runs", kept_out.replay, "gata quarantine replay --tenant tyrell_corp"),
    Verb("rollback", "Published runs", runs.rollback, "gata rollback --tenant tyrell_corp"),
    Verb(
        "ask",
        "Ask",
        ask.ask,
        "gata ask --tenant tyrell_corp --metrics spend,roas --dimensions ad_platform --order -roas",
    ),
    Verb(
        "explain",
        "Ask",
        explain.explain,
        "gata explain --tenant tyrell_corp --metric roas --range last_week --dimensions campaign_name",
    ),
    Verb("metrics", "Ask", ask.metrics, "gata metrics --tenant tyrell_corp --search revenue"),
    Verb("values", "Ask", ask.values, "gata values --tenant tyrell_corp campaign_name"),
    Verb("lineage", "Ask", lineage.lineage, "gata lineage roas --tenant tyrell_corp"),
    Verb("verify", "Ask", verify.verify, "gata verify --tenant tyrell_corp"),
    Verb("export", "Ask", export.export, "gata export --tenant tyrell_corp --format bsl"),
    Verb("mcp", "Serve", serve.mcp, "gata mcp --tenant tyrell_corp"),
    Verb("serve", "Serve", serve.serve, "gata serve --port 8765"),
    Verb("token create", "Serve", token.create, "gata token create --tenant tyrell_corp --expires 90d"),
    Verb("token list", "Serve", token.list_tokens, "gata token list"),
    Verb("token revoke", "Serve", token.revoke, "gata token revoke 0a1b2c3d4e5f"),
    Verb("audit", "Serve", audit.audit, "gata audit --tenant tyrell_corp --since 24h --tool query"),
    Verb("forget", "This installation", forget.forget, "gata forget --tenant tyrell_corp --person ada@example.com"),
    Verb("du", "This installation", du.du, "gata du"),
    Verb("backup", "This installation", backup.backup, "gata backup /backups/gata --wait 3600"),
    Verb("restore", "This installation", restore.restore, "gata restore /backups/gata --home .gata"),
    Verb("config show", "This installation", config.show, "gata config show"),
    Verb("doctor", "This installation", config.doctor, "gata doctor"),
)
GROUPS = {
    "token": "Make, list and revoke the tokens of callers over HTTP.",
    "config": "Show the settings.",
    "quarantine": "Records and files that are kept out of the data.",
}


def main() -> int:
    """Run one command and return its exit code."""
    with safe_import_path():
        return exit_code_of(lambda: get_command(commands())(prog_name="gata"))


def exit_code_of(run: Callable[[], object]) -> int:
    """Call `run`, report on stderr how it ended unless it ended well, and return the exit code."""
    try:
        run()
    except SystemExit as end:
        return _interrupted() if end.code == INTERRUPTED else int(end.code or DONE)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the entry point: unexpected errors end here
        if is_interrupt(error):
            return _interrupted()
        known = error if isinstance(error, GataError) else _of_disk(error)
        if known is None:
            return _bug(error)
        sys.stderr.write(f"{known}\n")
        return INPUT
    return DONE


def commands() -> typer.Typer:
    """The complete command line."""
    app = _group("Raw API records go in, governed answers come out.")
    app.callback()(_gata)
    groups: dict[str, typer.Typer] = {}
    for verb in VERBS:
        name, _, within = verb.name.partition(" ")
        if within and name not in groups:
            groups[name] = _group(GROUPS[name])
            app.add_typer(groups[name], name=name, rich_help_panel=verb.panel)
        to = groups[name] if within else app
        to.command(within or name, epilog=f"Example: {verb.example}", rich_help_panel=None if within else verb.panel)(
            verb.function
        )
    return app


def _group(sentence: str) -> typer.Typer:
    return typer.Typer(
        help=sentence,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["--help", "-h"]},
    )


def _gata(
    env: Annotated[
        str | None, typer.Option("--env", metavar="NAME", help="local, dev or prod; GATA_ENV when left out.")
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting for this command alone; may be repeated."),
    ] = None,
    _: Annotated[bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_version)] = False,
) -> None:
    """What `gata` takes before a verb."""
    COMMAND_OPTIONS.set(command_options(env, assignments or []))


def _version(requested: bool) -> None:
    from server.cli.output.stdout import print_text

    if requested:
        print_text(f"gata {version('gata')}")
        raise typer.Exit


def _interrupted() -> int:
    sys.stderr.write("Interrupted. What was published stays as it is.\n")
    return INTERRUPTED


def _of_disk(error: BaseException) -> GataError | None:
    """The sentences about a disk that refused: full, damaged or forbidden."""
    from pipeline.storage.failure_cause import explained_os_error

    return explained_os_error(error)


def _bug(error: BaseException) -> int:
    """Print the traceback, and an event id by which it can be found again."""
    traceback.print_exception(error)
    sys.stderr.write(f"This is a bug in gata, event {secrets.token_hex(6)}. Please report it with the lines above.\n")
    return BUG
