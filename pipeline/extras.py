"""Optional packages: the extras of gata, and the command that installs a missing one.

gata             queries and serves published runs
gata[build]      builds them: dlt, dbt, numpy
gata[charts]     draws charts as pictures: vl-convert
gata[otel]       sends traces: OpenTelemetry
gata[all]        everything, as `make setup` installs it
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from typing import Final, Literal

from pipeline.errors import MissingExtra

Extra = Literal["build", "charts", "otel"]

MODULES: Final[Mapping[Extra, tuple[str, ...]]] = {
    "build": ("dbt.adapters.duckdb", "dbt.cli", "dbt_common", "dlt", "jinja2", "numpy"),
    "charts": ("vl_convert",),
    "otel": ("opentelemetry.exporter.otlp.proto.http", "opentelemetry.sdk"),
}
"""The modules of each extra that this tree imports."""


def require_extra(extra: Extra, use: str) -> None:
    """Check that the packages of an extra are installed, before any work that needs them begins.

    Args:
        use: What needs them, as the subject of a sentence: "Building".

    Raises:
        MissingExtra: One of them is not.
    """
    missing = [module for module in MODULES[extra] if not is_installed(module)]
    if missing:
        raise MissingExtra(
            f"{use} needs packages that are not installed: {', '.join(missing)}.", f"Run `{install_command(extra)}`."
        )


def install_command(extra: Extra) -> str:
    """The command that adds an extra to this installation.

    It names the version that is installed, so that pip keeps it and looks for no other project of this name.
    """
    return f"pip install 'gata[{extra}]=={version('gata')}'"


def is_installed(module: str) -> bool:
    """Whether a module could be imported; only the packages above it are."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
