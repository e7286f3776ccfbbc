"""A digest of the code that a published run depends on: a changed expression rebuilds every tenant, a comment none.

All code of the packages counts, except what is listed below with its reason: a run that is rebuilt for nothing costs
minutes, one that is not rebuilt serves numbers of the version before.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pipeline.ingest.admission.known_contents import stamp_of
from pipeline.storage.disk import replace_text

PACKAGES: Final = ("pipeline", "warehouse", "semantic")
"""Found by name, and not imported: definitions are made by `semantic`, which this package may not import."""
CODE: Final = "code.json"
"""The file of the state folder that keeps the digest."""
SUFFIXES: Final = (".py", ".sql", ".csv", ".yml")
LEFT_OUT: Final = {
    "synthetic": "It writes simulated exports: what lands of them is in the loads, which are an input of their own.",
    "cases": "It holds fixtures of dbt unit tests, which no build runs.",
    "unit_tests": "As `cases`.",
}
"""Folders and modules by name, and why no published run depends on them."""

_SQL_PARTS = re.compile(
    r"""
    '(?:[^']|'')*' | "(?:[^"]|"")*" | \$\$.*?\$\$   # a text or a quoted name: kept
    | (?P<jinja>\{\#.*?\#\})
    | (?P<block>/\*.*?\*/)
    | (?P<line>--[^\n]*)
    """,
    re.VERBOSE | re.DOTALL,
)


@cache
def source_digest(kept: Path) -> str:
    """The digest of the code that this process runs, computed at the first call.

    Parsing all of it takes a second.

    Args:
        kept: The file that holds it for the next process, which takes it while the stamps of all code are the same.
    """
    stamps = hashlib.sha256(repr(list(code_stamps(PACKAGES))).encode()).hexdigest()
    with suppress(OSError, ValueError, KeyError, TypeError):  # none yet, or a damaged one
        found = json.loads(kept.read_bytes())
        if found["stamps"] == stamps:
            return str(found["digest"])
    digest = digest_of(folder for package in PACKAGES for folder in folders_of(package))
    with suppress(OSError):  # a home that cannot be written, or is none yet
        replace_text(kept, json.dumps({"stamps": stamps, "digest": digest}) + "\n")
    return digest


def code_stamps(packages: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Path and stamp of each file of some of our packages."""
    for package in packages:
        for folder in folders_of(package):
            for path in sorted(folder.rglob("*")):
                if path.suffix in SUFFIXES:
                    yield str(path), stamp_of(path.stat())


def folders_of(package: str) -> tuple[Path, ...]:
    """The folders of one of our packages."""
    spec = find_spec(package)
    return tuple(Path(folder) for folder in (spec.submodule_search_locations if spec else None) or ())


def digest_of(folders: Iterable[Path]) -> str:
    """A digest of the code in some package folders, independent of comments and docstrings."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in _files(folder):
            name = path.relative_to(folder.parent).as_posix()
            content = meaning(path.suffix, path.read_bytes())
            digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def meaning(suffix: str, content: bytes) -> bytes:
    """The part of a file's content that can change a result; data files count byte by byte."""
    if suffix == ".py":
        return _without_docstrings(ast.parse(content))
    if suffix == ".sql":
        return _without_comments(content.decode()).encode()
    return content


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix in SUFFIXES and LEFT_OUT.keys().isdisjoint({*inside.parts[:-1], inside.stem}):
            yield path


def _without_docstrings(tree: ast.Module) -> bytes:
    """The syntax tree as text. A string that is a statement of its own is a docstring, of an attribute too."""
    for node in ast.walk(tree):
        for body in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            if isinstance(body, list):
                body[:] = [statement for statement in body if not _is_text(statement)]
    return ast.dump(tree).encode()


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _without_comments(text: str) -> str:
    """SQL and Jinja without comments, blank lines and spaces at the end of lines."""
    lines = (line.rstrip() for line in _SQL_PARTS.sub(_kept, text).splitlines())
    return "\n".join(line for line in lines if line)


def _kept(found: re.Match[str]) -> str:
    """A match as it stays: dbt renders Jinja in SQL comments too, so a comment with some in it is code."""
    is_comment = found["jinja"] or ((comment := found["block"] or found["line"]) and not re.search(r"\{[{%]", comment))
    return "" if is_comment else found[0]
