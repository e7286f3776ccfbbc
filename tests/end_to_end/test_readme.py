"""The README's commands do what it says, in the order it says them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import httpx
import pytest

from pipeline.storage.ops import Ops
from server.serving.access import Access
from tests.end_to_end.bundled import Bundled
from tests.server.cli_run import ROOT
from tests.server.published_fixture import PublishedHome

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.partition(" #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    for line in block.splitlines()
]


@pytest.fixture
def home(bundled: Bundled) -> dict[str, str]:
    """A new user's machine after `make run SERVE=0`, but for the packages."""
    return bundled.environment


def run(command: list[str], env: dict[str, str]) -> str:
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def test_make_run_prints_what_the_readme_shows(bundled: Bundled) -> None:
    said = bundled.said
    shown = re.search(r"```\n(tenant .*?)```", README, flags=re.DOTALL)
    assert shown
    for line in shown.group(1).splitlines():
        assert line.startswith("...") or line in said, line
    assert "Authorization: Bearer gata_" in said
    assert f"mcp --tenant {'tyrell_corp'}" in said


def test_the_check_of_a_file_prints_what_the_readme_shows(home: dict[str, str]) -> None:
    (command,) = [line for line in COMMANDS if line.startswith(".venv/bin/gata check ")]
    program = [sys.executable, "-c", "import sys; from server.cli.app import main; sys.exit(main())"]
    shown = re.search(r"```\n(examples/.*?)\.\.\.\n```", README, flags=re.DOTALL)
    assert shown
    assert run([*program, *shlex.split(command)[1:]], home).startswith(shown.group(1))


def test_make_knows_both_commands() -> None:
    assert {"make run", "make test"} <= set(COMMANDS)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(
        re.search(rf"^{command.split()[1]}:", makefile, flags=re.MULTILINE) for command in ("make run", "make test")
    )


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith(".venv/bin/gata ")])
def test_the_command_works_after_make_run(home: dict[str, str], command: str) -> None:
    program = [sys.executable, "-c", "import sys; from server.cli.app import main; sys.exit(main())"]
    assert run([*program, *shlex.split(command)[1:]], home)


def test_the_question_over_rest_is_answered(bundled: Bundled) -> None:
    settings = bundled.settings
    with Ops(settings.ops) as ops:
        published = PublishedHome(settings, {"tyrell_corp": Access(ops).create(tenant="tyrell_corp", name="readme")[0]})
    (command,) = [line for line in COMMANDS if line.startswith("curl $URL/semantic-layer/")]
    with published.serving() as address:
        filled = command.replace("$URL", address).replace("$TOKEN", published.tokens["tyrell_corp"])
        _, url, *options = shlex.split(filled)
        given = list(zip(options[::2], options[1::2], strict=True))
        headers = dict(value.split(": ", 1) for option, value in given if option == "-H")
        answer = httpx.post(url, headers=headers, content=dict(given)["-d"], timeout=120)
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows"]


def test_every_path_the_readme_names_is_there() -> None:
    for folder in re.findall(r"^\| `([a-z]+/)` \|", README, flags=re.MULTILINE):
        assert (ROOT / folder).is_dir(), folder
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
