"""The hand-written shop, for the ways analytics lies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.semantic.hand_star import HandStar, hand_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    made = hand_shop(tmp_path_factory.mktemp("traps")).cover("2026-01-01", "2026-12-31")
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
