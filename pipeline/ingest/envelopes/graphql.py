"""Answers of GraphQL APIs: pages of a connection, and the lines of a bulk operation, in which children follow parents.

A page is `{"data": {"orders": {"edges": [{"node": {...}}], "pageInfo": {...}}}}`, or has `nodes` for `edges`. A bulk
operation writes one object per line, and an object of a nested connection on a line of its own with the id of its
parent as `__parentId`, before or after it (shopify.dev/docs/api/usage/bulk-operations/queries). What a vendor's own
types are in the form of its contract is said by `pipeline/connectors/<vendor>/graphql.py`, `NODES`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipeline.ingest.envelopes.items import BATCH_ROWS, Texts
from pipeline.ingest.values.unreadable import Unreadable

Json = Any  # a value of json.loads
PARENT = "__parentId"
MORE = "holds only the first of them (pageInfo.hasNextPage); bring all, as a bulk operation writes them"


@dataclass(frozen=True)
class NodeType:
    """A GraphQL type whose nodes are the records of an object.

    Attributes:
        name: Of the type, as in its global ids: gid://shopify/Order/1.
        record: The record of a node, in the form of the contract; lists for connections.
        children: Type of a child line -> the field of its parent that holds it.
    """

    name: str
    record: Callable[[Json], Json]
    children: Mapping[str, str]


def records_of_pages(items: Iterable[Texts], objects: frozenset[str], node: NodeType | None) -> Iterator[Texts]:
    """The records of pages: the nodes of the connection that has the object's name.

    Raises:
        Unreadable: A page has errors, another object, or not all of a nested connection.
    """
    position = 1
    for _, texts in items:
        records = []
        for text in texts.to_pylist():
            for found in _nodes(json.loads(text), objects) if text and text.strip() else ():
                plain = _plain(found, node.name if node else "a node")
                records.append(json.dumps(node.record(plain) if node else plain, ensure_ascii=False))
        yield position, pa.array(records, pa.string())
        position += len(records)


def records_of_bulk(items: Iterable[Texts], node: NodeType) -> Iterator[Texts]:
    """The records of a bulk operation's lines, each with its children; blank or broken lines stay in their places.

    All lines are held in memory: a child may come before its parent, and anywhere after it.

    Raises:
        Unreadable: The lines are of another type, a parent is missing, or a child cannot be told what it is.
    """
    parents: list[tuple[int, Json]] = []
    children = defaultdict[str, list[Json]](list)
    broken: list[tuple[int, str]] = []
    for first, texts in items:
        for position, text in enumerate(texts.to_pylist(), first):
            found = _loaded(text)
            if not isinstance(found, dict):
                broken += [(position, text)] if text and text.strip() else []
            elif PARENT in found:
                children[str(found[PARENT])].append(found)
            else:
                parents.append((position, found))
    _check_types((parent for _, parent in parents), node)
    count = sum(map(len, children.values()))
    records = []
    for position, parent in parents:
        whole = node.record(_with_children(parent, children, node))
        records.append((position, json.dumps(whole, ensure_ascii=False)))
    if children:
        lost = next(iter(children))
        raise Unreadable(
            f"{sum(map(len, children.values()))} of {count} child lines of its bulk operation name a parent that is "
            f"not in the file, such as {lost}; bring the whole file of the operation"
        )
    yield from _in_batches(sorted([*records, *broken]))


def _in_batches(records: list[tuple[int, str]]) -> Iterator[Texts]:
    """Records at their positions, with blank lines between them."""
    for start in range(0, len(records), BATCH_ROWS):
        part = records[start : start + BATCH_ROWS]
        first, last = part[0][0], part[-1][0]
        texts = [""] * (last - first + 1)
        for position, text in part:
            texts[position - first] = text
        yield first, pa.array(texts, pa.string())


def _loaded(text: str | None) -> Json:
    try:
        return json.loads(text or "")
    except ValueError:
        return None


def node_kind(node: Json) -> str | None:
    """The type of a node, by its global id or its `__typename`."""
    name = node.get("__typename")
    parts = str(node.get("id", "")).split("/")
    return str(name) if name else parts[3] if len(parts) > 4 and parts[0] == "gid:" else None


def _check_types(nodes: Iterable[Json], node: NodeType) -> None:
    others = sorted({str(node_kind(each)) for each in nodes} - {node.name})
    if others:
        raise Unreadable(f"it holds the lines of a bulk operation over {', '.join(others)}, and not over {node.name}")


def _with_children(parent: Json, children: dict[str, list[Json]], node: NodeType) -> Json:
    """A node with its child lines as lists; `children` loses them."""
    whole = {name: _plain(value, name) for name, value in parent.items()}
    for child in children.pop(str(parent.get("id")), ()):
        kind = node_kind(child)
        name = node.children.get(str(kind))
        if name is None and (kind is None or "quantity" in child):
            raise Unreadable(
                f"a child line of {parent.get('id')} in its bulk operation has no id that says its type; "
                "select id in every connection of the query"
            )
        below = _with_children({key: value for key, value in child.items() if key != PARENT}, children, node)
        whole.setdefault(name or str(kind), [])
        whole[name or str(kind)].append(below)
    return whole


def _nodes(page: Json, objects: frozenset[str]) -> list[Json]:
    """The nodes of a page's connection.

    Raises:
        Unreadable: It has errors, or no connection with the name of the object.
    """
    errors = page.get("errors")
    if errors:
        first = errors[0] if isinstance(errors, list) else errors
        message = first.get("message", first) if isinstance(first, dict) else first
        raise Unreadable(f"it is the answer of a GraphQL API with errors: {message}; bring one without")
    data = page.get("data") or {}
    named = {name: value for name, value in data.items() if name in objects or f"{name}s" in objects}
    if not named:
        names = ", ".join(sorted(data))
        raise Unreadable(f"it is the answer of a GraphQL API for {names}, and not for {' or '.join(sorted(objects))}")
    nodes: list[Json] = []
    for value in named.values():
        found = _of_connection(value)
        nodes += found if found is not None else [value] if value else []
    return nodes


def _of_connection(value: Json) -> list[Json] | None:
    """The nodes of a connection; None where a value is none."""
    if isinstance(value, dict) and isinstance(value.get("edges"), list):
        return [edge.get("node") for edge in value["edges"]]
    if isinstance(value, dict) and isinstance(value.get("nodes"), list):
        return list(value["nodes"])
    return None


def _plain(value: Json, name: str) -> Json:
    """A node with its connections as lists.

    Raises:
        Unreadable: One of them does not hold all its nodes.
    """
    if isinstance(value, list):
        return [_plain(each, name) for each in value]
    if not isinstance(value, dict):
        return value
    nodes = _of_connection(value)
    if nodes is None:
        return {key: _plain(inner, key) for key, inner in value.items()}
    if (value.get("pageInfo") or {}).get("hasNextPage"):
        raise Unreadable(f"{name} of a node in its GraphQL answer {MORE}")
    return [_plain(each, name) for each in nodes]
