"""The models that a dbt run built, as they are kept: compiled SQL with what dbt says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pipeline.config.slug import Slug
from pipeline.contracts.registry import Blueprint
from pipeline.publish.run_files import MODELS
from pipeline.settings import Settings
from warehouse.lineage.built_models import (
    PUSH_MODELS,
    STAR_MODELS,
    BuiltModel,
    BuiltModels,
    RunModels,
    contract_of,
    read_built_models,
    write_models,
)
from warehouse.run_dbt import Node


def star_models_file(star: Path) -> Path:
    """Where the models of a star file are kept."""
    return star.with_name(STAR_MODELS)


def push_models_file(settings: Settings, slug: Slug) -> Path:
    """Where the models of a tenant's last push are kept."""
    return settings.stars(slug).with_name(PUSH_MODELS)


def keep_models(path: Path, nodes: Sequence[Node], blueprints: Iterable[Blueprint] = ()) -> None:
    """Keep the models of a dbt run, with the contracts of the records that they read."""
    unique: dict[str, list[str]] = {}
    for node in nodes:
        if node.test == "unique" and node.checks and node.column:
            unique.setdefault(node.checks.rpartition(".")[2], []).append(node.column)
    models = [_built(node, unique) for node in nodes if node.kind == "model" and node.sql]
    contracts = sorted((contract_of(each) for each in blueprints), key=lambda each: (each.platform, each.object))
    write_models(
        path, BuiltModels(models=tuple(sorted(models, key=lambda each: each.name)), contracts=tuple(contracts))
    )


def _built(node: Node, unique: Mapping[str, Sequence[str]]) -> BuiltModel:
    return BuiltModel(
        name=node.name,
        sql=node.sql.strip(),
        reads=node.reads,
        macros=node.macros,
        unique=tuple(sorted(unique.get(node.name, ()))),
    )


def publish_models(star: Path, push: Path, run: Path) -> None:
    """Copy the models behind a star into the folder of the run that is published from it, where they are kept."""
    if (built := read_built_models(star_models_file(star))) is not None:
        write_models(run / MODELS, RunModels(star=built, push=read_built_models(push)))
