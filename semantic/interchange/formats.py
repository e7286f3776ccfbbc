"""The formats of an export, and the files of each."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from pipeline.errors import ConfigError, suggest
from pipeline.publish.run_files import CATALOG_SCHEMA, DEFINITIONS
from pipeline.publish.run_manifest import read_manifest
from semantic.answering.export import catalog_json_schema, export_catalog
from semantic.answering.semantic_model import load_model
from semantic.catalog.run_definitions import read_definitions
from semantic.interchange.bsl_yaml import bsl_yaml
from semantic.interchange.ossie_yaml import ossie_yaml
from semantic.interchange.shared_run import SharedRun

Format = Literal["bsl", "json", "ossie"]
FORMATS: tuple[Format, ...] = get_args(Format)


def read_format(name: str) -> Format:
    """The format of that name.

    Raises:
        ConfigError: There is none.
    """
    for known in FORMATS:
        if name == known:
            return known
    raise ConfigError(f"There is no format {name!r}.", suggest(name, FORMATS))


def exported_files(run_dir: Path, format_: Format) -> dict[str, str]:
    """The texts of an export by file name, the document itself first; the same run gives the same bytes.

    Args:
        run_dir: A published run that is undamaged.
        format_: `json` is the catalog, with its JSON Schema beside it.

    Raises:
        PublishError: The run cannot be read.
    """
    model = load_model(run_dir)  # explains definitions that cannot be read
    if format_ == "json":
        return {
            f"{model.tenant}.json": export_catalog(model, run_id=run_dir.name),
            CATALOG_SCHEMA: catalog_json_schema(),
        }
    run = read_shared_run(run_dir)
    text = bsl_yaml(run) if format_ == "bsl" else ossie_yaml(run)
    return {f"{model.tenant}.{format_}.yml": text}


def read_shared_run(run_dir: Path) -> SharedRun:
    """What of a published run is shared."""
    tables = read_manifest(run_dir).tables
    return SharedRun(
        run_id=run_dir.name,
        definitions=read_definitions((run_dir / DEFINITIONS).read_bytes()),
        columns={table.name: frozenset(column.name for column in table.columns) for table in tables},
    )
