"""Homes that earlier releases left, as fixtures: unpacked into a folder, opened by nobody yet."""

from __future__ import annotations

import lzma
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


def unpack_home(name: str, folder: Path) -> None:
    """Copy a home into a folder: its state, its tenants.yaml, and its exports where it has them."""
    shutil.copytree(FIXTURES / name, folder, dirs_exist_ok=True)
    state = folder / "state"
    if (dump := state / "ops.sql").exists():
        with closing(sqlite3.connect(state / "ops.sqlite")) as ops:
            ops.executescript(dump.read_text(encoding="utf-8"))
    for packed in state.rglob("*.xz"):
        packed.with_suffix("").write_bytes(lzma.decompress(packed.read_bytes()))
        packed.unlink()
