"""docs/architecture.md: its table of folders is the order that the linter checks."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]


@pytest.mark.parametrize("package", ["pipeline", "warehouse", "semantic", "server"])
def test_the_table_of_folders_is_the_order_of_imports(package: str) -> None:
    (layers,) = [contract["layers"] for contract in CONTRACTS if contract.get("containers") == [package]]
    lowest_first = [name for layer in reversed(layers) for name in layer.split(" | ")]
    table = PAGE.split("## The folders, in the order of imports")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    listed = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    places = [_place(name, package, listed) for name in lowest_first]
    assert None not in places, f"a folder or module of {package}/ is missing: {lowest_first}"
    levels = [[_place(name, package, listed) for name in layer.split(" | ")] for layer in reversed(layers)]
    for lower, higher in pairwise(levels[1:]):  # the ground's three modules share a row
        assert max(place or 0 for place in lower) < min(place or 0 for place in higher)


def _place(name: str, package: str, listed: list[str]) -> int | None:
    for spelled in (f"{package}/{name}/", f"{package}/{name}.py", f"{name}.py"):
        if spelled in listed:
            return listed.index(spelled)
    return None
