"""Fixtures of the pipeline's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.landing_fixture import Yard


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    """A landing place of its own for each test."""
    return Yard(tmp_path)
