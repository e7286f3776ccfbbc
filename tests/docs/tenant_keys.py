"""Every key of tenants.yaml, as its readers take them: recorded while they read a file that uses all of them."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import yaml
from pydantic import BaseModel

from pipeline.config import tenants_file
from pipeline.config.accounts import Account, Read
from pipeline.config.blocks.generation import CONNECTOR_PARAMETERS, DOMAIN_PARAMETERS, FUNNEL
from pipeline.config.blocks.table_logic import _DOMAINS
from pipeline.config.entry import Entry
from pipeline.config.key_meanings import GENERATION, LOGIC, MEANINGS, SOURCE, TENANT
from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.config.yaml_file import read_yaml
from tests.docs.markdown import code, codes, table
from tests.warehouse.engine_fixture import CATALOG

EVERY_KEY = Path(__file__).with_name("every_key.yaml")
MODELS: Mapping[str, type[BaseModel]] = {
    TENANT: Tenant,
    SOURCE: Source,
    f"{SOURCE}.read": Read,
    f"{SOURCE}.accounts.<account>": Account,
    f"{SOURCE}.accounts.<account>.read": Read,
}
NAMED = {
    f"{TENANT}.sources": "<connector>",
    f"{SOURCE}.accounts": "<account>",
    f"{SOURCE}.read.objects": "<object>",
    f"{SOURCE}.accounts.<account>.read.objects": "<object>",
    f"{TENANT}.gates": "<gate>",
    f"{TENANT}.gates.<gate>.tables": "<table>",
    f"{TENANT}.semantic.metrics": "<metric>",
    f"{TENANT}.semantic.dimensions": "<dimension>",
    f"{SOURCE}.tables[].logic.funnel_steps": "<step>",
}
"""Mappings of which the keys are names."""
MOST_CHOICES = 20


@dataclass
class Recorded:
    """What the readers asked of a file: the keys they know, by path, and what each value may be."""

    keys: set[str] = field(default_factory=set)
    takes: dict[str, str] = field(default_factory=dict)
    examples: dict[str, object] = field(default_factory=dict)
    paths: dict[int, str] = field(default_factory=dict)
    alive: list[Entry] = field(default_factory=list)

    def walk(self, entry: Entry, path: str) -> None:
        """Remember where each entry of a file stands."""
        self.paths[id(entry)] = path
        self.alive.append(entry)
        self.examples.setdefault(path, plain(entry))
        if isinstance(entry.value, dict):
            for key, child in entry.value.items():
                step = NAMED.get(path, key)
                self.walk(child, f"{path}.{step}" if path else step)
        if isinstance(entry.value, list):
            for child in entry.value:
                self.walk(child, f"{path}[]")

    def know(self, entry: Entry, keys: Iterator[str]) -> None:
        path = self.paths.get(id(entry))
        if path is not None and path not in NAMED:
            self.keys |= {f"{path}.{key}" if path else key for key in keys}

    def take(self, entry: Entry, text: str) -> None:
        path = self.paths.get(id(entry), "").removesuffix("[]")
        self.takes.setdefault(path, text)


def plain(entry: Entry) -> object:
    if isinstance(entry.value, dict):
        return {key: plain(child) for key, child in entry.value.items()}
    return [plain(child) for child in entry.value] if isinstance(entry.value, list) else entry.value


@cache
def recorded() -> Recorded:
    """The readers, watched while they read every key."""
    found = Recorded()
    with TemporaryDirectory() as folder, mock.patch.multiple(Entry, **_watched(found)):
        path = Path(folder, "tenants.yaml")
        path.write_text(_with_defaults(EVERY_KEY.read_text(encoding="utf-8")), encoding="utf-8")
        Path(folder, "rates.csv").write_text("date,currency,rate\n", encoding="utf-8")
        Path(folder, "models").mkdir()
        Path(folder, "more").mkdir()
        Path(folder, "more", "one.yaml").write_text("tenants: []\n", encoding="utf-8")

        def read(file: Path, **options: Any) -> Entry:  # Any: as the reader takes them
            root = read_yaml(file, **options)
            found.walk(root, "")
            return root

        def unmerged(_under: Entry, over: Entry) -> Entry:
            return over  # a merged entry would be a new one, of no known place

        with mock.patch.object(tenants_file, "read_yaml", read), mock.patch.object(tenants_file, "merge", unmerged):
            tenants_file.load_tenants(path, CATALOG)
    parameters = {name for domain in (*DOMAIN_PARAMETERS.values(), *CONNECTOR_PARAMETERS.values()) for name in domain}
    found.keys |= {f"{GENERATION}.{name}" for name in (*parameters, "funnel", *(f"funnel.{step}" for step in FUNNEL))}
    found.keys |= {f"{place}.{name}" for place, name in NAMED.items() if name == "<object>"}
    found.keys = {key for key in found.keys if "<object>." not in key and not key.endswith((".orders", ".events"))}
    return found


def _watched(found: Recorded) -> dict[str, Any]:  # Any: methods of Entry, each of its own kind
    real = {name: getattr(Entry, name) for name in ("fields", "choice", "number", "flag", "identifier", "text")}

    def fields(entry: Entry, known: Any) -> Any:
        found.know(entry, iter(known))
        return real["fields"](entry, known)

    def choice(entry: Entry, known: Any, kind: str) -> Any:
        what, _, of = kind.partition(" of ")
        found.take(entry, f"an {what} of the connector" if of in CATALOG else _choices(known, what))
        return real["choice"](entry, known, kind)

    def number(entry: Entry, low: float, high: float, *, whole: bool = False) -> Any:
        found.take(entry, f"a {'whole ' if whole else ''}number from {low:,.10g} to {high:,.10g}")
        return real["number"](entry, low, high, whole=whole)

    def flag(entry: Entry) -> Any:
        found.take(entry, "true or false")
        return real["flag"](entry)

    def identifier(entry: Entry, length: int = 40) -> Any:
        found.take(entry, f"a name of at most {length} characters")
        return real["identifier"](entry, length)

    def text(entry: Entry, length: int = 200) -> Any:
        found.take(entry, f"text of at most {length:,} characters")
        return real["text"](entry, length)

    return {each.__name__: each for each in (fields, choice, number, flag, identifier, text)}


def _choices(known: Any, kind: str) -> str:  # Any: any collection of texts
    is_short = len(known) <= MOST_CHOICES and kind != "connector"
    return codes(known) if is_short else f"{'an' if kind[0] in 'AEIO' else 'a'} {kind}"


def _with_defaults(text: str) -> str:
    """The file with each key of a tenant that it lacks, at its default: keys that are new are seen all the same."""
    tree = yaml.safe_load(text)
    for name, declared in Tenant.model_fields.items():
        default = declared.get_default(call_default_factory=True)
        if name != "semantic_locations" and name not in tree["tenants"][0]:
            tree["tenants"][0][name] = (
                default.model_dump(mode="json") if isinstance(default, BaseModel) else json.loads(json.dumps(default))
            )
    return yaml.safe_dump(tree, sort_keys=False)


def meaning(path: str) -> str:
    """The meaning of a key: that of the table, else the sentence under its field, else that of the field's type."""
    parent, _, name = path.rpartition(".")
    return MEANINGS.get(path) or _sentence(_model(parent), name)


def _model(path: str) -> type[BaseModel] | None:
    """The model of which the fields are the keys at a path."""
    if path in MODELS:
        return MODELS[path]
    parent, _, name = path.rpartition(".")
    above = _model(parent) if parent else None
    kind = above.model_fields[name].annotation if above and name in above.model_fields else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _sentence(model: type[BaseModel] | None, name: str) -> str:
    if model is None or name not in model.model_fields:
        return ""
    (declared,) = ast.parse(inspect.getsource(model)).body
    assert isinstance(declared, ast.ClassDef)
    for line, after in zip(declared.body, declared.body[1:], strict=False):
        is_field = isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.target.id == name
        if is_field and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            return inspect.cleandoc(str(after.value.value))
    kind = model.model_fields[name].annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return inspect.getdoc(kind) or ""
    return (inspect.getdoc(model) or "") if len(model.model_fields) == 1 else ""


def default(path: str) -> str:
    """The value of a key that is left out; empty where there is none."""
    parent, _, name = path.rpartition(".")
    model = _model(parent)
    if model is None or name not in model.model_fields or model.model_fields[name].is_required():
        return ""
    value = model.model_fields[name].get_default(call_default_factory=True)
    return "" if value in (None, (), {}) or (isinstance(value, tuple) and name == "accounts") else code(_yaml(value))


def _yaml(value: object) -> str:
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_defaults=False)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(_yaml(each) for each in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_yaml(each)}' for key, each in value.items() if each not in (None, {}))}}}"
    return str(value)


def keys() -> str:
    """A table for each place of the file."""
    places: dict[str, list[str]] = {}
    for path in sorted(recorded().keys, key=_order):
        places.setdefault(path.rpartition(".")[0], []).append(path)
    return "\n\n".join(f"### {title(place)}\n\n{_table(paths)}" for place, paths in places.items())


def title(place: str) -> str:
    return code(place) if place else "The file"


def _order(path: str) -> tuple[int, str, int]:
    """As the example has them: places in their order, keys in theirs."""
    order = list(recorded().examples)
    place = path.rpartition(".")[0]
    return (order.index(place) if place in order else -1, place, order.index(path) if path in order else len(order))


def _table(paths: list[str]) -> str:
    heads = ("key", "takes", "default", "meaning", "example")
    return table(heads, [_row(path) for path in paths])


def _row(path: str) -> tuple[str, ...]:
    example = recorded().examples.get(path)
    is_deep = isinstance(example, dict) or (isinstance(example, list) and isinstance(example[0], dict))
    kinds = {list: "a list", dict: "a mapping"}
    takes = recorded().takes.get(path) or kinds.get(type(example), "text")
    takes = f"{takes}; also a list" if isinstance(example, list) and path in recorded().takes else takes
    name = path.rpartition(".")[2]
    said = f"{meaning(path)} {_only_for(path)}".strip()
    return (code(name), takes, default(path), said, "" if is_deep else code(_yaml(example)))


def _only_for(path: str) -> str:
    """The domain or connector that alone takes a key."""
    place, _, name = path.rpartition(".")
    homes: dict[str, str] = {}
    if place == GENERATION:
        homes = {key: domain for domain, known in DOMAIN_PARAMETERS.items() for key in known} | {"funnel": "analytics"}
        homes |= {key: connector for connector, known in CONNECTOR_PARAMETERS.items() for key in known}
    if place == LOGIC:
        homes = _DOMAINS
    return f"Only {homes[name]}." if name in homes else ""
