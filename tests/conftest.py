"""What every folder of tests shares: golden files, the real data beside the checkout, a still clock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")  # machines are shared: how long an example takes says nothing

HERE = Path(__file__).resolve().parent
REAL_DATA = HERE.parent.parent / "shared" / "data" / "real"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regild", action="store_true", help="Rewrite the golden files; read the difference in review.")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with tests/golden/<name>, or rewrite it under --regild."""

    def check(name: str, text: str) -> None:
        path = HERE / "golden" / name
        if request.config.getoption("--regild"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"tests/golden/{name} is missing: run pytest --regild and read it."
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Records of real platforms, where the shared folder lies beside the checkout."""
    if not REAL_DATA.is_dir():
        pytest.skip("The shared folder with real records is not beside this checkout.")
    return REAL_DATA
