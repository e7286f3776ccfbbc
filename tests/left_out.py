"""Which tests a run leaves out, and the line that says so.

    slow         in a file that takes seconds: `make test-fast` does without (`-m "not slow"`)
    long         takes long: `make test-long` runs it, `make test` does not
    needs_<it>   needs a program or a right that a user may lack; long as well
    real_data    reads the real records beside the checkout, and is left out where they are not

A test that needs something new gets its marker from a line of NEEDS. `.ci/run` fails when `make test` and
`make test-long` have both left out a test that needs something: it provides all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.extras import is_installed
from tests.rights import may_mount

HERE: Final = Path(__file__).resolve().parent
REAL_DATA: Final = HERE.parents[1] / "shared" / "data" / "real"
SLOW: Final = (
    "packaging/test_extras.py",
    "packaging/test_left_out.py",
    "pipeline/test_bad_input.py",
    "pipeline/test_bronze.py",
    "pipeline/test_checks_agree.py",
    "pipeline/test_contract_words.py",
    "pipeline/test_drift.py",
    "pipeline/test_envelopes.py",
    "pipeline/test_fault_injection.py",
    "pipeline/test_land.py",
    "pipeline/test_land_killed.py",
    "pipeline/test_layouts.py",
    "pipeline/test_lenient.py",
    "pipeline/test_measures.py",
    "pipeline/test_publish.py",
    "pipeline/test_readers.py",
    "pipeline/test_spellings.py",
    "pipeline/test_synthetic.py",
    "pipeline/test_zip.py",
    "semantic/test_against_reference.py",
    "semantic/test_derive.py",
    "semantic/test_execute.py",
    "semantic/test_explain.py",
    "semantic/test_fuzz.py",
    "semantic/test_rollups.py",
    "semantic/test_suggestions.py",
    "semantic/test_validate.py",
    "server/test_access_http.py",
    "server/test_answer_cache.py",
    "server/test_cli.py",
    "server/test_cli_doctor.py",
    "server/test_isolation.py",
    "server/test_logic_versions.py",
    "server/test_mcp.py",
    "server/test_offboarded.py",
    "server/test_published.py",
    "server/test_published_rollups.py",
    "server/test_rest.py",
    "server/test_rest_lists.py",
    "server/test_rest_onboard.py",
    "server/test_rest_results.py",
    "server/test_soak.py",
    "server/test_worker_pool.py",
    "server/test_workers.py",
    "warehouse/test_deliveries.py",
    "warehouse/test_engines.py",
    "warehouse/test_hub_models.py",
    "warehouse/test_meta_vendors.py",
    "warehouse/test_mutations.py",
    "warehouse/test_payments.py",
    "warehouse/test_push.py",
    "warehouse/test_real_stars.py",
    "warehouse/test_tenant_logic.py",
    "end_to_end",
)
"""The folders, and the files that take more than four seconds of a processor."""


@dataclass(frozen=True)
class Need:
    """What a test may need, and whether it is here."""

    description: str
    is_met: Callable[[], bool]


NEEDS: Final = {
    "needs_tmpfs": Need("the right to mount a disk in memory: root on Linux", may_mount),
    "needs_uv": Need("uv, which `make setup` installs", lambda: is_installed("uv")),
}
MARKERS: Final = {
    "slow": "takes seconds: `make test-fast` does without",
    "long": "takes long: `make test-long` runs it",
    "real_data": f"reads the records of ../{REAL_DATA.relative_to(REAL_DATA.parents[2])}",
    **{name: f"needs {need.description}; long as well" for name, need in NEEDS.items()},
}


def add_options(parser: pytest.Parser) -> None:
    """Add the options of this page to pytest."""
    parser.addoption("--long", action="store_true", help="Run the tests that take long, too.")
    parser.addoption(
        "--left-out", metavar="FILE", help="Write which tests were left out of those that need something, one a line."
    )


class LeftOut:
    """Leaves out what the run is not for; counts it, also in xdist's workers; says so at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._is_long = config.getoption("--long")
        self._file: str | None = config.getoption("--left-out")
        self.counts = Counter[str]()
        self.needing = set[str]()
        for name, description in MARKERS.items():
            config.addinivalue_line("markers", f"{name}: {description}")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
        for item in items:
            _mark(item)
        needing = {item.nodeid for item in items if _needs(item)}
        reasons = {item: reason for item in items if (reason := self._reason(item))}
        self.counts.update(reasons.values())
        items[:] = [item for item in items if item not in reasons]
        config.hook.pytest_deselected(items=list(reasons))
        yield
        self.needing |= needing - {item.nodeid for item in items}

    def _reason(self, item: pytest.Item) -> str | None:
        if not self._is_long and item.get_closest_marker("long"):
            return "long"
        if item.get_closest_marker("real_data") and not REAL_DATA.is_dir():
            return "real_data"
        return next((name for name in _needs(item) if not NEEDS[name].is_met()), None)

    @pytest.hookimpl
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:  # in a worker of xdist, which tells the process that reports
            output["left_out"] = (dict(self.counts), sorted(self.needing))
        elif self._file:
            Path(self._file).write_text("".join(f"{name}\n" for name in sorted(self.needing)), encoding="utf-8")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:  # Any: xdist's own
        """Every worker collects all tests, so each says the same."""
        counts, needing = node.workeroutput.get("left_out", ({}, ()))
        self.counts |= Counter(counts)
        self.needing |= set(needing)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.counts:
            listed = ", ".join(f"{count} {name} ({MARKERS[name]})" for name, count in sorted(self.counts.items()))
            terminalreporter.write_line(f"{self.counts.total()} tests were left out: {listed}.")


def _mark(item: pytest.Item) -> None:
    """Add the markers that follow from a test's fixtures and its other markers."""
    if any(item.path.is_relative_to(HERE / name) for name in SLOW):
        item.add_marker("slow")
    if "real_data" in getattr(item, "fixturenames", ()):
        item.add_marker("real_data")
    if _needs(item):
        item.add_marker("long")


def _needs(item: pytest.Item) -> list[str]:
    return [mark.name for mark in item.iter_markers() if mark.name in NEEDS]
