"""Imports of the product and dependencies of pyproject.toml are the same packages."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

from pipeline.extras import MODULES
from tests.packaging.lock_pins import PROJECT as PYPROJECT
from tests.packaging.lock_pins import ROOT, name_of

OURS = ("pipeline", "warehouse", "semantic", "server")
NOT_IMPORTED = {"tzdata": "zoneinfo reads it where the system has no time zones"}
PROJECT = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
EXTRAS = {
    extra: {name_of(text) for text in texts}
    for extra, texts in PROJECT["optional-dependencies"].items()
    if extra != "all"
}
ALWAYS = {name_of(text) for text in PROJECT["dependencies"]}
DISTRIBUTIONS = {
    module: {name_of(name) for name in names}
    for module, names in packages_distributions().items()
    if module not in OURS
}


def test_every_package_that_is_imported_is_declared() -> None:
    declared = ALWAYS.union(*EXTRAS.values())
    undeclared = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path, module in _imports()
        if not DISTRIBUTIONS.get(module.partition(".")[0], set()) & declared
    }
    assert not undeclared


def test_every_package_that_is_declared_is_imported_or_has_its_reason() -> None:
    imported = {module.partition(".")[0] for _, module in _imports()}
    used = set[str]().union(*(DISTRIBUTIONS.get(module, set()) for module in imported))
    assert ALWAYS.union(*EXTRAS.values()) - used == set(NOT_IMPORTED)


def test_each_extra_brings_the_modules_that_it_is_asked_for() -> None:
    for extra, modules in MODULES.items():
        for module in modules:
            assert DISTRIBUTIONS[module.partition(".")[0]] & EXTRAS[extra], f"{extra} does not bring {module}"
    for extra, packages in EXTRAS.items():
        tops = {module.partition(".")[0] for module in MODULES[extra]}
        assert packages == {name for name in packages if any(name in DISTRIBUTIONS[top] for top in tops)}
    assert EXTRAS.keys() == MODULES.keys()


def test_what_is_always_installed_brings_nothing_of_an_extra() -> None:
    brought, waiting = set[str](), [*ALWAYS]
    while waiting:
        name = waiting.pop()
        if name not in brought:
            brought.add(name)
            asked = [text for text in requires(name) or () if "extra ==" not in text] if _is_installed(name) else []
            waiting += map(name_of, asked)
    assert not brought & set[str]().union(*EXTRAS.values())


def _is_installed(name: str) -> bool:
    return any(name in names for names in DISTRIBUTIONS.values())


def _imports() -> Iterator[tuple[Path, str]]:
    """Every module that is imported from elsewhere, with the file that does."""
    for package in OURS:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names = [node.module]
                yield from ((path, name) for name in names if _is_foreign(name))


def _is_foreign(module: str) -> bool:
    top = module.partition(".")[0]
    return top not in OURS and top not in sys.stdlib_module_names
