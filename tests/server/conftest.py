"""Published homes of the server tests: one for all tests that only read, a fresh one for each that changes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.server.published_fixture import PublishedHome, new_published_home


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> PublishedHome:
    """Alpha and beta are published, gamma is not. Read only: a test that changes something takes `fresh_home`."""
    return new_published_home(tmp_path_factory.mktemp("home"), "alpha", "beta")


@pytest.fixture(autouse=True)
def log_anew() -> None:
    """The log goes to the stderr of this test, not to that of the first one that logged."""
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def alpha_home(tmp_path_factory: pytest.TempPathFactory) -> PublishedHome:
    """What `fresh_home` is a copy of."""
    return new_published_home(tmp_path_factory.mktemp("alpha"), "alpha")


@pytest.fixture
def fresh_home(alpha_home: PublishedHome, tmp_path: Path) -> PublishedHome:
    """Alpha alone is published."""
    return alpha_home.copied_to(tmp_path / "fresh")


@pytest.fixture(scope="session")
def address(home: PublishedHome) -> Iterator[str]:
    with home.serving() as address:
        yield address
