"""semantic.yml is read into typed values and written from them: nothing is lost, and nothing unknown gets in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from semantic.catalog.run_definitions import definitions_schema, read_definitions
from semantic.definitions.derive import definitions_yaml
from tests.semantic.test_conversion import shop_of_three_currencies

REVIEWED = Path(__file__).resolve().parent.parent / "golden" / "semantic" / "shop.semantic.yml"
Tree = dict[str, Any]  # Any: a tree of YAML


@pytest.fixture
def tree() -> Tree:
    found: Tree = yaml.safe_load(REVIEWED.read_bytes())
    return found


def _read(tree: Tree) -> object:
    return read_definitions(yaml.safe_dump(tree).encode())


def test_definitions_read_and_written_again_are_the_same_bytes(folder: Path) -> None:
    converted = (shop_of_three_currencies(folder).write() / "semantic.yml").read_bytes()
    for text in (REVIEWED.read_bytes(), converted):
        assert definitions_yaml(read_definitions(text)).encode() == text


def test_what_an_earlier_release_did_not_write_is_not_needed(tree: Tree) -> None:
    for fact in tree["facts"].values():
        for later in ("priced", "rows_without_money", "unconverted"):
            fact.pop(later, None)
    for later in ("rates", "notes"):
        tree.pop(later, None)
    assert _read(tree)


BROKEN: dict[str, tuple[Callable[[Tree], object], str]] = {
    "a key that there is not": (
        lambda tree: tree["metrics"]["spend"].update(units="currency"),
        "metrics.spend.units: Unexpected keyword argument",
    ),
    "a key that is missing": (lambda tree: tree["facts"]["orders"].pop("rows"), "facts.orders.rows: Field required"),
    "a kind that there is not": (
        lambda tree: tree["metrics"]["roas"].update(kind="quotient"),
        "metrics.roas.kind: Input should be 'sum', 'count'",
    ),
    "a join that repeats rows": (
        lambda tree: tree["models"]["orders"]["joins"]["campaigns"].update(type="many"),
        "models.orders.joins.campaigns.type: Input should be 'one'",
    ),
    "another version": (lambda tree: tree.update(version=99), "version is 99, and this release reads 2"),
    "no version": (lambda tree: tree.pop("version"), "version is None"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_definitions_of_another_form_are_refused_and_the_entry_is_named(tree: Tree, name: str) -> None:
    change, said = BROKEN[name]
    change(tree)
    with pytest.raises(ValueError, match=re.escape(said)):
        _read(tree)


def test_the_schema_of_definitions_is_the_reviewed_one(golden: Callable[[str, str], None]) -> None:
    golden("semantic/definitions.schema.json", definitions_schema())


def test_definitions_keep_their_schema_and_it_refuses_what_does_not(tree: Tree) -> None:
    rule = json.loads(definitions_schema())
    jsonschema.Draft202012Validator.check_schema(rule)
    jsonschema.validate(tree, rule)
    for change in (lambda: tree.update(more=1), lambda: tree["metrics"]["spend"].update(type="money")):
        change()
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(tree, rule)
        tree.pop("more", None)
