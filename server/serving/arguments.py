"""Tool arguments: the advertised schema, and validation of the arguments of a call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.errors import QueryError, shorten, suggest
from semantic.catalog.error_collector import ErrorCollector
from semantic.catalog.sent_values import without_absent, without_transport_keys

_IMPLIED_KINDS = ({"type": "null"}, {"type": "integer"})  # null means omitted; an integer is a number
_OMITTED_KEYS = frozenset({"title", "minLength", "maxLength", "maxItems", "minimum", "format", "additionalProperties"})

Schema = dict[str, Any]  # JSON Schema: a tree of JSON values
M = TypeVar("M", bound=BaseModel)


def input_schema(model: type[BaseModel]) -> Schema:
    """The JSON Schema of a model as tools advertise it: without references, short, no additional properties."""
    schema = model.model_json_schema()
    properties = {name: _plain(argument, schema.get("$defs", {})) for name, argument in schema["properties"].items()}
    required = {"required": schema["required"]} if "required" in schema else {}
    return {"type": "object", "properties": properties, **required, "additionalProperties": False}


def read_arguments(model: type[M], arguments: Mapping[str, object]) -> M:
    """Validate arguments and return their flat model; those that hold nothing or come from a transport are left out.

    Raises:
        QueryError: Arguments are wrong; names each, and suggests a valid name or an example.
    """
    sent = without_transport_keys(arguments, model.model_fields)
    optional = [name for name, field in model.model_fields.items() if not field.is_required()]
    present = without_absent(sent, kept=[name for name in sent if name not in optional], texts=optional)
    try:
        return model.model_validate(present)
    except ValidationError as error:
        errors = ErrorCollector()
        known = input_schema(model)["properties"]
        problems = error.errors(include_url=False)
        for problem in sorted(problems, key=lambda each: each["type"] != "extra_forbidden"):
            errors.errors.append(_argument_error(problem, known))
        errors.check()
        raise AssertionError("an error has problems") from error


def _argument_error(problem: Mapping[str, Any], known: Mapping[str, Schema]) -> QueryError:  # Any: pydantic's own
    name = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        fix = suggest(name, known) if known else "Leave it out."
        return QueryError(f"There is no argument named {shorten(name, 80)!r}.", fix)
    fix = f"Write it like {json.dumps(known[name]['examples'][0])}."
    if problem["type"] == "missing":
        return QueryError(f"The argument {name} is missing.", fix)
    message = problem["msg"][:1].lower() + problem["msg"][1:]
    return QueryError(f"The argument {name} is {shorten(repr(problem['input']), 80)}: {message}.", fix)


def _plain(node: Any, defs: Mapping[str, Schema]) -> Any:  # Any: JSON Schema is a tree of JSON values
    """A schema without references, titles, lengths, empty defaults and null, which no caller acts on."""
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
        if key not in _OMITTED_KEYS and not (key == "default" and not value)
    }
    if "enum" in plain:
        plain.pop("type", None)  # that of its values
    if "anyOf" in plain.get("items", {}):
        plain.pop("items")  # of any kind that stands beside the list
    kinds = [kind for kind in plain.get("anyOf", ()) if kind not in _IMPLIED_KINDS]
    if len(kinds) == 1:
        return {**kinds[0], **{key: value for key, value in plain.items() if key != "anyOf"}}
    return {**plain, "anyOf": kinds} if kinds else plain
