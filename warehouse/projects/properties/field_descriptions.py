"""What a column of a vendor's record holds, in a sentence: from its contract, which says type, meaning and key."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.contracts.fields import Contract, Leaf, Many, Record, Shape
from pipeline.contracts.meaning import DESCRIPTIONS, INSTANTS, Meaning
from pipeline.contracts.registry import Blueprint

_MONEY = frozenset({Meaning.MICROS, Meaning.MINOR_UNITS})
_CLOCKS = {"account": "the account's clock", "store": "the store's clock", "utc": "UTC"}
_BY_CLOCK = frozenset({Meaning.LOCAL_TIME, Meaning.DATE, Meaning.COMPACT_DATE, Meaning.DATE_AS})


def field_descriptions(blueprint: Blueprint) -> dict[str, str]:
    """By field of a contract: a sentence about what the vendor sends in it."""
    contract = blueprint.contract
    return {name: " ".join(_sentences(name, shape, contract)) for name, shape in blueprint.shape}


def object_description(blueprint: Blueprint) -> str:
    """A sentence about the records of a blueprint: what one of them is, by its key."""
    key = (*blueprint.contract.key, *blueprint.contract.optional_key)
    grain = f"one per {', '.join(dict.fromkeys(key))}" if key else "each its own key"
    return f"{blueprint.object} of {blueprint.platform}, contract {blueprint.version}: {grain}."


def _sentences(name: str, shape: Shape, contract: type[Contract]) -> Iterator[str]:
    clock = _CLOCKS.get(contract.zone, "") if _has(shape, _BY_CLOCK) else ""
    money = contract.money if _has(shape, _MONEY) else ""
    said = ", ".join(each for each in (_said(shape), money, clock) if each)
    yield f"{said[0].upper()}{said[1:]}."
    if _is_in(name, contract.key):
        yield "It is part of the record's key."
    if name == contract.date_field.partition(".")[0]:
        yield "It says the day of the record."
    if name == contract.version_field:
        yield "It says which version of the record is the newest."
    if _is_in(name, (*contract.identity, *contract.personal)):
        yield "It is about a person."


def _said(shape: Shape) -> str:
    if isinstance(shape, Leaf):
        return DESCRIPTIONS[shape.meaning]
    if isinstance(shape, Many):
        return f"a list, each of {_said(shape.of)}"
    return f"an object of {', '.join(name for name, _ in shape)}" if shape.fields else "an object"


def _has(shape: Shape, meanings: frozenset[Meaning]) -> bool:
    if isinstance(shape, Leaf):
        return shape.meaning in meanings - INSTANTS
    inner = (shape.of,) if isinstance(shape, Many) else tuple(each for _, each in shape)
    return not isinstance(shape, Record) and any(_has(each, meanings) for each in inner)


def _is_in(name: str, paths: tuple[str, ...]) -> bool:
    return any(path.partition(".")[0] == name for path in paths)
