"""Fixtures of the pipeline's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.landing_fixture import LandingFixture


@pytest.fixture
def sandbox(tmp_path: Path) -> LandingFixture:
    """A landing place of its own for each test."""
    return LandingFixture(tmp_path)
