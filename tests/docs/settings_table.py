"""Every GATA_ variable, from the settings themselves."""

from __future__ import annotations

from typing import Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from pipeline.settings import Settings
from tests.docs.markdown import code, codes, table

_SIZE = r"^\d+(MB|GB)$"
_TYPES = {"Path": "path", "int": "whole number", "float": "number", "bool": "true or false", "date": "YYYY-MM-DD"}


def settings() -> str:
    rows = [
        (code(f"GATA_{name.upper()}"), code(_default(field)), _takes(field), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return table(("variable", "default", "takes", "meaning"), rows)


def _default(field: FieldInfo) -> object:
    return str(field.default).lower() if isinstance(field.default, bool) else field.default


def _takes(field: FieldInfo) -> str:
    """The values a variable may have, with their range and unit."""
    kinds = [kind for kind in get_args(field.annotation) or (field.annotation,) if kind is not type(None)]
    if get_origin(field.annotation) is Literal:
        return codes(kinds)
    if any(getattr(mark, "pattern", None) == _SIZE for mark in field.metadata):
        return "a size, such as 64MB or 4GB"
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
