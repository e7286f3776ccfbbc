"""Fixtures and order of all tests: golden files, the real data beside the checkout, the heaviest files first."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.fast_folder import write_in_memory
from tests.left_out import REAL_DATA, LeftOut, add_options

settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")  # machines are shared: how long an example takes says nothing

HERE = Path(__file__).resolve().parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="Rewrite the golden files; read the difference in review."
    )
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(LeftOut(config))
    write_in_memory()


HEAVIEST = (
    "end_to_end/test_readme.py",
    "end_to_end/test_small_shop.py",
    "end_to_end/test_real_exports.py",
    "end_to_end/test_every_connector.py",
    "server/test_rest_onboard.py",
    "end_to_end/test_forget.py",
    "end_to_end/test_drift.py",
    "server/test_cli_init.py",
    "warehouse/test_deliveries.py",
    "pipeline/test_bad_input.py",
    "pipeline/test_drift.py",
    "warehouse/test_push.py",
    "end_to_end/test_real_connectors.py",
    "pipeline/test_measures.py",
    "end_to_end/test_new_connector.py",
    "end_to_end/test_domains.py",
    "server/test_logic_versions.py",
    "warehouse/test_hub_models.py",
    "end_to_end/test_agent_questions.py",
    "end_to_end/test_defects.py",
    "warehouse/test_engines.py",
    "end_to_end/test_source_mix.py",
    "end_to_end/test_trade_dimensions.py",
)
"""The files that take longest, the longest first, so that no worker is left with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the heaviest files first; with `--no-loadscope-reorder` workers take files in this order."""
    places = {HERE / name: place for place, name in enumerate(HEAVIEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_collection_finish() -> None:
    """Look for garbage less often, and never among what collecting brought: it was a tenth of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare text with tests/golden/<name>, or rewrite it under --update-golden."""

    def check(name: str, text: str) -> None:
        path = HERE / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.exists(), f"tests/golden/{name} is missing: run pytest --update-golden and read it."
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Records of real platforms. A test that asks for them is left out where the shared folder is not beside us."""
    return REAL_DATA
