"""docs/operations.md, "Getting back": after each accident the commands of the page bring the numbers back."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.publish.run_files import STARS
from pipeline.storage.bronze.batches import bronze_folder
from server.orchestration.forgetting import erase_with_record
from server.orchestration.recovery.backup import make_backup
from tests.docs.typed_commands import commands_of, parse
from tests.end_to_end.project_fixture import Project, copy_project
from tests.end_to_end.small_shop import order, write_jsonl
from tests.end_to_end.test_damaged_outputs import cut, garbage, rewrite, run, star
from tests.end_to_end.whole_homes import files_with, sums
from tests.server.cli_run import ROOT, environment

SHOP = "small_shop"
ANN = "1@example.com"
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
GETTING_BACK = PAGE.partition("\n## Getting back\n")[2].partition("\n## ")[0]
SECTIONS = dict(re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", GETTING_BACK, re.MULTILINE | re.DOTALL))


def publish_wrong_data(home: Project) -> None:
    write_jsonl(home.settings.tenants.parent / "shop/orders_wrong.jsonl", [order(9, "9999.00")])
    home.build()
    assert home.number(SHOP, "orders") == 4


def spoil_bronze(home: Project) -> None:
    (batch, *_) = bronze_folder(home.settings, home.context.manifest.get(SHOP).slug).glob("shopify/*/orders/*/*")
    (file, *_) = batch.glob("orders*")
    rewrite(file, b"{}")


ACCIDENTS: dict[str, Callable[[Project], Any]] = {
    "The hub is damaged or gone": lambda home: garbage(home.settings.hub),
    "A star is gone or damaged": lambda home: star(home).unlink(),
    "A published run is damaged": lambda home: cut(run(home) / STARS),
    "The pointer is damaged": lambda home: rewrite(run(home).parent / "_latest.json", b""),
    "A batch of bronze is damaged": spoil_bronze,
    "Wrong data was published": publish_wrong_data,
    "ops.sqlite is damaged or gone": lambda home: garbage(home.settings.ops),
    "The state folder is gone": lambda home: shutil.rmtree(home.settings.home),
    "A person was forgotten after the backup": lambda home: erase_with_record(home.context, SHOP, ANN),
}
FAILING = {("A batch of bronze is damaged", 0)}
"""Commands that are there to name the damage, and exit 2."""


def blocks_of(section: str) -> list[str]:
    """The sh blocks of a section."""
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def test_every_accident_of_the_page_is_caused_here_and_every_command_of_it_parses() -> None:
    assert set(SECTIONS) == set(ACCIDENTS)
    for section in SECTIONS.values():
        assert blocks_of(section)
        for line in commands_of(section):
            parse(line)


@pytest.mark.long
@pytest.mark.parametrize("accident", ACCIDENTS)
def test_the_commands_of_the_page_bring_the_numbers_back(small: Project, tmp_path: Path, accident: str) -> None:
    home = copy_project(small, tmp_path / "project")
    state = home.settings.home.rename(tmp_path / "project" / ".gata")
    home = Project(home.settings.model_copy(update={"home": state}))
    before, kept = sums(home, SHOP), tmp_path / "backups"
    make_backup(home.settings, kept, keep=7)
    ACCIDENTS[accident](home)
    for number, block in enumerate(blocks_of(SECTIONS[accident])):
        done = typed(block.replace("/backups/gata", str(kept)).replace("tyrell_corp", SHOP), home)
        if (accident, number) in FAILING:
            assert done.returncode == 2
            (named,) = set(re.findall(r"([\w./-]*bronze/[\w./=-]+/batch_\w+)", done.stdout + done.stderr))
            shutil.rmtree(home.settings.tenants.parent / named)  # as the page says, without a backup
        else:
            assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    assert sums(home, SHOP) == before
    if accident.startswith("A person"):
        assert files_with(state, ANN) == set()
    if accident.startswith("ops.sqlite"):
        assert "Tokens, the record of runs and jobs" in done.stderr


def typed(block: str, home: Project) -> subprocess.CompletedProcess[str]:
    """Run a block as it is typed in the folder of tenants.yaml, `gata` being that of this environment."""
    environ = environment(**({"GATA_TODAY": home.settings.today.isoformat()} if home.settings.today else {}))
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    folder = home.settings.tenants.parent
    return subprocess.run(
        ["sh", "-ec", block], cwd=folder, env=environ, capture_output=True, text=True, timeout=600, check=False
    )
