"""The values of one tenant, each with its place: the tenant's entry, `defaults:` of tenants.yaml, or built in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from pipeline.config.entry import Entry, merge
from pipeline.config.layers.layer import ValuePath, names_secret
from pipeline.config.tenant import Tenant
from pipeline.config.tenants_file import declared_tenants, written_slug
from pipeline.config.yaml_file import read_yaml
from pipeline.settings import Settings

BUILT_IN = "built-in"
Leaf = tuple[ValuePath, Entry]


@dataclass(frozen=True)
class TenantValue:
    """One value of a tenant."""

    path: ValuePath
    value: Any  # Any: YAML has no schema; the tenant was checked
    where: str
    """`file:line`, with `defaults` before it where every tenant has the value; or built-in."""

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def is_secret(self) -> bool:
        return isinstance(self.value, str) and names_secret(self.path[-1])


def tenant_values(tenant: Tenant, settings: Settings) -> list[TenantValue]:
    """Every value of a tenant that tenants.yaml says, and the built-in ones of what it leaves out.

    Raises:
        ConfigError: tenants.yaml cannot be read.
    """
    root = read_yaml(settings.tenants)
    defaults = root.mapping().get("defaults")
    own = next(entry for entry in declared_tenants(root) if written_slug(entry) == tenant.slug)
    merged = merge(defaults, own) if defaults else own
    of_all = {id(leaf) for _, leaf in _leaves((), defaults)} if defaults else set()
    said = dict(_leaves((), merged))
    found = [
        TenantValue(path, leaf.plain(), f"defaults, {leaf.location}" if id(leaf) in of_all else leaf.location)
        for path, leaf in said.items()
    ]
    found += [TenantValue(path, value, BUILT_IN) for path, value in _built_in((), tenant, said)]
    order = {name: place for place, name in enumerate(Tenant.model_fields)}
    return sorted(found, key=lambda each: order.get(each.path[0], len(order)))


def _leaves(above: ValuePath, entry: Entry) -> Iterator[Leaf]:
    """The values that an entry says, each without parts of its own."""
    if isinstance(entry.value, dict) and entry.value:
        for key, part in entry.value.items():
            yield from _leaves((*above, key), part)
    else:
        yield above, entry


def _built_in(above: ValuePath, model: BaseModel, said: dict[ValuePath, Entry]) -> Iterator[tuple[ValuePath, Any]]:
    """The values of a checked model that tenants.yaml leaves out, but for empty ones."""
    for name, field in type(model).model_fields.items():
        path, value = (*above, name), getattr(model, name)
        if field.exclude or value in (None, (), {}):
            continue
        if isinstance(value, BaseModel):
            yield from _built_in(path, value, said)
        elif not any(path == place[: len(path)] for place in said):
            yield path, model.model_dump(mode="json", include={name})[name]
