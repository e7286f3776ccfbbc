"""Every GATA_ variable, from the settings themselves."""

from __future__ import annotations

from dataclasses import fields
from typing import Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from pipeline.environments import ENVIRONMENTS, EnvironmentDefaults
from pipeline.settings import Settings, setting_variable
from tests.docs.markdown import code, codes, table

_SIZE = r"^\d+(MB|GB)$"
_TYPES = {"Path": "path", "int": "whole number", "float": "number", "bool": "true or false", "date": "YYYY-MM-DD"}


def settings() -> str:
    rows = [
        (
            code(setting_variable(name)),
            _by_environment(name) or code(_default(field)),
            _takes(field),
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]
    return table(("variable", "default", "takes", "meaning"), rows)


def environments() -> str:
    """The cells of each environment."""
    cells = [cell.name for cell in fields(EnvironmentDefaults)]
    rows = [(code(cell), *(code(_text(getattr(ENVIRONMENTS[name], cell))) for name in ENVIRONMENTS)) for cell in cells]
    return table(("setting", *ENVIRONMENTS), rows)


def _by_environment(name: str) -> str | None:
    """The defaults of a setting that differs by environment, in the order local, dev, prod."""
    if name not in {cell.name for cell in fields(EnvironmentDefaults)}:
        return None
    values = [_text(getattr(defaults, name)) for defaults in ENVIRONMENTS.values()]
    return code(values[0]) if len(set(values)) == 1 else ", ".join(map(code, values))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _default(field: FieldInfo) -> object:
    return str(field.default).lower() if isinstance(field.default, bool) else field.default


def _takes(field: FieldInfo) -> str:
    """The values a variable may have, with their range and unit."""
    kinds = [kind for kind in get_args(field.annotation) or (field.annotation,) if kind is not type(None)]
    if get_origin(field.annotation) is Literal:
        return codes(kinds)
    if any(getattr(mark, "pattern", None) == _SIZE for mark in field.metadata):
        return "a size, such as 64MB or 4GB"
    if get_origin(field.annotation) is dict:
        return "JSON"
    name = getattr(kinds[0], "__name__", "")
    return _TYPES.get(name, "text") + _range(field)


def _range(field: FieldInfo) -> str:
    words = {Ge: ("ge", "at least"), Gt: ("gt", "more than"), Le: ("le", "at most"), Lt: ("lt", "less than")}
    said = [
        f"{text} {getattr(mark, name):g}"
        for mark in field.metadata
        for kind, (name, text) in words.items()
        if isinstance(mark, kind)
    ]
    return f", {', '.join(said)}" if said else ""
