"""The trail of a metric or dimension through the definitions of a run, to the columns of its star."""

from __future__ import annotations

import re
from collections.abc import Iterator

from semantic.catalog.catalog import Catalog
from semantic.catalog.expression import columns_in
from semantic.catalog.formula import metric_names, parse
from semantic.catalog.run_definitions import RunDefinitions
from warehouse.lineage.column_trail import ColumnTrail
from warehouse.lineage.graph import Graph, LineageNode
from warehouse.lineage.origin import ROWS

_COUNTS_ROWS = re.compile(r"(?<![\w.])_\.count\(")


class DefinitionTrail:
    """Follows metrics and dimensions, and adds what it finds to a graph."""

    def __init__(self, definitions: RunDefinitions, catalog: Catalog, columns: ColumnTrail, graph: Graph) -> None:
        self._definitions = definitions
        self._catalog = catalog
        self._columns = columns
        self._graph = graph

    def metric(self, name: str) -> str:
        """Follow a metric to measures of facts; the id of its node."""
        entry = self._definitions.metrics[name]
        about = {"description": entry.description, "unit": entry.unit, "type": entry.kind}
        if entry.expression is not None:
            about["expression"] = entry.expression
        node = LineageNode(f"metric:{name}", "metric", name, about)
        if self._graph.add(node):
            if entry.expression is None and entry.fact is not None:
                self._graph.connect(self._measure(entry.fact, name), node.id)
            elif entry.expression is not None:
                for operand in dict.fromkeys(metric_names(parse(entry.expression, name))):
                    self._graph.connect(self.metric(operand), node.id)
        return node.id

    def _measure(self, fact: str, name: str) -> str:
        model = self._definitions.models[fact]
        expression = model.measures[name]
        about = {"fact": fact, "table": model.table, "expression": expression}
        node = LineageNode(f"measure:{fact}.{name}", "measure", f"{fact}.{name}", about)
        if self._graph.add(node):
            for holder, column in dict.fromkeys(self._read_by(fact, expression)):
                self._graph.connect(self._column(holder, column), node.id)
        return node.id

    def _read_by(self, fact: str, expression: str) -> Iterator[tuple[str, str]]:
        """The models and columns that a measure reads; of counted rows the key, by which they are different."""
        model = self._definitions.models[fact]
        for name in columns_in(expression):
            if name not in model.selections:
                yield fact, name
            for condition in model.selections.get(name, ()):
                yield condition.holder(fact), condition.column
        if _COUNTS_ROWS.search(expression):
            built = self._columns.models.get(model.table)
            for key in (built.unique if built else ()) or (ROWS,):
                yield fact, key

    def dimension(self, name: str) -> str:
        """Follow a dimension to the columns that hold it; the id of its node."""
        entry = self._catalog.dimensions[name]
        about = {"description": entry.description, "type": entry.type, "facts": sorted(entry.paths)}
        node = LineageNode(f"dimension:{name}", "dimension", name, about)
        if self._graph.add(node):
            for fact, path in sorted(entry.paths.items()):
                *through, last = path.split(".")
                holder = through[-1] if through else fact
                for column in columns_in(self._definitions.models[holder].dimensions[last]):
                    self._graph.connect(self._column(holder, column), node.id)
        return node.id

    def _column(self, model: str, column: str) -> str:
        return self._columns.column(self._definitions.models[model].table, column)
