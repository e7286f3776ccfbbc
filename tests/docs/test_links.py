"""Pages, docstrings and comments cite only what a reader of the repository can open."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = "pipeline|warehouse|semantic|server|bench|tests"
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
FILE = re.compile(
    r"(?<![\w/.:<>{}*$~-])(?:[\w-][\w.-]*/)+[\w.-]+\.(?:py|md|sql|yaml|yml|toml|txt|csv|json|mjs|lock)\b(?!/)"
    r"|(?<![\w/.:<>{}*$~-])[\w-]+\.(?:py|md)\b(?!/)"
)
FOLDER = re.compile(rf"(?<![\w/.:<>{{}}*$~-])(?:{CODE}|docs|examples)/(?:[\w-]+/)+(?![\w<{{*])")
MODULE = re.compile(rf"(?<![\w/.-])(?:{CODE})(?:\.[a-z_]\w*)+(?:\.[A-Za-z_]\w*)?(?![\w(-])")
OUTSIDE = re.compile(r"\bfacts/|\(facts:|\b(?:DESIGN|STYLE|BRIEF\d*)\.md|(?<![\w/])shared/|\.\./facts")

DOCUMENTS = ("docs/seeds.md",)
"""Pages of names that others gave: tests/docs/test_seeds.py checks what they say stands here."""
EXAMPLES = ("market_stall", "exports/", "models/", "static/tenants/", "specs/", "json.py", "dbt_x.py")
"""A connector of one's own, files of the user and those that an export makes, stray files of a working directory."""
FORBIDDEN_NAMES = frozenset(("utils.py", "helpers.py", "common.py", "base.py"))
PUBLISHED = frozenset(("semantic.yml", "semantic.json", "semantic.schema.json"))
"""Files of a published run, which look like modules of a package."""


@cache
def files() -> tuple[str, ...]:
    """Every file that is committed or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # git is what runs this
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return tuple(path for path in listed.splitlines() if (ROOT / path).is_file() and "tests/golden/" not in path)


@cache
def names() -> frozenset[str]:
    return frozenset(Path(path).name for path in files())


def citing() -> list[str]:
    ends = (".md", ".py", ".sql", ".yaml", ".yml", ".toml")
    return [path for path in files() if path.endswith(ends) or Path(path).name == "Makefile"]


def test_a_link_of_a_page_leads_somewhere() -> None:
    broken = [
        f"{path}: {match['target']}"
        for path in files()
        if path.endswith(".md")
        for match in LINK.finditer((ROOT / path).read_text(encoding="utf-8"))
        if not _leads(path, match["target"])
    ]
    assert broken == []


@pytest.mark.parametrize("kind", ["file", "folder", "module"])
def test_a_name_in_a_page_a_docstring_or_a_comment_exists(kind: str) -> None:
    missing = [
        f"{path}:{line}: {name}"
        for path in citing()
        if path not in DOCUMENTS
        for line, text in prose(path)
        for name in _named(kind, text)
        if not _exists(kind, path, name)
    ]
    assert missing == []


def test_nothing_cites_pages_outside_the_repository() -> None:
    cited = [
        f"{path}:{line}: {text.strip()}" for path in citing() for line, text in prose(path) if OUTSIDE.search(text)
    ]
    assert cited == []


@cache
def prose(path: str) -> tuple[tuple[int, str], ...]:
    """The lines of a file that are written for readers, with their numbers: all of a page, else comments."""
    return tuple(_prose(path))


def _prose(path: str) -> Iterator[tuple[int, str]]:
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".md"):
        yield from enumerate(text.splitlines(), 1)
    elif path.endswith(".py"):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
        for node in ast.walk(ast.parse(text)):
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                yield from enumerate(node.value.value.splitlines(), node.lineno)
    else:
        pattern = r"{#.*?#}|--[^\n]*" if path.endswith(".sql") else r"(?:^|\s)#[^\n]*"
        for match in re.finditer(pattern, text, re.DOTALL if path.endswith(".sql") else re.MULTILINE):
            yield from enumerate(match[0].splitlines(), text[: match.start()].count("\n") + 1)


def _named(kind: str, text: str) -> Iterator[str]:
    pattern = {"file": FILE, "folder": FOLDER, "module": MODULE}[kind]
    for match in pattern.finditer(text):
        name = match[0]
        if name not in FORBIDDEN_NAMES | PUBLISHED and not any(example in name for example in EXAMPLES):
            yield name


def _exists(kind: str, path: str, name: str) -> bool:
    if kind == "module":
        return _is_module(name) or name.rpartition(".")[2] in ("py", "md", "sql", "yml", "yaml", "json")
    if kind == "folder":
        return (ROOT / name).is_dir()
    near = (ROOT / name, (ROOT / path).parent / name)
    return any(place.exists() for place in near) or ("/" not in name and name in names())


def _is_module(dotted: str) -> bool:
    """Whether a dotted name is a folder or module, or something that a module defines."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:length])
        if place.with_suffix(".py").is_file():
            rest = parts[length:]
            text = place.with_suffix(".py").read_text(encoding="utf-8")
            return not rest or re.search(rf"\b{re.escape(rest[0])}\b", text) is not None
        if place.is_dir():
            return length == len(parts)
    return False


def _leads(path: str, target: str) -> bool:
    if re.match(r"[a-z]+:", target):
        return True
    file, _, heading = target.partition("#")
    place = (ROOT / path).parent / file if file else ROOT / path
    if not place.exists() or not place.resolve().is_relative_to(ROOT):
        return False
    return not heading or heading in _headings(place)


def _headings(page: Path) -> set[str]:
    """The anchors of a page, as hosts of repositories make them from its headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
