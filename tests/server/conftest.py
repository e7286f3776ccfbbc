"""The world of the server tests: published once for those that only read, anew for those that change it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.server.published_fixture import PublishedHome, new_published_home


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> PublishedHome:
    """Alpha and beta are published, gamma is not. Read only: a test that changes something takes `fresh_world`."""
    return new_published_home(tmp_path_factory.mktemp("world"), "alpha", "beta")


@pytest.fixture(autouse=True)
def log_anew() -> None:
    """The log goes to the stderr of this test, not to that of the first one that logged."""
    structlog.reset_defaults()


@pytest.fixture
def fresh_world(tmp_path: Path) -> PublishedHome:
    """Alpha alone is published."""
    return new_published_home(tmp_path / "fresh", "alpha")


@pytest.fixture(scope="session")
def address(world: PublishedHome) -> Iterator[str]:
    with world.serving() as address:
        yield address
