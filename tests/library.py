"""The library of the hub, built once in a process: a test whose subject it is not starts from a copy of it."""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from pipeline.config.connector_catalog import load_catalog
from pipeline.contracts.registry import blueprints
from pipeline.settings import Settings
from pipeline.storage.private_folder import make_private
from warehouse.build.hub_library import prepare_hub

ROOT = Path(__file__).resolve().parent.parent


def with_library(settings: Settings) -> None:
    """Give a home that has no hub the hub as `gata library` leaves it."""
    if settings.hub.exists():
        return
    make_private(settings.home)
    made = Settings(home=_library())
    shutil.copyfile(made.hub, settings.hub)
    shutil.copytree(made.home / "dbt", settings.home / "dbt", ignore=shutil.ignore_patterns("target"))


@cache
def _library() -> Path:
    home = Path(mkdtemp(prefix="gata_library_"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    prepare_hub(blueprints(load_catalog(ROOT / "supported_connectors.yaml")), Settings(home=home))
    return home
