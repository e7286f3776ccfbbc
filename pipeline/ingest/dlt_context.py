"""The isolated run context of dlt: settings from this module only, no telemetry, no log, files in the state folder.

By default dlt reads `.dlt/*.toml` and the environment of the process, and keeps an id for its telemetry in the
user's home even when telemetry is off. Importing this module imports dlt, so only landing imports it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import dlt
import duckdb
from dlt.common import logger
from dlt.common.configuration import resolve_configuration
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import CustomLoaderDocProvider
from dlt.common.configuration.specs import RuntimeConfiguration
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.runtime.run_context import RunContext

CONFIG = {
    "schema": {"naming": "direct"},  # vendors' names as they are
    "load": {"workers": 1, "delete_completed_jobs": True, "raise_on_max_retries": 1},  # a local file: retry is useless
    "runtime": {"dlthub_telemetry": False, "log_level": "CRITICAL"},
}


class _IsolatedContext(RunContext):  # type: ignore[misc]  # dlt is not type-checked here
    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self._folder = folder

    @property
    def global_dir(self) -> str:
        return str(self._folder)

    def initialize_runtime(self, runtime_config: Any = None) -> None:  # Any: dlt's own
        """As dlt's, without its telemetry: that imports a web client, for 0.1 s."""
        self._runtime_config = runtime_config or resolve_configuration(RuntimeConfiguration())
        logger.LOGGER = logging.getLogger("dlt")
        logger.LOGGER.setLevel(self._runtime_config.log_level)

    def initial_providers(self) -> list[Any]:  # Any: dlt's own
        return [CustomLoaderDocProvider("gata", lambda: CONFIG)]


def isolate(folder: Path) -> None:
    """Make dlt in this process keep its files in `folder` only."""
    Container()[PluggableRunContext] = PluggableRunContext(_IsolatedContext(folder))


def hub_destination(hub: duckdb.DuckDBPyConnection) -> Any:  # Any: dlt's own
    """Return dlt's DuckDB destination for the open hub, whose capabilities are computed once.

    dlt's own resolves its whole configuration for each of the dozen times that a run asks: a fifth of a small landing.
    """
    destination = dlt.destinations.duckdb(hub)
    compute = destination.capabilities
    computed: dict[type, Any] = {}  # Any: dlt's own

    def capabilities(config: Any = None, naming: Any = None) -> Any:  # Any: as above
        if config is not None:
            return compute(config, naming)
        if type(naming) not in computed:
            computed[type(naming)] = compute(None, naming)
        return computed[type(naming)].copy()  # a run writes into it

    destination.capabilities = capabilities
    return destination
