"""The state folder and what is in it belong to one user; nothing that is not a state folder is touched."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.settings import Settings
from pipeline.storage.build_lock import build_lock
from pipeline.storage.home_format import FORMAT, FORMAT_FILE
from pipeline.storage.hub import write_hub
from pipeline.storage.ops import Ops
from pipeline.storage.private_folder import make_private


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_a_new_state_folder_and_its_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "state")
    with build_lock(settings.home, wait_seconds=0), Ops(settings.ops) as ops, write_hub(settings) as hub:
        ops.start_run("acme")
        hub.execute("CREATE TABLE t AS SELECT 1 AS i")
        modes = {path.name: mode(path) & 0o077 for path in settings.home.iterdir()}
    assert mode(settings.home) == 0o700
    assert {"ops.sqlite", "ops.sqlite-wal", "hub.duckdb", FORMAT_FILE} <= modes.keys()
    assert set(modes.values()) == {0}


def test_the_database_of_tokens_is_private_without_a_build_too(tmp_path: Path) -> None:
    with Ops(tmp_path / "state" / "ops.sqlite") as ops:
        ops.start_run("acme")
        assert {mode(path) & 0o077 for path in (tmp_path / "state").glob("ops.sqlite*") if path.suffix != ".lock"} == {
            0
        }


def test_an_existing_state_folder_is_closed_to_others_when_it_is_opened(tmp_path: Path) -> None:
    home = tmp_path / "state"
    with Ops(home / "ops.sqlite"):
        pass
    home.chmod(0o2755)
    with Ops(home / "ops.sqlite"):
        assert mode(home) == 0o2700
    home.chmod(0o770)
    with build_lock(home, wait_seconds=0):
        assert mode(home) == 0o700


def test_a_link_is_not_followed_and_what_is_no_state_folder_is_left_alone(tmp_path: Path) -> None:
    for name in ("real", "shared"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o755)
    (tmp_path / "real" / "ops.sqlite").touch()
    (tmp_path / "link").symlink_to("real")
    make_private(tmp_path / "link")
    make_private(tmp_path / "shared")
    assert (mode(tmp_path / "real"), mode(tmp_path / "shared")) == (0o755, 0o755)
    (tmp_path / "shared" / "ops.sqlite").touch()
    (tmp_path / "shared").chmod(0o1777)  # as /tmp
    make_private(tmp_path / "shared")
    assert mode(tmp_path / "shared") == 0o1777


def test_the_mask_of_a_process_is_as_before_when_a_build_ends(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with build_lock(tmp_path / "state", wait_seconds=0):
            pass
        (tmp_path / "chart.png").touch()
        assert mode(tmp_path / "chart.png") == 0o644
    finally:
        os.umask(before)


def test_a_state_folder_of_a_later_release_is_not_built_in(tmp_path: Path) -> None:
    with build_lock(tmp_path, wait_seconds=0):
        assert json.loads((tmp_path / FORMAT_FILE).read_text())["version"] == FORMAT
    later = {"version": FORMAT + 1, "release": "9.0.0"}
    (tmp_path / FORMAT_FILE).write_text(json.dumps(later))
    sentence = rf"is of format {FORMAT + 1}, which gata 9\.0\.0 wrote; this one, .* up to {FORMAT}\. Upgrade gata"
    with pytest.raises(ConfigError, match=sentence), build_lock(tmp_path, wait_seconds=0):
        pass
    assert json.loads((tmp_path / FORMAT_FILE).read_text()) == later


@pytest.mark.parametrize("text", ["", "[]", '{"version": "one"}', '{"version": 0}'])
def test_a_format_file_that_is_damaged_or_older_is_written_again(tmp_path: Path, text: str) -> None:
    (tmp_path / FORMAT_FILE).write_text(text)
    with build_lock(tmp_path, wait_seconds=0):
        assert json.loads((tmp_path / FORMAT_FILE).read_text())["version"] == FORMAT
