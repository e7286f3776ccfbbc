"""The environments local, dev and prod: what each sets where nothing else does.

The one table of them; every cell is the default of the setting of its name, so each layer of the configuration wins
over it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

EnvironmentName = Literal["local", "dev", "prod"]
GateMode = Literal["warn", "strict"]
DocsAccess = Literal["open", "token"]
MINUTE = 60.0


@dataclass(frozen=True)
class EnvironmentDefaults:
    """The cells of one environment; each is named for its setting."""

    gate_mode: GateMode
    publish: bool
    rest_docs: DocsAccess
    retries: int
    retry_delay: float
    retry_backoff: bool
    retry_max_delay: float


ENVIRONMENTS: Mapping[EnvironmentName, EnvironmentDefaults] = MappingProxyType(
    {
        "local": EnvironmentDefaults("warn", True, "open", 1, 1 * MINUTE, False, 1 * MINUTE),
        "dev": EnvironmentDefaults("strict", True, "open", 2, 2 * MINUTE, True, 10 * MINUTE),
        "prod": EnvironmentDefaults("strict", True, "token", 3, 5 * MINUTE, True, 30 * MINUTE),
    }
)


def by_environment(cell: str) -> Callable[[dict[str, Any]], Any]:  # Any: settings that are read already, and a cell
    """The default of a setting that differs by environment, as pydantic asks for it."""

    def default(read: dict[str, Any]) -> Any:  # Any: as above
        return getattr(ENVIRONMENTS[read.get("env", "local")], cell)  # a wrong env is refused for itself

    return default
