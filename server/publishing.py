"""From a rebuilt star to a published run: stage a copy, derive its definitions, compile every metric, commit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.disk import replace_text
from pipeline.manifest import DEFINITIONS, STARS
from pipeline.publish import commit, prune, stage
from pipeline.run_id import new_run_id
from pipeline.settings import Settings
from pipeline.tenants import Tenant
from warehouse.star_project import star_tables

if TYPE_CHECKING:
    from server.workshop import Workshop

RUNS_KEPT = 10


class Built(BaseModel):
    """What a tenant's last published run was made of, kept beside its star: an unchanged tenant is not built again."""

    model_config = ConfigDict(frozen=True)

    inputs: str
    run_id: str
    rows: dict[str, int]
    findings: tuple[str, ...] = ()


def read_built(settings: Settings, slug: str) -> Built | None:
    """The note of the last publish; None where there is none or it is damaged, and then everything is built."""
    try:
        return Built.model_validate_json(_note(settings, slug).read_bytes())
    except (OSError, ValidationError):
        return None


def publish_star(tenant: Tenant, shop: Workshop, inputs: str, findings: tuple[str, ...] = ()) -> Built:
    """Publish the tenant's star as it is now, with the definitions derived from it.

    Raises:
        PublishError: There is no star, or the disk refuses; readers keep the run they have.
        ConfigError: `semantic:` in tenants.yaml asks for something the star does not have.
        BuildError: A metric does not compile.
    """
    from semantic.derive import derive, to_yaml
    from semantic.introspect import introspect
    from semantic.models import load_model, precompile

    settings, tables = shop.settings, star_tables(tenant)
    layout = {table.table_name(tenant.slug): table.order_by for table in tables}
    run_id = new_run_id(settings.now())
    staged = stage(settings.stars(tenant.slug), settings.published(tenant.slug), run_id, tenant.slug, layout)
    observed = introspect(staged.path / STARS, tables, tenant.slug)
    definitions = to_yaml(derive(tenant, tables, observed))
    (staged.path / DEFINITIONS).write_text(definitions, encoding="utf-8")
    precompile(load_model(staged.path))
    published = commit(staged, definitions, now=settings.now())
    prune(settings.published(tenant.slug), RUNS_KEPT)
    rows = {table.name: table.rows for table in published.manifest.tables}
    built = Built(inputs=inputs, run_id=run_id, rows=rows, findings=findings)
    replace_text(_note(settings, tenant.slug), json.dumps(built.model_dump(), indent=2) + "\n")
    return built


def _note(settings: Settings, slug: str) -> Path:
    return settings.stars(slug).with_name("built.json")
