"""A tenant with models of its own, and a small finished star to run them on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipeline.config.blocks.models_block import ModelFile
from pipeline.config.slug import slug_of
from pipeline.config.tenant import Tenant
from pipeline.settings import Settings
from warehouse.own_models.own_models import read_own_models
from warehouse.own_models.run_models import OwnBuild, build_own_models

Files = Mapping[str, str]
ORDERS = [("1", "ann", date(2026, 1, 5), 10), ("2", "ann", date(2026, 2, 5), 20), ("3", "bob", date(2026, 2, 9), 30)]


def a_tenant(files: Files, slug: str = "acme", **more: Any) -> Tenant:
    models = tuple(ModelFile(path=path, text=text) for path, text in sorted(files.items()))
    return Tenant(slug=slug_of(slug), business_name=slug, models=models, **more)


def write_star(folder: Path, slug: str = "acme", orders: Any = ORDERS) -> Path:
    """A star of two tables: the orders, and the customers who placed them."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "stars.duckdb"
    with duckdb.connect(str(file)) as star:
        star.execute(
            f"create table fct_{slug}__orders"
            " (order_key varchar, customer_key varchar, order_date date, total_price decimal(18, 6))"
        )
        star.executemany(f"insert into fct_{slug}__orders values (?, ?, ?, ?)", orders)
        star.execute(
            f"create table dim_{slug}__users as select distinct customer_key as user_key from fct_{slug}__orders"
        )
        star.execute(f"create table int_{slug}__orders as from fct_{slug}__orders")
    return file


def run(files: Files, folder: Path, slug: str = "acme", **settings: Any) -> tuple[OwnBuild, Path]:
    """Build the models of a tenant on a star in a folder of its own."""
    tenant, file = a_tenant(files, slug), write_star(folder, slug)
    build = build_own_models(
        tenant, read_own_models(tenant), file, Settings(home=folder / "home", threads=1, **settings)
    )
    return build, file


def rows(file: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(file), read_only=True) as star:
        return star.execute(sql).fetchall()
