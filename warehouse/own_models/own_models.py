"""A tenant's own models, read and proven: their names, what they read, and the order in which they run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath

from pipeline.config.blocks.models_block import ModelFile
from pipeline.config.slug import PUBLISHED, Slug, published_names
from pipeline.config.tenant import Tenant
from pipeline.errors import shorten, suggest
from warehouse.own_models.file_line import FileLine
from warehouse.own_models.schema_file import ColumnTest, ModelWords, read_schema_file
from warehouse.own_models.sql_check import check_sql
from warehouse.own_models.template import Template, read_template
from warehouse.projects.star_project import star_tables
from warehouse.table_descriptions import TableDescriptions

KINDS = (*PUBLISHED, "int")
"""Kinds of models; those of `int` are read by other models only."""
LONGEST_NAME = 60
_SHORT_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class OwnModel:
    """One model: a file of SQL, with what yml files say of it."""

    name: str
    place: FileLine
    template: Template
    words: ModelWords | None = None

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The tables that it reads, each once."""
        return tuple(sorted(set(self.template.refs.values())))

    @property
    def tests(self) -> tuple[ColumnTest, ...]:
        return self.words.tests if self.words else ()


def read_own_models(tenant: Tenant) -> tuple[OwnModel, ...]:
    """The tenant's models, each behind those that it reads.

    Raises:
        ConfigError: One of them is wrong; names file and line.
    """
    files = _named(tenant)
    words = _described(tenant, files)
    models = {
        name: OwnModel(name, FileLine(file.path), read_template(file.text, FileLine(file.path)), words.get(name))
        for name, file in files.items()
    }
    ours = {table.table_name(tenant.slug) for table in star_tables(tenant)}
    for model in models.values():
        check_sql(model.template, model.place)
        _check_refs(model, {*ours, *models})
    return tuple(models[name] for name in _order(models))


def own_descriptions(tenant: Tenant) -> TableDescriptions:
    """What the yml of the tenant says of its own models, by the full name of the table.

    Raises:
        ConfigError: A file is wrong; names file and line.
    """
    described = _described(tenant, _named(tenant))
    return {name: words.description for name, words in sorted(described.items())}


def short_name(name: str) -> str:
    """The name of a model without its kind and the tenant's, such as subscriptions."""
    return name.rpartition("__")[2]


def _named(tenant: Tenant) -> dict[str, ModelFile]:
    """The files of SQL, by the name of the model."""
    ours = {table.name: table.table_name(tenant.slug) for table in star_tables(tenant)}
    found: dict[str, ModelFile] = {}
    short: dict[str, str] = {}
    for file in tenant.models:
        path, place = PurePosixPath(file.path), FileLine(file.path)
        if path.suffix != ".sql":
            continue
        name = path.stem
        _check_name(name, tenant.slug, place)
        if name in found:
            raise place.wrong(f"{found[name].path} is the model {name} too.", "Rename one of the two files.")
        found[name] = file
        if name.startswith("int_"):
            continue
        last = short_name(name)
        if taken := ours.get(last) or short.get(last):
            raise place.wrong(f"The name {last} is that of {taken}.", "Give the file a name of its own.")
        short[last] = name
    return found


def _check_name(name: str, slug: Slug, place: FileLine) -> None:
    kind, _, last = name.partition(f"_{slug}__")
    if kind not in KINDS or not _SHORT_NAME.fullmatch(last) or len(last) > LONGEST_NAME:
        raise place.wrong(
            f"A file is named as its model, and {shorten(name, 80)!r} is no name of a model of {slug}.",
            f"Name it {published_names(slug, '<name>.sql', 'or')}, or"
            f" int_{slug}__<name>.sql where only other models read it; <name> is lower-case letters, digits and _.",
        )


def _described(tenant: Tenant, files: Mapping[str, ModelFile]) -> dict[str, ModelWords]:
    found: dict[str, ModelWords] = {}
    for file in tenant.models:
        if PurePosixPath(file.path).suffix == ".sql":
            continue
        for name, words in read_schema_file(file, files):
            if name in found:
                raise words.place.wrong(f"{name} is described at {found[name].place} too.", "Keep one of the two.")
            found[name] = words
    return found


def _check_refs(model: OwnModel, known: set[str]) -> None:
    for placeholder, name in model.template.refs.items():
        if name not in known:
            place = model.place.at(model.template.lines[placeholder])
            raise place.wrong(f"There is no table {shorten(name, 80)!r}.", suggest(name, known))
    for test in model.tests:
        if test.to and test.to not in known:
            raise test.place.wrong(f"There is no table {shorten(test.to, 80)!r}.", suggest(test.to, known))


def _order(models: Mapping[str, OwnModel]) -> list[str]:
    graph = {name: [each for each in models[name].depends_on if each in models] for name in sorted(models)}
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = [str(name) for name in error.args[1]]
        way = " -> ".join(reversed(circle))
        raise models[circle[0]].place.wrong(
            f"These models read each other in a circle: {way}.", "Move what both need into a model that reads neither."
        ) from error
