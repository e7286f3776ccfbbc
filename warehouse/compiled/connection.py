"""The connection of a generated project, as dbt-duckdb opens it from profiles.yml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import yaml
from jinja2 import Environment

from pipeline.contracts.sql import literal
from pipeline.storage.build_memory import DuckDbMemory
from pipeline.storage.hub import let_go_of_hub
from warehouse.projects.profiles import SANDBOX

_KNOWN = {"type", "path", "threads", "attach", "config_options", "settings"}
_ATTACHED = {"path", "alias", "read_only"}


@dataclass(frozen=True)
class Profile:
    """The target of a profiles.yml that builds use, with the values of its variables."""

    output: Mapping[str, Any]  # Any: YAML values

    @property
    def path(self) -> str:
        return str(self.output["path"])

    @property
    def unknown(self) -> set[str]:
        """The options that `connect` would leave out."""
        attached = {option for each in self.output.get("attach", ()) for option in each}
        return (self.output.keys() - _KNOWN) | (attached - _ATTACHED)

    def connect(self, memory: DuckDbMemory) -> duckdb.DuckDBPyConnection:
        """Open the database, with its settings and everything that is attached; a hub that a phase keeps is let go."""
        let_go_of_hub()
        connection = duckdb.connect(self.path, config={**self.output.get("config_options", {}), **memory})
        try:
            for attached in self.output.get("attach", ()):
                mode = " (read_only)" if attached.get("read_only") else ""
                connection.execute(f"attach if not exists {literal(attached['path'])} as {attached['alias']}{mode}")
            for option, value in self.output.get("settings", {}).items():
                connection.execute(f"set {option} = {literal(str(value))}")
        except BaseException:
            connection.close()
            raise
        return connection


def read_profile(text: str, environment: Mapping[str, str]) -> Profile:
    """The profile of a generated profiles.yml.

    Args:
        text: Of the file.
        environment: The variables that it reads.
    """
    (profile,) = yaml.safe_load(text).values()
    jinja = Environment()  # noqa: S701 - it renders paths and numbers
    jinja.filters["as_number"] = lambda value: value  # DuckDB casts the text of a setting
    return Profile(_rendered(profile["outputs"][SANDBOX], jinja, {"env_var": environment.get}))


def _rendered(value: Any, jinja: Environment, names: Mapping[str, Any]) -> Any:  # Any: YAML values
    if isinstance(value, str):
        return jinja.from_string(value).render(names)
    if isinstance(value, Mapping):
        return {name: _rendered(each, jinja, names) for name, each in value.items()}
    if isinstance(value, list):
        return [_rendered(each, jinja, names) for each in value]
    return value
