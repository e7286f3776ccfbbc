"""Names of the product: each means one thing, and those of docs/adr/names.csv stay renamed."""

from __future__ import annotations

import ast
import csv
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pipeline", "warehouse", "semantic", "server")
NAMES = ROOT / "docs" / "adr" / "names.csv"
LARGEST_FOLDER = 15
HOUSE_WORDS = frozenset(
    (
        *("apology", "books", "crew", "desk", "dice", "door", "doors", "doorway", "house", "lever", "levers"),
        *("lifeline", "mistakes", "outlet", "shelf", "standing", "told", "toolbox", "turns", "whose", "workshop"),
    )
)
"""Words with no plain use in a name of a module, class or function; `shop`, `whole` and `parts` have one."""
SAME_THING = {
    "app": "the application of an interface",
    "audit_middleware": "the same middleware for HTTP and for MCP",
    "progress": "the progress of a call, for people and for MCP clients",
    "main": "the entry point of a process",
    "list_metrics": "the tool, and the listing that it gives",
    "list_briefly": "likewise",
    "explain_change": "the tool, and the explanation that it gives",
}
"""Names that occur more than once with one meaning."""


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the product by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def defined() -> Iterator[tuple[str, str]]:
    """The module and the name of every class and public function."""
    for module, tree in modules().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
                yield module, node.name


def verbs() -> set[str]:
    """Functions of the command line have the names of their verbs."""
    return {name for module, name in defined() if module.startswith("server.cli.")}


def test_a_name_that_was_renamed_does_not_come_back() -> None:
    with NAMES.open(encoding="utf-8", newline="") as file:
        renamed = {row["before"]: row["after"] for row in csv.DictReader(file)}
    now = {*modules(), *(f"{module}.{name}" for module, name in defined())}
    packages = {name for name in modules() if any(other.startswith(f"{name}.") for other in modules())}
    assert {before: after for before, after in renamed.items() if before in now - packages} == {}
    assert {after for after in renamed.values() if after not in now and after.rsplit(".", 1)[0] not in now} == set()


def test_no_name_is_made_of_a_house_word() -> None:
    names = [*(module.rsplit(".", 1)[-1] for module in modules()), *(name for _, name in defined())]
    words = {
        name: set("".join(f" {c}" if c.isupper() else c for c in name).lower().replace("_", " ").split())
        for name in names
    }
    assert {name for name in names if words[name] & HOUSE_WORDS} == set()


def test_a_name_of_a_class_or_function_means_one_thing() -> None:
    places = defaultdict(set)
    for module, name in defined():
        if not module.startswith("pipeline.connectors."):  # vendors call their objects as they like
            places[name].add(module)
    several = {name: found for name, found in places.items() if len(found) > 1 and name not in SAME_THING}
    of_a_verb = {
        name
        for name, found in several.items()
        if name in verbs() and sum(not module.startswith("server.cli.") for module in found) <= 2
    }
    assert {name: sorted(found) for name, found in several.items() if name not in of_a_verb} == {}


def test_a_name_of_a_module_means_one_thing() -> None:
    places = defaultdict(list)
    for module in modules():
        if not module.startswith(("pipeline.connectors.", "server.cli.")):
            places[module.rsplit(".", 1)[-1]].append(module)
    files = {
        name: [m for m in found if not any(o.startswith(f"{m}.") for o in modules())] for name, found in places.items()
    }
    assert {name: found for name, found in files.items() if len(found) > 1 and name not in SAME_THING} == {}


def test_a_folder_holds_at_most_fifteen_files() -> None:
    folders = defaultdict(list)
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and path.suffix in {".py", ".sql"}:
                folders[path.parent.relative_to(ROOT).as_posix()].append(path.name)
    assert {folder: len(files) for folder, files in folders.items() if len(files) > LARGEST_FOLDER} == {}


def test_a_folder_says_its_one_noun_in_the_first_line_of_its_package() -> None:
    packages = {name for name in modules() if (ROOT / name.replace(".", "/") / "__init__.py").exists()}
    for name in packages:
        text = ast.get_docstring(modules()[name]) or ""
        first = text.partition("\n")[0]
        assert first.endswith("."), name
        assert " and " not in first, f"{name}: {first}"
