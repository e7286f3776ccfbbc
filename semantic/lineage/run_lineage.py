"""The lineage of a published run: one graph of all its fields, columns, metrics and dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import QueryError, UnknownName
from semantic.catalog.catalog import Catalog
from semantic.catalog.run_definitions import RunDefinitions
from semantic.catalog.suggestions import aliases_of, nearest
from semantic.catalog.withheld import withheld_name
from semantic.lineage.definition_trail import DefinitionTrail
from warehouse.lineage.built_models import RunModels
from warehouse.lineage.column_trail import ColumnTrail
from warehouse.lineage.graph import Graph

Payload = dict[str, Any]  # Any: JSON values
KIND = "metric, dimension or column"


@dataclass(frozen=True)
class RunLineage:
    """All trails of one run."""

    tenant: str
    run_id: str
    graph: Graph
    catalog: Catalog
    columns: Mapping[str, str]
    """The ids of star columns by `table.column` and `model.column`."""

    def of(self, name: str) -> Payload:
        """The trails that lead to a name, and on from it.

        Args:
            name: A metric; a dimension; a column as `column`, `orders.column` or with its whole table's name; a field
                of a connector's records, such as `shopify.orders.total_price`.

        Returns:
            `kind` and `root` of the name, then `nodes` by id and `edges` from what is made from to what is made, both
            sorted. `fields` are the payload fields that it is made from; `ends` says where a trail stops before one.

        Raises:
            UnknownName: There is no such name; names the nearest.
            QueryError: Several tables have a column of this name.
        """
        root = self.graph.nodes[self._id_of(name)]
        above = self.graph.upstream(root.id)
        nodes, edges = self.graph.part(above | self.graph.downstream(root.id))
        made_of = [self.graph.nodes[each] for each in sorted(above)]
        return {
            "tenant": self.tenant,
            "run_id": self.run_id,
            "name": root.name,
            "kind": root.kind,
            "root": root.id,
            "fields": [node.name for node in made_of if node.kind in ("payload_field", "payload_object")],
            "ends": [node.name for node in made_of if node.kind == "trail_end"],
            "nodes": [{"id": node.id, "kind": node.kind, "name": node.name, **node.about} for node in nodes],
            "edges": [{"from": edge.source, "to": edge.target, "via": list(edge.via)} for edge in edges],
        }

    def _id_of(self, name: str) -> str:
        if name in self.catalog.askable_metrics:
            return f"metric:{name}"
        if name in self.catalog.askable_dimensions:
            return f"dimension:{name}"
        for kind in ("column", "field", "object", "sink"):
            if f"{kind}:{name}" in self.graph.nodes:
                return f"{kind}:{name}"
        if name in self.columns:
            return self.columns[name]
        having = sorted(known for known in self.columns if known.rpartition(".")[2] == name and "__" not in known)
        if len({self.columns[each] for each in having}) == 1:
            return self.columns[having[0]]
        if having:
            raise QueryError(f"Several tables have a column named {name}.", f"Name one of: {', '.join(having)}.")
        raise self._unknown(name)

    def _unknown(self, name: str) -> UnknownName:
        aliases = aliases_of(self.catalog)
        short = {each: (each.rpartition(".")[2],) for each in self.columns if "__" not in each}
        fields = {each.name: () for each in self.graph.nodes.values() if each.kind == "payload_field" and "." in name}
        near = nearest(name, {**short, **fields, **aliases})
        withheld = None if near else withheld_name(name, self.catalog)
        return withheld or UnknownName(KIND, name, aliases, near=near)


def run_lineage(definitions: RunDefinitions, catalog: Catalog, built: RunModels, run_id: str) -> RunLineage:
    """Follow every metric, dimension and column of a run; a second or two for a star of all connectors."""
    graph = Graph()
    columns = ColumnTrail(built, graph, frozenset(model.table for model in definitions.models.values()))
    trail = DefinitionTrail(definitions, catalog, columns, graph)
    for metric in catalog.metrics:
        trail.metric(metric)
    for dimension in catalog.dimensions:
        trail.dimension(dimension)
    ids = {}
    for name, model in sorted(definitions.models.items()):
        for column in columns.columns(model.table) or ():
            ids[f"{name}.{column}"] = ids[f"{model.table}.{column}"] = columns.column(model.table, column)
    for contract in built.star.contracts:
        columns.declare(contract)
    return RunLineage(definitions.tenant, run_id, graph, catalog, ids)
