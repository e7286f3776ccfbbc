"""The data contract: tables of the star, and each raw field's way to a star column and its metrics.

The way is read from the code: contracts name raw fields, the SQL of engines and factories says what a column is made
from, the metrics name the columns they aggregate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import PurePosixPath

from pipeline.config.blocks.sessions import SessionRules
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.connector import Connector
from pipeline.contracts.engine import Engine, engines_like
from pipeline.contracts.fields import Contract, Many, Record, Shape, shape_of
from semantic.definitions.standard_metrics import DERIVED_METRICS, base_metrics, funnel_metrics
from tests.docs.markdown import code, codes, table
from tests.warehouse.engine_fixture import CATALOG, a_source, render, render_model
from warehouse.lineage.origin import ITEM, ROWS, Path, Relation
from warehouse.lineage.relations import read_relation
from warehouse.projects.canonical_tables import CANONICAL, NUMBERED, ORDER_LINE, Canonical
from warehouse.projects.star_models import KEPT, shells
from warehouse.star_schema import Column, Table, star_schema

SLUG = "t"
PATTERN = {"conversion_event_pattern": "purchase"}
REFERENCES = ("channel_rules", "traffic_platforms")
"""Models of words: they hold no record."""
EVERYWHERE = ("tenant_slug", "source_platform", "source_account")
STARS = star_schema(has_payments=True)
_PREFIX = re.compile(rf"(int|fct|dim)_{SLUG}__")

_OBJECTS = [column.name for table in CANONICAL for column in table.columns if column.type == ORDER_LINE]

Columns = frozenset[tuple[str, str]]
"""Table and column."""


def star_tables() -> str:
    """Every fact and dimension table."""
    return "\n\n".join(_star(star) for star in STARS)


def _star(star: Table) -> str:
    rows = [_star_row(star, column) for column in star.columns]
    grain = f"{star.sentence} Unique by {codes(star.grain)}."
    heads = ("column", "type", "meaning", "made from", "metrics")
    return f"### {star.kind}_{{tenant}}\\_\\_{star.name}\n\n{grain}\n\n{table(heads, rows)}"


def _star_row(star: Table, column: Column) -> tuple[str, ...]:
    marks = [mark for mark, holds in (("never NULL", column.required), ("personal", column.personal)) if holds]
    meaning = column.description + (f" ({', '.join(marks)})" if marks else "")
    origin = sorted(canonical_columns(star.name, column.name))
    return (code(column.name), column.type, meaning, _listed(origin), codes(metrics_of(star.name, column.name)))


def _listed(columns: Iterable[tuple[str, str]], most: int = 8) -> str:
    """Columns by table: `orders`: order_id, currency."""
    by_table: dict[str, list[str]] = {}
    for name, column in columns:
        by_table.setdefault(name, []).append(column)
    return "; ".join(
        f"{code(name)}: {', '.join(found[:most])}{', ...' if len(found) > most else ''}"
        for name, found in sorted(by_table.items())
    )


def reading() -> str:
    """For each connector, its objects and what its fields become."""
    return "\n\n".join(_connector(connector) for connector in CATALOG.values())


def _connector(connector: Connector) -> str:
    title = f"### {connector.name}"
    if connector.like:
        return f"{title}\n\n{connector.domain}. It has the objects, contracts and engines of `{connector.like}`."
    heads = ("object", "key", "day", "newest by", "a later export of a day withdraws", "still changes for")
    objects = table(heads, [_object(name, contract) for name, contract in connector.contracts.items()])
    parts = [title, f"{connector.domain}, version {connector.version}.", objects]
    for engine in engines_like(connector.reads_as):
        canonical = next((each for each in CANONICAL if each.name == engine.fills), None)
        if canonical:
            parts.append(_engine(connector, engine, canonical))
    return "\n\n".join(parts)


def _object(name: str, contract: type[Contract]) -> tuple[str, ...]:
    days = f"{contract.restated_days} days" if contract.restated_days else ""
    withdraws = "yes" if contract.daily_slice else ""
    key = codes(contract.key) or "the whole record"
    key += f"; the whole record without {codes(contract.optional_key)}" if contract.optional_key else ""
    return (code(name), key, code(contract.date_field), code(contract.version_field), withdraws, days)


def _engine(connector: Connector, engine: Engine, canonical: Canonical) -> str:
    rows = []
    for path in _paths(canonical):
        fields = raw_fields(connector, engine, path)
        if path[0] not in EVERYWHERE and fields:
            stars = star_columns(canonical.name, spelled(path))
            metrics = sorted({metric for star in stars for metric in metrics_of(*star)})
            rows.append((_listed(fields), code(spelled(path)), _listed(stars), codes(metrics)))
    heads = ("raw field", f"column of `{canonical.name}`", "star column", "metrics")
    return f"`{engine.macro}` fills `{canonical.name}`:\n\n{table(heads, rows)}"


def _paths(canonical: Canonical) -> list[tuple[str, ...]]:
    """The columns of a canonical table; of the lines of orders, each field."""
    lines = re.findall(r"(\w+) [A-Z]", ORDER_LINE.removeprefix("STRUCT"))
    paths = []
    for column in canonical.columns:
        paths += [(column.name, ITEM, field) for field in lines] if column.type == ORDER_LINE else [(column.name,)]
    return paths


class _Tables:
    """The tables that engines and factories read: views of raw records, canonical tables, other models, references."""

    def columns(self, table: str) -> tuple[str, ...] | None:
        name = _PREFIX.sub("", table)
        if table in _models():
            return _models()[table].names
        if name in _canonical():
            return tuple(_canonical()[name])
        return _raw_columns().get(name.removesuffix("_history"))

    def is_reference(self, table: str) -> bool:
        return table.startswith("platform_ref__") or _PREFIX.sub("", table) in REFERENCES


@cache
def _raw_columns() -> Mapping[str, tuple[str, ...]]:
    """The columns of the view of each object's records."""
    return {
        f"{connector.name}_{name}": (*KEPT, "in_force_from", "in_force_to", *(field for field, _ in shape_of(contract)))
        for connector in CATALOG.values()
        for name, contract in connector.contracts.items()
    }


@cache
def _engine_lineage(macro: str, platform: str) -> Relation:
    connector = CATALOG[platform]
    logic = {connector.objects[0]: PATTERN} if connector.domain == "ads" else {}
    source = a_source(platform, logic=logic)
    engine = next(engine for engine in engines_like(connector.reads_as) if engine.macro == macro)
    return read_relation(render(macro, engine.call(_tenant(source), source)), _Tables())


def raw_fields(connector: Connector, engine: Engine, path: Iterable[str]) -> list[tuple[str, str]]:
    """The fields of the vendor's records that an engine makes a canonical column from: object and path."""
    prefix = f"int_{SLUG}__{connector.name}_"
    found = set()
    for name, *raw in _made_from(_engine_lineage(engine.macro, connector.name), path):
        field = _in_contract(name.removeprefix(prefix), raw, connector.contracts) if name.startswith(prefix) else None
        found |= {field} if field else set()
    return sorted(found)


def _made_from(relation: Relation, path: Iterable[str]) -> frozenset[Path]:
    """The columns of tables that a column, or a field of its objects, is made from; rows are none."""
    origin = relation.origin(tuple(path))
    assert not origin.ends, (path, origin.ends)
    return frozenset(each for each in origin.columns if each[1] != ROWS)


def _in_contract(view: str, path: Iterable[str], contracts: Mapping[str, type[Contract]]) -> tuple[str, str] | None:
    """An object and the path in it, as far as its contract declares it; None for columns that are the loader's."""
    name = view if view in contracts else view.removesuffix("_history")
    shape: Shape = shape_of(contracts[name])
    declared: list[str] = []
    for part in path:
        inner = shape.of if isinstance(shape, Many) and part == ITEM else None
        inner = dict(shape).get(part) if isinstance(shape, Record) else inner
        if inner is None and isinstance(shape, Record):
            return None  # a column of another input
        if inner is None:
            break
        shape = inner
        declared.append(part)
    return (name, spelled(declared)) if declared else None


def _tenant(*sources: Source) -> Tenant:
    return Tenant(slug=SLUG, business_name="T", sources=sources)


@cache
def _models() -> Mapping[str, Relation]:
    """Every model that a factory makes, by name."""
    platforms = ("facebook_ads", "shopify", "google_analytics", "stripe")
    texts = shells(_tenant(*(a_source(platform) for platform in platforms)), STARS)
    return {PurePosixPath(path).stem: read_relation(render_model(text), _Tables()) for path, text in texts.items()}


@cache
def canonical_columns(star: str, column: str) -> Columns:
    """The columns of canonical tables that a star column is made from, through every model between."""
    kind = next(each.kind for each in STARS if each.name == star)
    return _origin(f"{kind}_{SLUG}__{star}", column)


@cache
def _origin(model: str, column: str) -> Columns:
    found: Columns = frozenset()
    for name, *path in _made_from(_models()[model], (column,)):
        if name in _models():
            found |= _origin(name, path[0])
        elif (table := _PREFIX.sub("", name)) in _canonical() and path[0] in _canonical()[table]:
            found |= {(table, spelled(path) if path[0] in _OBJECTS else path[0])}
    return frozenset((table, path) for table, path in found if path not in EVERYWHERE)


@cache
def _canonical() -> Mapping[str, frozenset[str]]:
    """The columns of each canonical table."""
    named = {table.name: [column.name for column in table.columns] for table in CANONICAL}
    named["events"] += [column.name for column in NUMBERED]
    return {name: frozenset(columns) for name, columns in named.items()}


def spelled(path: Iterable[str]) -> str:
    """A path as a reader of JSON writes it: line_items[].price."""
    return ".".join(path).replace(f".{ITEM}", ITEM)


@cache
def star_columns(canonical: str, column: str) -> list[tuple[str, str]]:
    """The star columns that a canonical column, or a field of its objects, has a part in."""
    every = [(star.name, each.name) for star in STARS for each in star.columns if each.name not in EVERYWHERE]
    return [star for star in every if (canonical, column) in canonical_columns(*star)]


@cache
def metrics_of(star: str, column: str) -> list[str]:
    """The metrics that aggregate a star column, or count rows by it, and those made of them."""
    every = (*base_metrics(SessionRules().gap), *funnel_metrics({}))
    base = {
        metric.name
        for metric in every
        if metric.fact == star and column in re.findall(r"_\.(\w+)", f"{metric.value} {metric.where}")
    }
    hidden = {metric.name for metric in every if metric.hidden}
    for metric in DERIVED_METRICS:
        if base & set(re.findall(r"\w+", metric.expression)):
            base.add(metric.name)
    return sorted(base - hidden)
