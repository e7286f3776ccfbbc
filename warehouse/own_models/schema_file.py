"""Reads dbt's `models:` yml of a tenant's own models: descriptions, meta, and the tests of columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pipeline.config.blocks.models_block import ModelFile
from pipeline.config.entry import Entry
from pipeline.config.naming import free_text
from pipeline.config.yaml_file import parse_yaml
from pipeline.errors import shorten, suggest
from warehouse.own_models.file_line import FileLine
from warehouse.star_schema import Reference
from warehouse.table_descriptions import ColumnDescription, TableDescription

TESTS: Final = ("unique", "not_null", "accepted_values", "relationships")
MOST_VALUES = 1_000
LONGEST = 5_000  # characters of a description
_REF = re.compile(r"""ref\(\s*(['"])([^'"]*)\1\s*\)""")
_MODEL = ("name", "description", "columns", "meta", "config")
_COLUMN = ("name", "description", "data_tests", "tests", "meta", "config")
_OTHER_PARTS = ("sources", "seeds", "snapshots", "macros", "exposures", "metrics", "semantic_models", "unit_tests")

Value = str | int | float | bool


@dataclass(frozen=True, kw_only=True)
class ColumnTest:
    """A test of one column of a model."""

    test: str
    """One of `TESTS`."""
    column: str
    place: FileLine
    values: tuple[Value, ...] = ()
    """Of accepted_values."""
    to: str = ""
    """The table of relationships, by its full name."""
    to_column: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelWords:
    """What a yml file says of one model."""

    place: FileLine
    description: TableDescription
    tests: tuple[ColumnTest, ...] = ()
    columns: Mapping[str, FileLine] = field(default_factory=dict)
    """Where each column is described."""


def read_schema_file(file: ModelFile, names: Collection[str]) -> Iterator[tuple[str, ModelWords]]:
    """The models that a file describes, by name.

    Args:
        file: Of YAML.
        names: The tenant's own models.

    Raises:
        ConfigError: It has a key, a test or a model that is not known; names file and line.
    """
    root = parse_yaml(Path(file.path), file.text)
    for part in _OTHER_PARTS:
        if part in root.mapping():
            what = f"{part} is not read from files of models."
            raise root.mapping()[part].wrong(
                what, "Keep version and models; own metrics go under semantic: of the tenant."
            )
    fields = root.fields(("version", "models"))
    for entry in fields["models"].items() if "models" in fields else ():
        name = entry.required("name")
        if name.value not in names:
            raise name.wrong(f"There is no file {shorten(str(name.value), 80)}.sql.", suggest(str(name.value), names))
        yield name.text(), _model(entry)


def _model(entry: Entry) -> ModelWords:
    fields = entry.fields(_MODEL)
    columns: dict[str, ColumnDescription] = {}
    places: dict[str, FileLine] = {}
    tests: list[ColumnTest] = []
    for each in fields["columns"].items() if "columns" in fields else ():
        name = each.required("name")
        key = name.identifier(60)
        if key in columns:
            raise name.wrong(f"The column {key} is described twice.", "Keep one of the two.")
        columns[key] = _column(each)
        places[key] = _place(name)
        tests += _tests(each, key)
    references = tuple(Reference(each.column, each.to, each.to_column) for each in tests if each.to)
    described = TableDescription(
        description=_text(fields["description"]) if "description" in fields else "",
        meta=_meta(fields),
        columns=columns,
        references=references,
    )
    return ModelWords(place=_place(entry), description=described, tests=tuple(tests), columns=places)


def _column(entry: Entry) -> ColumnDescription:
    fields = entry.fields(_COLUMN)
    description = _text(fields["description"]) if "description" in fields else ""
    return ColumnDescription(description=description, meta=_meta(fields))


def _text(entry: Entry) -> str:
    """A description, on one line."""
    if not isinstance(entry.value, str):
        raise entry.unlike("text", "Put it in quotes." if entry.value is not None else "")
    text = " ".join(entry.value.split())
    if text and (problem := free_text(text, LONGEST)):
        raise entry.wrong(f"{entry.name} is {entry.excerpt}: {problem}.", "Write plain text; doc() is not read.")
    return text


def _meta(fields: Mapping[str, Entry]) -> dict[str, Any]:  # Any: what YAML can hold
    """`meta`, and `meta` of `config` over it."""
    config = fields["config"].fields(("meta",)) if "config" in fields else {}
    given = [part["meta"] for part in (fields, config) if "meta" in part]
    return {key: value.plain(_text) for meta in given for key, value in meta.mapping().items()}


def _tests(entry: Entry, column: str) -> Iterator[ColumnTest]:
    for key in ("data_tests", "tests"):
        for item in entry.mapping()[key].items() if key in entry.mapping() else ():
            yield _test(item, column)


def _test(item: Entry, column: str) -> ColumnTest:
    place = _place(item)
    if isinstance(item.value, str):
        name, arguments = item.value, {}
    elif len(item.mapping()) == 1:
        ((name, body),) = item.mapping().items()
        arguments = _arguments(body)
    else:
        raise item.unlike("one test", f"Write one of {', '.join(TESTS)} with its arguments below it.")
    if name not in TESTS:
        raise item.wrong(f"There is no test named {shorten(name, 80)!r} here.", suggest(name, TESTS))
    wanted = {"accepted_values": ("values",), "relationships": ("to", "field")}.get(name, ())
    for key, value in arguments.items():
        if key not in wanted:
            fix = "Remove it. Whether a test warns or fails is set by `gates:` of the tenant."
            raise value.wrong(f"The test {name} has no argument {shorten(key, 80)!r}.", fix)
    for key in wanted:
        if key not in arguments:
            raise item.wrong(f"The test {name} has no {key}.", f"Add a line {key}: with its value.")
    if name == "accepted_values":
        return ColumnTest(test=name, column=column, place=place, values=_values(arguments["values"]))
    if name == "relationships":
        to, to_column = _ref(arguments["to"]), arguments["field"].identifier(60)
        return ColumnTest(test=name, column=column, place=place, to=to, to_column=to_column)
    return ColumnTest(test=name, column=column, place=place)


def _arguments(body: Entry) -> dict[str, Entry]:
    """The arguments of a test, which dbt takes under `arguments:` or without it."""
    if body.value is None:
        return {}
    fields = dict(body.mapping())
    nested = fields.pop("arguments", None)
    return fields | (nested.mapping() if nested else {})


def _values(entry: Entry) -> tuple[Value, ...]:
    values = tuple(item.value for item in entry.items())
    if not values or len(values) > MOST_VALUES or not all(isinstance(value, Value) for value in values):
        raise entry.unlike("a list of values", f"Write 1 to {MOST_VALUES:,} texts, numbers or flags.")
    return values


def _ref(entry: Entry) -> str:
    found = _REF.fullmatch(entry.value.strip()) if isinstance(entry.value, str) else None
    if found is None:
        raise entry.unlike("a ref()", "Write it as ref('dim_acme__campaigns'), with the full name of the table.")
    return found[2]


def _place(entry: Entry) -> FileLine:
    return FileLine(str(entry.file), entry.line)
