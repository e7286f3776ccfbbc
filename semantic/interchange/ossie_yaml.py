"""Writes the definitions of a run in the format of Apache Ossie, formerly Open Semantic Interchange (0.2.0.dev0).

Source: https://github.com/apache/ossie/blob/main/core-spec/spec.md. Metrics are ANSI SQL over fields of datasets; one
of several facts names fields of each, and its `custom_extensions` say which facts. What the format has no words for is
there too: how values add up, where dimensions are reached, notes, and what ANSI SQL cannot write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from semantic.catalog.catalog import Metric
from semantic.catalog.expression import bare_column, columns_in
from semantic.catalog.run_definitions import SelectionCondition, linking_columns
from semantic.interchange.ansi_sql import AnsiWriter, NotAnsi, constant, formula_sql
from semantic.interchange.shared_run import SharedRun, yaml_text
from semantic.planning.currency_rules import catalog_unit
from semantic.planning.reach import dimensions_for

VERSION = "0.2.0.dev0"
VENDOR = "GATA"
EACH_ROW = "each_row"
"""The field that counts rows: the format counts fields of a dataset, not the dataset."""

Tree = dict[str, object]

_TYPES = {
    "VARCHAR": "String",
    "DATE": "Date",
    "TIMESTAMP": "DateTime",
    "BOOLEAN": "Boolean",
    "INTEGER": "Integer",
    "BIGINT": "Integer",
    "HUGEINT": "Integer",
    "DOUBLE": "Float",
}
_METRIC_TYPES = {"integer": "Integer", "decimal": "Decimal", "number": "Float"}
_DIMENSION_TYPES = {"text": "String", "date": "Date", "boolean": "Boolean", "integer": "Integer"}
_INSTRUCTIONS = (
    "Aggregate each fact by itself, then combine facts by the dimensions that they share: joining two facts repeats or "
    "crosses their rows. Never add money of different currencies: group by currency where a unit is currency. A ratio "
    "is its sums divided, never a mean of ratios."
)
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def ossie_yaml(run: SharedRun) -> str:
    """Write the semantic model of a run; the same run gives the same bytes."""
    return yaml_text(
        [f"Definitions of {run.definitions.tenant} for Apache Ossie. Written by `gata export --format ossie`."],
        {"version": VERSION, "semantic_model": [_model(run)]},
    )


def _model(run: SharedRun) -> Tree:
    definitions, catalog = run.definitions, run.catalog
    writers = {name: _Dataset(run, name) for name in (*sorted(catalog.facts), *run.joined_tables)}
    metrics, unsaid = [], {}
    for name in catalog.askable_metrics:
        try:
            metrics.append(_metric(run, catalog.metrics[name], writers))
        except NotAnsi as reason:
            unsaid[name] = f"ANSI SQL has no words for {reason}."
    about = {
        "run_id": run.run_id,
        "time_zone": definitions.time_zone,
        "week_start": definitions.week_start,
        "currency": definitions.currency,
        "notes": list(definitions.notes),
        "metrics_left_out": unsaid,
    }
    return {
        "name": definitions.tenant,
        "description": f"Metrics and dimensions of {definitions.tenant}: its ads, shop and visits.",
        "ai_context": {"instructions": _INSTRUCTIONS},
        "datasets": [writer.tree() for writer in writers.values()],
        "relationships": list(_relationships(run, writers)),
        "metrics": metrics,
        "custom_extensions": _extension(about),
    }


@dataclass(frozen=True)
class _Dataset:
    """One model of the run: its fields, and how expressions name them."""

    run: SharedRun
    name: str

    @cached_property
    def fields(self) -> dict[str, str]:
        """The columns that are fields, by field: those of dimensions, keys and measures; computed ones are apart."""
        definitions = self.run.definitions
        dimensions = self.run.dimensions_of(self.name).items()
        plain = {name: column for name, text in dimensions if (column := bare_column(text))}
        used = {column for text in self.run.measures_of(self.name).values() for column in columns_in(text)}
        used |= linking_columns(definitions.models, self.name)
        more = used & definitions.types_of(self.name).keys() - set(plain.values())
        taken = plain.keys() | self.computed.keys()
        columns = sorted(more - self.run.withheld_columns(self.name))
        return plain | {f"{each}_column" if each in taken else each: each for each in columns}

    @cached_property
    def computed(self) -> dict[str, str]:
        """The dimensions that are computed from a column, with their ANSI SQL."""
        found = {}
        for name, text in self.run.dimensions_of(self.name).items():
            if bare_column(text) is None:
                try:
                    found[name] = AnsiWriter(column=ansi_name, row="1").write(text)
                except NotAnsi:
                    continue
        return found

    @property
    def writer(self) -> AnsiWriter:
        return AnsiWriter(column=self.reference, row=f"{ansi_name(self.name)}.{EACH_ROW}")

    def reference(self, column: str) -> str:
        """The field that holds a column, named by its dataset; the conditions behind a flag of rows.

        Raises:
            NotAnsi: The column is withheld.
        """
        conditions = self.run.conditions_of(self.name, column)
        if conditions is not None:
            return "(" + " AND ".join(self._condition(each) for each in conditions) + ")"
        for field, held in self.fields.items():
            if held == column:
                return f"{ansi_name(self.name)}.{ansi_name(field)}"
        raise NotAnsi(f"{column}, which is withheld")

    def _condition(self, condition: SelectionCondition) -> str:
        at = _Dataset(self.run, condition.holder(self.name))
        return _condition_sql(condition, at.writer.write(condition.expression or f"_.{condition.column}"))

    def tree(self) -> Tree:
        model, types = self.run.definitions.models[self.name], self.run.definitions.types_of(self.name)
        is_fact = self.name in self.run.catalog.facts
        fields = [self._field(name, ansi_name(column), types[column]) for name, column in self.fields.items()]
        fields += [self._field(name, sql) for name, sql in self.computed.items()]
        if is_fact:
            fields.append(
                {
                    "name": EACH_ROW,
                    "expression": _expression("1"),
                    "description": "1, to count rows.",
                    "datatype": "Integer",
                }
            )
        keys = sorted(
            {
                join.right_on
                for m in self.run.definitions.models.values()
                for join in m.joins.values()
                if join.model == self.name
            }
        )
        unsaid = {
            name: text
            for name, text in self.run.dimensions_of(self.name).items()
            if name not in self.fields and name not in self.computed
        }
        about: Tree = {"dimensions_left_out": unsaid}
        if is_fact:
            fact = self.run.catalog.facts[self.name]
            about |= {"day": fact.day_column, "currencies": list(fact.currencies), "time_zones": list(fact.time_zones)}
        return {
            "name": self.name,
            "source": f"stars.main.{model.table}",
            **({"primary_key": keys[:1]} if keys else {}),
            **({"unique_keys": [[key] for key in keys]} if len(keys) > 1 else {}),
            "description": model.description,
            "fields": sorted(fields, key=lambda field: str(field["name"])),
            "custom_extensions": _extension(about),
        }

    def _field(self, name: str, sql: str, type_: str | None = None) -> Tree:
        field: Tree = {"name": name, "expression": _expression(sql)}
        entry = self.run.catalog.dimensions.get(name)
        if entry is None or name not in self.run.dimensions_of(self.name):
            return field | ({"datatype": _datatype(type_)} if type_ else {})
        return field | {
            "dimension": {"is_time": entry.type == "date"},
            "label": entry.label,
            "description": entry.description,
            "datatype": _DIMENSION_TYPES[entry.type],
            **({"ai_context": {"synonyms": list(entry.synonyms)}} if entry.synonyms else {}),
        }


def _datatype(type_: str) -> str:
    return "Decimal" if type_.startswith("DECIMAL(") else _TYPES.get(type_, "Opaque")


def _metric(run: SharedRun, metric: Metric, datasets: Mapping[str, _Dataset]) -> Tree:
    """One metric.

    Raises:
        NotAnsi: ANSI SQL has no words for a measure that it is made of.
    """

    def base(name: str) -> str:
        fact = run.catalog.metrics[name].fact or ""
        return datasets[fact].writer.write(run.definitions.measures_of(fact)[name])

    about = {
        "label": metric.label,
        "unit": catalog_unit(metric, run.catalog),
        "kind": metric.kind,
        "adds_up": metric.adds_up,
        "facts": list(run.catalog.facts_of(metric.name)),
        "dimensions": dimensions_for(metric.name, run.catalog),
        "note": metric.note,
    }
    return {
        "name": metric.name,
        "expression": _expression(formula_sql(metric.formula, base)),
        "description": metric.description,
        "datatype": _METRIC_TYPES[metric.type],
        **({"ai_context": {"synonyms": list(metric.synonyms)}} if metric.synonyms else {}),
        "custom_extensions": _extension(about),
    }


def _relationships(run: SharedRun, datasets: Mapping[str, _Dataset]) -> Iterable[Tree]:
    for name in datasets:
        for to, join in sorted(run.definitions.models[name].joins.items()):
            if join.model in datasets:
                yield {
                    "name": f"{name}_to_{to}",
                    "from": name,
                    "to": join.model,
                    "from_columns": [join.left_on],
                    "to_columns": [join.right_on],
                }


def _condition_sql(condition: SelectionCondition, value: str) -> str:  # noqa: PLR0911  # one for each operator
    """A condition of a filtered metric on a written value."""
    given = [_typed(each, condition.type) for each in condition.values]
    match condition.op:
        case "in" | "not_in":
            return f"{value} {'NOT ' if condition.op == 'not_in' else ''}IN ({', '.join(given)})"
        case "between":
            return f"{value} BETWEEN {given[0]} AND {given[1]}"
        case "contains":
            return f"POSITION(LOWER({given[0]}) IN LOWER({value})) > 0"
        case "starts_with":
            return f"POSITION(LOWER({given[0]}) IN LOWER({value})) = 1"
        case "is_null" | "is_not_null":
            return f"{value} IS {'NOT ' if condition.op == 'is_not_null' else ''}NULL"
        case "!=":
            return f"{value} <> {given[0]}"
    return f"{value} {condition.op} {given[0]}"


def _typed(value: str | bool | float, type_: str) -> str:
    if type_ == "number":
        return str(value)
    return f"DATE {constant(value)}" if type_ == "date" else constant(value)


def ansi_name(name: str) -> str:
    """A name as ANSI SQL writes it."""
    return name if _BARE.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _expression(sql: str) -> Tree:
    return {"dialects": [{"dialect": "ANSI_SQL", "expression": sql}]}


def _extension(about: Mapping[str, object]) -> list[Tree]:
    """What the format has no words for, as JSON text, without what is empty."""
    said = {key: value for key, value in about.items() if value not in (None, [], {}, ())}
    return [{"vendor_name": VENDOR, "data": json.dumps(said, ensure_ascii=False)}] if said else []
