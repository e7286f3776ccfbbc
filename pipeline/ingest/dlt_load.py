"""One dlt run: loads parquet parts into a tenant's landing tables; complete once `_dlt_loads` lists it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import duckdb

from pipeline.config.tenant import Tenant
from pipeline.contracts.fields import EXACT
from pipeline.errors import LandError
from pipeline.ingest.landing_tables import LOAD_ID, Columns, dataset
from pipeline.ingest.part_buffer import ParquetPart
from pipeline.settings import Settings
from pipeline.storage.hub import hub_error

_TYPES = {
    "VARCHAR": "text",
    "BIGINT": "bigint",
    "DOUBLE": "double",
    EXACT: "decimal",
    "BOOLEAN": "bool",
    "JSON": "json",
    "TIMESTAMP": "timestamp",
}

Stage = Callable[[str], Mapping[str, list[ParquetPart]]]
"""Returns the parts of each table for a load id, which every row carries."""


def load(
    hub: duckdb.DuckDBPyConnection, tenant: Tenant, settings: Settings, tables: Mapping[str, Columns], stage: Stage
) -> str:
    """Stage and load one package; the load counts once `_dlt_loads` holds its id.

    The package of a killed process is removed first: its rows, where any reached the tables, carry a
    load id that never completed, and its files are not recorded as landed, so they are read again.

    Raises:
        LandError: The disk or the hub refused.
    """
    import dlt
    from dlt.common.storages.load_package import load_package_state
    from dlt.pipeline.exceptions import PipelineStepFailed

    from pipeline.ingest.dlt_context import hub_destination, isolate

    name, folder = f"land_{tenant.slug}", settings.home / "dlt"
    shutil.rmtree(folder / name, ignore_errors=True)
    isolate(folder)
    staged = cache(stage)
    load_ids: list[str] = []

    def parts(table: str) -> Iterator[Any]:  # Any: dlt's own marker
        load_ids[:] = [load_package_state()["load_id"]]
        for part in staged(load_ids[0]).get(table, []):
            yield dlt.mark.with_file_import(str(part.path), "parquet", part.rows)
            part.path.unlink()

    resources = [
        dlt.resource(parts(table), name=table, columns=_hints(columns), write_disposition="append", max_table_nesting=0)
        for table, columns in tables.items()
    ]
    pipeline = dlt.pipeline(
        name, pipelines_dir=str(folder), destination=hub_destination(hub), dataset_name=dataset(tenant)
    )
    try:
        pipeline.run(resources, loader_file_format="parquet")
    except PipelineStepFailed as error:
        cause = _cause(error, settings)
        if cause is None:
            raise
        raise cause from error
    finally:
        pipeline.deactivate()
    return load_ids[0]


def _hints(columns: Columns) -> dict[str, dict[str, object]]:
    return {
        name: {
            "name": name,
            "data_type": _TYPES[type_],
            "nullable": name != LOAD_ID,
            **({"timezone": False} if type_ == "TIMESTAMP" else {}),
            **({"precision": 18, "scale": 6} if type_ == EXACT else {}),
        }
        for name, type_ in columns
    }


def _cause(error: BaseException, settings: Settings) -> BaseException | None:
    """The cause of a failed dlt run: an error of ours, Ctrl-C, or the disk; None for anything else, which is a bug."""
    root = error
    while inner := root.__cause__ or getattr(root, "client_exception", None):  # dlt stores the hub's error there
        root = inner
    if isinstance(root, LandError | KeyboardInterrupt):
        return root
    return hub_error(settings, root) if isinstance(root, OSError | duckdb.Error) else None
