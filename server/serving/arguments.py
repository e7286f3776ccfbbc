"""The arguments of a tool: the schema it advertises, and what a caller sent checked against it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.errors import QueryError, shorten, suggest

_IMPLIED = ({"type": "null"}, {"type": "integer"})  # beside others: left out is null, and a number may be whole
_UNSAID = frozenset({"title", "minLength", "maxLength", "maxItems", "format"})

Schema = dict[str, Any]  # JSON Schema: a tree of JSON values
M = TypeVar("M", bound=BaseModel)


def input_schema(model: type[BaseModel]) -> Schema:
    """The JSON Schema of a model as tools advertise it: written out and short, with no other name allowed."""
    schema = model.model_json_schema()
    properties = {name: _plain(argument, schema.get("$defs", {})) for name, argument in schema["properties"].items()}
    required = {"required": schema["required"]} if "required" in schema else {}
    return {"type": "object", "properties": properties, **required, "additionalProperties": False}


def read_arguments(model: type[M], sent: Mapping[str, object]) -> M:
    """The flat model that the arguments make.

    Raises:
        QueryError: They make none; says which argument is wrong, and what was probably meant.
    """
    try:
        return model.model_validate(dict(sent))
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False), input_schema(model)["properties"]) from error


def _refusal(problems: Sequence[Mapping[str, Any]], known: Mapping[str, Schema]) -> QueryError:  # Any: pydantic's own
    problem = next((found for found in problems if found["type"] == "extra_forbidden"), problems[0])
    name = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        fix = suggest(name, known) if known else "Leave it out."
        return QueryError(f"There is no argument named {shorten(name, 80)!r}.", fix)
    fix = f"Write it like {json.dumps(known[name]['examples'][0])}."
    if problem["type"] == "missing":
        return QueryError(f"The argument {name} is missing.", fix)
    said = problem["msg"][:1].lower() + problem["msg"][1:]
    return QueryError(f"The argument {name} is {shorten(repr(problem['input']), 80)}: {said}.", fix)


def _plain(node: Any, defs: Mapping[str, Schema]) -> Any:  # Any: JSON Schema is a tree of JSON values
    """A schema without references, and without what no caller acts on: titles, lengths, empty defaults, null."""
    if isinstance(node, list):
        return [_plain(item, defs) for item in node]
    if not isinstance(node, Mapping):
        return node
    if "$ref" in node:
        node = {**defs[node["$ref"].rpartition("/")[2]], **{key: value for key, value in node.items() if key != "$ref"}}
    plain = {
        key: {name: _plain(child, defs) for name, child in value.items()}
        if key == "properties"
        else _plain(value, defs)
        for key, value in node.items()
        if key not in _UNSAID and not (key == "default" and not value)
    }
    kinds = [kind for kind in plain.get("anyOf", ()) if kind not in _IMPLIED]
    if len(kinds) == 1:
        return {**kinds[0], **{key: value for key, value in plain.items() if key != "anyOf"}}
    return {**plain, "anyOf": kinds} if kinds else plain
