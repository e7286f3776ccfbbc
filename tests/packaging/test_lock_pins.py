"""uv, pip and the extras know the same packages, at the same versions."""

from __future__ import annotations

import tomllib
from typing import Any

from tests.packaging.lock_pins import LOCK, PROJECT, name_of, pins, with_pins

PYPROJECT: dict[str, Any] = tomllib.loads(PROJECT.read_text(encoding="utf-8"))


def test_uv_is_held_to_the_versions_of_the_lock_file() -> None:
    locked = pins(LOCK.read_text(encoding="utf-8"))
    assert PYPROJECT["tool"]["uv"]["constraint-dependencies"] == locked, "Run `make lock`."


def test_every_package_of_the_lock_file_is_a_pin() -> None:
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    assert len(pins("\n".join(lines))) == sum(line[:1].isalnum() for line in lines) > 100


def test_a_pin_keeps_its_marker_and_loses_its_extra_and_its_hashes() -> None:
    first = "mcp[cli]==2.3.0 \\\n    --hash=sha256:0a\n"
    second = "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:0b\n"
    assert pins(first + second) == ["mcp==2.3.0", "numpy==2.4.6 ; python_full_version < '3.12'"]


def test_pins_replace_those_that_were_there_and_nothing_else() -> None:
    text = PROJECT.read_text(encoding="utf-8")
    renewed = with_pins(text, ["a==1", "b==2 ; sys_platform == 'win32'"])
    assert tomllib.loads(renewed)["tool"]["uv"]["constraint-dependencies"] == ["a==1", "b==2 ; sys_platform == 'win32'"]
    assert with_pins(renewed, PYPROJECT["tool"]["uv"]["constraint-dependencies"]) == text


def test_every_requirement_of_the_project_is_in_the_lock_file() -> None:
    locked = {name_of(pin) for pin in pins(LOCK.read_text(encoding="utf-8"))}
    extras, groups = PYPROJECT["project"]["optional-dependencies"], PYPROJECT["dependency-groups"]
    asked = [
        *PYPROJECT["project"]["dependencies"],
        *(text for group in (extras, groups) for texts in group.values() for text in texts),
    ]
    assert {name_of(text) for text in asked if isinstance(text, str)} - {"gata"} <= locked, "Run `make lock`."


def test_the_group_that_uv_installs_repeats_the_extras() -> None:
    """`uv sync` removes what no group asks for, and a group cannot name an extra of its own project safely."""
    extras = PYPROJECT["project"]["optional-dependencies"]
    listed = [text for name, texts in extras.items() if name != "all" for text in texts]
    assert sorted(PYPROJECT["dependency-groups"]["extras"]) == sorted(listed)
    assert {"include-group": "extras"} in PYPROJECT["dependency-groups"]["dev"]


def test_all_is_every_extra() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    assert extras["all"] == [f"gata[{','.join(sorted(extras.keys() - {'all'}))}]"]
