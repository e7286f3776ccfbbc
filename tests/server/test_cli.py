"""The command line: help, exit codes, and what goes to which stream."""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.main import get_command

from pipeline.errors import BuildError, ConfigError
from server.cli.app import VERBS, commands, exit_code_of
from server.cli.output.stdout import encodable
from tests.pipeline.storage_faults import read_only
from tests.server.cli_run import ROOT, Terminal, environment, start

if TYPE_CHECKING:
    from tests.server.published_fixture import PublishedHome

HELPS = """
import sys
from server.cli.app import GROUPS, VERBS, main

for name in ("", *GROUPS, *(verb.name for verb in VERBS)):
    sys.argv = ["gata", *name.split(), "--help"]
    print("$", " ".join(sys.argv))
    main()
"""


@pytest.fixture
def gata(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(monkeypatch, capsys) as terminal:
        yield terminal.set(GATA_HOME=str(tmp_path / "state"))


def test_the_help_of_every_verb_is_as_reviewed(golden: Callable[[str, str], None]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELPS], env=environment(), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    golden("cli_help.txt", "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n")


def test_every_example_in_the_help_is_one_that_parses() -> None:
    for verb in VERBS:
        program, *words = shlex.split(verb.example)
        command, context = get_command(commands()), None
        for _ in verb.name.split():
            with command.make_context(program, words, parent=context) as context:
                program, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
        command.make_context(program, words, parent=context)


def test_every_verb_has_an_example_of_its_own_name() -> None:
    assert all(verb.example.startswith(f"gata {verb.name}") for verb in VERBS)


def test_the_version_is_the_installed_one(gata: Terminal) -> None:
    done = gata("--version")
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(r"gata \d+\.\d+\.\d+\n", done.out)


@pytest.mark.parametrize(
    "wrong", [["bild"], ["build", "--ful"], ["build", "--wait", "soon"], ["values"], ["token", "make"]]
)
def test_what_the_command_line_does_not_know_ends_with_2_and_a_quiet_stdout(gata: Terminal, wrong: list[str]) -> None:
    done = gata(*wrong)
    assert (done.code, done.out) == (2, "")
    assert "Usage: gata" in done.err


def test_a_misspelt_verb_names_the_one_that_exists(gata: Terminal) -> None:
    assert "Did you mean 'build'?" in gata("bild").err


def test_wrong_input_is_two_sentences_and_no_traceback(gata: Terminal) -> None:
    done = gata.set(GATA_TENANTS="nowhere.yaml")("status")
    assert (done.code, done.out) == (2, "")
    assert "nowhere.yaml" in done.err
    assert "Traceback" not in done.err
    assert len(done.err.splitlines()) == 1


def test_a_wrong_variable_is_named(gata: Terminal) -> None:
    done = gata.set(GATA_QUERY_TIMEOUT="soon")("config", "show")
    assert done.code == 2
    assert done.err.startswith("GATA_QUERY_TIMEOUT is 'soon'")


def test_a_bug_keeps_its_traceback_and_gets_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(lambda: {}["nothing"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "KeyError: 'nothing'" in err
    assert re.search(r"event [0-9a-f]{12}\.", err)


def test_an_interrupt_ends_with_130_and_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    assert exit_code_of(interrupt) == 130
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("error", [RuntimeError("Query interrupted"), BuildError("dbt could not run.", "Try again.")])
def test_an_interrupt_that_a_library_has_wrapped_is_still_one(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> None:
        raise error from KeyboardInterrupt()

    assert exit_code_of(interrupt) == 130
    assert capsys.readouterr().err == "Interrupted. What was published stays as it is.\n"


def test_an_error_that_is_its_own_cause_still_ends(capsys: pytest.CaptureFixture[str]) -> None:
    def run_in_circles() -> None:
        error = ValueError("again")
        raise error from error

    assert exit_code_of(run_in_circles) == 1
    assert "ValueError: again" in capsys.readouterr().err


def test_an_error_of_ours_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise ConfigError("The moon is green.", "Paint it.")

    assert exit_code_of(refuse) == 2
    assert capsys.readouterr().err == "The moon is green. Paint it.\n"


def test_a_reader_that_goes_away_is_no_error_to_talk_about(tmp_path: Path) -> None:
    process = start("config", "show", env=environment(GATA_HOME=str(tmp_path)))
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait() == 141
    process.stderr.close()


def test_a_server_says_where_it_is_and_ends_cleanly_when_interrupted(home: PublishedHome) -> None:
    process = start("serve", "--port", "0", env=environment(home.settings))
    assert process.stderr is not None
    first = process.stderr.readline()
    assert re.match(r"Serving on http://127\.0\.0\.1:[1-9]\d+ ", first)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert err.endswith("Interrupted. What was published stays as it is.\n")
    assert "Traceback" not in err


def test_a_stdio_server_starts_without_what_it_does_not_need(home: PublishedHome) -> None:
    script = (
        "import sys; from server.cli.app import main; sys.argv = ['gata', 'mcp', '--tenant', 'alpha']; code = main();"
        "heavy = ('dbt', 'dlt', 'pandas', 'ibis', 'duckdb', 'structlog');"
        "print(*(name for name in heavy if sys.modules.get(name)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(home.settings),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "\n")


def test_a_first_answer_loads_nothing_that_only_builds_need(home: PublishedHome) -> None:
    asked = {"name": "query", "arguments": {"metrics": ["spend"], "dimensions": ["ad_platform"]}}
    client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    sent = (
        {"id": 1, "method": "initialize", "params": client},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": asked},
    )
    script = (
        "import sys; from server.cli.app import main; sys.argv = ['gata', 'mcp', '--tenant', 'alpha']; code = main();"
        "heavy = ('dbt', 'dlt', 'pandas', 'pyarrow', 'numpy', 'pipeline.ingest.formats.reader');"
        "print(*(name for name in heavy if sys.modules.get(name)), file=sys.stderr); sys.exit(code)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment(home.settings),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for message in sent:
        process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    process.stdin.flush()
    answers = [json.loads(process.stdout.readline()) for _ in range(2)]
    _, told = process.communicate()
    assert answers[1]["result"]["structuredContent"]["rows"]
    assert (process.returncode, told) == (0, "\n")


def test_a_stdio_server_of_a_misspelt_tenant_does_not_start(gata: Terminal, home: PublishedHome) -> None:
    done = gata.use(home.settings)("mcp", "--tenant", "alpah")
    assert (done.code, done.out) == (2, "")
    assert "Did you mean alpha?" in done.err


def test_what_libraries_and_children_print_never_reaches_the_answer(tmp_path: Path) -> None:
    script = (
        "import os\nfrom server.cli.output.stdout import print_text, stdout_for_answers\n"
        "with stdout_for_answers():\n    print('noise')\n    os.system('echo noise of a child')\nprint_text('answer')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "answer\n"
    assert sorted(done.stderr.splitlines()) == ["noise", "noise of a child"]


def test_settings_of_files_and_options_are_shown_with_their_layer_and_a_secret_never(
    gata: Terminal, tmp_path: Path
) -> None:
    (tmp_path / "gata.yaml").write_text("threads: 3\ntenant: ${API_TOKEN}\n", encoding="utf-8")
    (tmp_path / "gata.prod.yaml").write_text("threads: 4\n", encoding="utf-8")
    gata.set(GATA_TENANTS=str(tmp_path / "tenants.yaml"), GATA_THREADS="8", API_TOKEN="hush")
    done = gata("--env", "prod", "--set", "query_rows=50", "config", "show", "--json")
    shown = {
        each["name"]: (each["value"], each["source"], each["instead_of"]) for each in json.loads(done.out)["settings"]
    }
    assert shown["env"] == ("prod", "--env", [])
    assert shown["query_rows"] == ("50", "--set query_rows", [])
    assert shown["gate_mode"] == ("strict", "default of prod", [])
    assert shown["threads"] == ("4", f"{tmp_path}/gata.prod.yaml:1", ["GATA_THREADS", f"{tmp_path}/gata.yaml:1"])
    assert "hush" not in done.out + done.err
    assert '"variable_overruled"' in done.err
    text = gata("--env", "prod", "config", "show")
    assert "hush" not in text.out
    assert "(over GATA_THREADS" in text.out
    assert "8" in gata("config", "show", "--json").out  # the option was for that command alone


def test_options_that_set_nothing_are_refused(gata: Terminal) -> None:
    assert gata("--set", "threads", "config", "show").err.startswith("--set 'threads' sets nothing. Write NAME=VALUE")
    assert "sets nothing" in gata("--set", "threads=2", "--set", "threads.a=2", "config", "show").err
    assert "threads is {'a': '2'}" in gata("--set", "threads.a=2", "config", "show").err
    assert "Did you mean threads" in gata("--set", "thread=2", "config", "show").err
    assert gata("--env", "production", "config", "show").err.startswith("--env: env is 'production'")


def test_the_values_of_a_tenant_are_shown_with_their_layer(gata: Terminal) -> None:
    gata.set(GATA_TENANTS=str(ROOT / "tenants.yaml"))
    done = gata("config", "show", "--tenant", "tyrell_corp", "--json")
    shown = {each["name"]: (each["value"], each["source"]) for each in json.loads(done.out)["values"]}
    assert shown["currency"][0] == "USD"
    assert shown["currency"][1].startswith(f"{ROOT}/tenants.yaml:")
    assert shown["sessions.gap_minutes"] == (30, "built-in")
    assert "built-in" in gata("config", "show", "--tenant", "tyrell_corp").out
    assert "Did you mean tyrell_corp?" in gata("config", "show", "--tenant", "tyrel_corp").err


def test_every_setting_is_shown_with_where_it_comes_from(gata: Terminal) -> None:
    done = gata.set(GATA_ENV="prod")("config", "show", "--json")
    shown = {setting["name"]: (setting["value"], setting["source"]) for setting in json.loads(done.out)["settings"]}
    assert shown["env"] == ("prod", "GATA_ENV")
    assert shown["threads"][1] == "default"
    assert "GATA_ENV" in gata("config", "show").out
    gates = '{"row_loss": {"threshold": "0.02"}}'
    done = gata.set(GATA_GATES=gates)("config", "show", "--json")
    assert {each["name"]: each["value"] for each in json.loads(done.out)["settings"]}["gates"] == gates


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "There is no room left for /state/a.json: no space left on device. Free some"),
        (errno.EACCES, "/state/a.json may not be read or written by this user: permission denied. Give"),
        (errno.EIO, "The disk cannot read /state/a.json: input/output error. Check the disk"),
    ],
)
def test_a_disk_that_refuses_is_no_bug(number: int, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise OSError(number, os.strerror(number), "/state/a.json")

    assert exit_code_of(refuse) == 2
    assert capsys.readouterr().err.startswith(sentence)


def test_a_state_folder_that_may_only_be_read_answers_and_has_a_status(
    gata: Terminal, fresh_home: PublishedHome
) -> None:
    terminal = gata.use(fresh_home.settings)
    question = ("ask", "--tenant", "alpha", "--metrics", "spend")
    before = [terminal("status"), terminal(*question)]
    shutil.rmtree(fresh_home.settings.home / "tmp")
    with read_only(fresh_home.settings.home):
        assert [terminal("status"), terminal(*question)] == before
    assert {result.code for result in before} == {0}


def test_an_output_in_another_encoding_gets_escapes_and_stays_json() -> None:
    text = json.dumps({"a": "Zürich … 😀 ─"}, ensure_ascii=False)
    for encoding in ("latin-1", "ascii"):
        written = encodable(text, encoding)
        written.encode(encoding)
        assert json.loads(written) == {"a": "Zürich ... 😀 -"}
    assert encodable(text, "utf-8") == encodable(text, None) == text
    assert encodable("half \ud800", "utf-8") == "half \\ud800"


def test_a_status_is_written_to_an_output_of_latin_1(home: PublishedHome) -> None:
    told = environment(home.settings, PYTHONIOENCODING="latin-1")
    with start("status", env=told) as process:
        out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert "alpha" in out


@pytest.mark.parametrize("day", ["0001-01-01", "1970-12-31", "9999-12-31"])
def test_a_day_that_no_window_can_count_from_is_refused(gata: Terminal, day: str) -> None:
    refused = gata.set(GATA_TODAY=day)("config", "show")
    assert refused.code == 2
    assert f"GATA_TODAY is '{day}': " in refused.err


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "The pointer to the newest run cannot be read."),
        ('{"run_id": "20260101T000000000000Z_000000"}', "is damaged"),
    ],
)
def test_a_pointer_that_leads_nowhere_is_said_by_the_status(
    gata: Terminal, fresh_home: PublishedHome, content: str, word: str
) -> None:
    fresh_home.settings.published("alpha").joinpath("_latest.json").write_text(content)
    done = gata.use(fresh_home.settings)("status")
    assert done.code == 0
    assert word in done.out
