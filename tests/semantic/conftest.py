"""The hand-written shop, once for all tests that only ask, and its star with random rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.semantic.hand_star import HandStar, covered_hand_shop, hand_shop
from tests.semantic.random_star import RandomStar


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    made = hand_shop(tmp_path_factory.mktemp("shop"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def covered_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandStar]:
    made = covered_hand_shop(tmp_path_factory.mktemp("covered_shop"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def star(covered_shop: HandStar, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RandomStar]:
    made = RandomStar(covered_shop, tmp_path_factory.mktemp("random"))
    yield made
    made.connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
