"""The trail of a stored column through the models of a run: to the fields of payloads, or to where it ends."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from warehouse.lineage.built_models import BuiltModel, RunModels, SourceContract
from warehouse.lineage.graph import Graph, LineageNode, NodeKind
from warehouse.lineage.literals import compared_with, given
from warehouse.lineage.origin import ITEM, ROWS, Origin, Path, Relation
from warehouse.lineage.relations import branches, read_relation

PLATFORM = "source_platform"
"""The column of sinks that says which connector a record is of: connectors of one vendor share a sink."""
NOT_KEPT = "an earlier release pushed into it, and kept no SQL; the next push does"


class ColumnTrail:
    """Follows columns of the models behind a run, and adds what it finds to a graph."""

    def __init__(self, built: RunModels, graph: Graph, published: frozenset[str] = frozenset()) -> None:
        self._graph = graph
        self._published = published
        self.models = {model.name: model for model in built.star.models}
        """The models of the star, by name."""
        self._pushers = {model.name: model for model in (built.push.models if built.push else ())}
        self._sinks = {each.sink for each in built.star.contracts}
        self._landed = {each.landing_table: each for each in built.star.contracts}
        self._relations: dict[str, Relation] = {}
        self.is_reference = cache(self._is_reference)

    # what a statement asks of the tables that it reads

    def columns(self, table: str) -> tuple[str, ...] | None:
        return self.relation(table).names if table in self.models or table in self._pushers else None

    def _is_reference(self, table: str) -> bool:
        model = self.models.get(table)
        if model is None:
            return table not in self._sinks and table not in self._landed and table not in self._pushers
        return bool(model.reads) and all(self.is_reference(each) for each in model.reads)

    def relation(self, model: str) -> Relation:
        """The relation that a model's SQL gives."""
        if model not in self._relations:
            built = self.models.get(model) or self._pushers[model]
            self._relations[model] = read_relation(built.sql, self)
        return self._relations[model]

    # trails

    def column(self, table: str, *path: str) -> str:
        """Follow a column of a model of the star (or its rows, `ROWS`); the id of its node."""
        if table in self.models:
            return self._model_column((table, *path))
        node = LineageNode(
            f"trail_end:{table}", "trail_end", f"{table}, which no model of the build made", {"model": table}
        )
        self._graph.add(node)
        return node.id

    def declare(self, contract: SourceContract) -> None:
        """Add the fields of a contract that no model reads: nothing is made from them."""
        for field in contract.fields:
            self._graph.add(_field(contract, (contract.landing_table, *_parts(field))))

    def _follow(self, path: Path, reader: str) -> str:
        """Follow a column, sink field or reference that a model reads, and give the id of its node."""
        if path[0] in self.models:
            return self._model_column(path)
        if path[0] in self._sinks:
            return self._sink_field(path, reader)
        if path[0] in self._landed:
            return self._landed_field(path)
        node = LineageNode(f"reference:{spelled(path)}", "reference", spelled(path), {"table": path[0]})
        self._graph.add(node)
        return node.id

    def _model_column(self, path: Path) -> str:
        kind: NodeKind = "star_column" if path[0] in self._published else "model_column"
        about = {"table": path[0], "column": _inside(path)}
        node = LineageNode(f"column:{spelled(path)}", kind, _shown(path), about)
        if self._graph.add(node):
            model = self.models[path[0]]
            parts = branches(self.relation(path[0]))
            is_each = len(parts) == len(model.macros)  # one engine per part of a union
            for n, part in enumerate(parts):
                via = (model.macros[n],) if is_each else model.macros
                self._connect(node.id, part.origin(path[1:]), path[0], via)
            if not self._graph.sources[node.id]:
                self._end(node.id, "constant", f"a constant of {path[0]}", path[0])
        return node.id

    def _connect(self, target: str, origin: Origin, model: str, via: tuple[str, ...]) -> None:
        for source in sorted(origin.columns):
            self._graph.connect(self._follow(source, model), target, via)
        for what in sorted(origin.ends):
            self._end(target, "trail_end", f"{what}, in {model}", model, via)

    def _end(self, target: str, kind: NodeKind, what: str, model: str, via: tuple[str, ...] = ()) -> None:
        node = LineageNode(f"{kind}:{what}", kind, what, {"model": model})
        self._graph.add(node)
        self._graph.connect(node.id, target, via)

    def _sink_field(self, path: Path, reader: str) -> str:
        """A field of the payloads in a sink, as the connectors pushed them whose records the reader selects."""
        platforms = compared_with(self.relation(reader), PLATFORM)
        of = f"[{','.join(sorted(platforms))}]" if platforms else ""
        named = (f"{path[0]}{of}", *path[1:])
        pushers = tuple(self._writers(path[0], platforms))
        about = {"sink": path[0], "field": _inside(path), "pushed_by": [each.name for each in pushers]}
        node = LineageNode(f"sink:{spelled(named)}", "sink_field", _shown(named), about)
        if self._graph.add(node):
            for pusher in pushers:
                self._connect(node.id, self.relation(pusher.name).origin(path[1:]), pusher.name, pusher.macros)
            if not pushers:
                self._end(node.id, "trail_end", f"{path[0]}: {NOT_KEPT}", path[0])
            elif not self._graph.sources[node.id]:
                self._end(node.id, "constant", f"a constant of {pushers[0].name}", pushers[0].name)
        return node.id

    def _writers(self, sink: str, platforms: frozenset[str]) -> Iterator[BuiltModel]:
        for pusher in self._pushers.values():
            platform = given(self.relation(pusher.name), PLATFORM)
            if sink in pusher.reads and (not platforms or platform is None or platform in platforms):
                yield pusher

    def _landed_field(self, path: Path) -> str:
        """A field of a vendor's record, where its contract declares one; else a column of the loader."""
        contract = self._landed[path[0]]
        if path[1] == ROWS:
            of = f"{contract.platform}.{contract.object}"
            node = LineageNode(f"object:{of}", "payload_object", f"{of} (records)", _about(contract))
        else:
            node = _field(contract, path)
        self._graph.add(node)
        return node.id


def spelled(path: Path) -> str:
    """A path as a reader of JSON writes it: orders.line_items[].price."""
    return ".".join(path).replace(f".{ITEM}", ITEM)


def _shown(path: Path) -> str:
    return f"{path[0]} (rows)" if path[1] == ROWS else spelled(path)


def _parts(text: str) -> Path:
    """A spelled path as its parts."""
    return tuple(text.replace(ITEM, f".{ITEM}").split("."))


def _inside(path: Path) -> str:
    return spelled(path[1:])


def _about(contract: SourceContract) -> dict[str, object]:
    return {
        "connector": contract.platform,
        "object": contract.object,
        "version": contract.version,
        "landing_table": contract.landing_table,
    }


def _field(contract: SourceContract, path: Path) -> LineageNode:
    """The field at a path of a record, or the declared one around it."""
    parts = path[1:]
    declared = next((parts[:n] for n in range(len(parts), 0, -1) if spelled(parts[:n]) in contract.fields), None)
    if declared is None:
        return LineageNode(f"landing:{spelled(path)}", "landing_column", spelled(path), {"table": path[0]})
    name = f"{contract.platform}.{contract.object}.{spelled(declared)}"
    entry = contract.fields[spelled(declared)]
    about = {**_about(contract), "field": spelled(declared), "wire_type": entry.wire, "meaning": entry.meaning}
    return LineageNode(f"field:{name}", "payload_field", name, about)
