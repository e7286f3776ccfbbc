"""Homes that earlier releases left, as fixtures: unpacked into a folder, opened by nobody yet."""

from __future__ import annotations

import lzma
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx

from pipeline.settings import Settings
from tests.server.published_fixture import PublishedHome

SHOP = "small_shop"
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


@contextmanager
def served_numbers(settings: Settings, token: str) -> Iterator[Callable[[], tuple[str, list[list[float]]]]]:
    """A server of a home with a small shop; gives what asks it: run, and orders, revenue, spend."""
    question = {"metrics": ["orders", "order_revenue", "spend"]}
    headers = {"Authorization": f"Bearer {token}"}
    with (
        PublishedHome(settings.model_copy(update={"rate_per_minute": 0}), {}).serving() as address,
        httpx.Client(base_url=address, headers=headers) as http,
    ):

        def ask() -> tuple[str, list[list[float]]]:
            answer = http.post(f"/semantic-layer/{SHOP}/query", json=question, timeout=120)
            assert answer.status_code == 200, answer.text
            told = answer.json()
            return str(told["run_id"]), told["rows"]

        yield ask
