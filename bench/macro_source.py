"""A macro as it is written: where it reads columns, names data or lists things, and what its names could be taken for.

What a name could be taken for comes from the contracts: a field's siblings have its wire type and a meaning like its
own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.contracts.fields import Leaf, Many, Meaning, Record, Shape

CONFUSED = (
    ("medium", "campaign"),
    ("adset", "ad"),
    ("AdGroup", "Ad"),
    ("adGroup", "ad"),
    ("adgroup", "ad"),
    ("ad_group", "ad"),
    ("clicks", "impressions"),
    ("Clicks", "Impressions"),
)
"""Words that writers of engines take for each other; between siblings so named, these go first."""

MEANINGS = frozenset(meaning.value for meaning in Meaning)
PLACE = ("source_platform", "source_account")
"""Columns that every row has and no other resembles."""

COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
INPUT = re.compile(r"\{\{ (?:ref|source)\(.*?\) \}\}(?: as \w+)?")
QUOTED = re.compile(r"'\{\{ (?=')|(?<=') \}\}'|'[^'\n]*'|\"[^\"]*\"")  # first: an expression of texts inside a text
TYPE = re.compile(
    r"\bas (?:decimal\(1[89], [06]\)|varchar(?:\[\])?|bigint|double|boolean|json|date|timestamp\w*)(?=\s*\))"
    r"|\bdecimal\(1[89], 6\)"  # of a field of objects
)
NAME = r"(?:\"[$\w]+\"|[A-Za-z_]\w*)"
PATH = re.compile(rf"(?<![\w$.\"]){NAME}(?:\.{NAME})*(?![\w$(\"])")
ALIAS = re.compile(r"\bas (\w+)(?!\()|(\w+) :=")
PARTITION = re.compile(r"\bpartition by\s+(?P<list>[^()]+?)(?=\s*\)|\s+order by)")
NAMES = re.compile(r"'(?P<list>\w+(?:, \w+)+)'")
TABLE = re.compile(
    r"\{\{ (?:ref|source)\(.*?\) \}\} as (\w+)|\) as (\w+)(?=\s+(?:on|group|where|inner|left)\b)"
    r"|\b(?:from|join) (?!select\b)(\w+)\b(?: as (\w+))?(?!\.)"
)
ALIKE = (
    {Meaning.DECIMAL, Meaning.MICROS, Meaning.MINOR_UNITS, Meaning.INTEGER, Meaning.PERCENT},
    {Meaning.INSTANT, Meaning.UTC_TIME, Meaning.LOCAL_TIME, Meaning.RFC_2822, Meaning.DATE},
)
"""Meanings that are easily taken for each other, where the wire type is the same."""
Span = tuple[int, int]


@dataclass(frozen=True)
class Mutant:
    """A macro with one thing wrong. Mutants of one site are alternatives: the first that are valid SQL count."""

    kind: str
    text: str
    change: str
    site: int | None = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.change}"


@dataclass(frozen=True)
class Macro:
    """A macro as it is written, and what its names are.

    Args:
        shapes: The contracts of the objects that it reads.
        families: Lists of names that are siblings beside the contracts' fields, such as canonical columns of one type.
    """

    text: str
    shapes: Sequence[Shape] = ()
    families: Sequence[Sequence[str]] = ()

    @cached_property
    def code(self) -> str:
        """The text with comments, inputs and types as blanks of the same length, so that positions stay."""
        code = self.text
        for pattern in (COMMENT, INPUT, TYPE):
            code = pattern.sub(lambda found: re.sub(r"\S", " ", found[0]), code)
        return code

    @cached_property
    def sql(self) -> str:
        """The code, with ~ in the place of texts that are data."""
        sql = self.code
        for start, end in self.words:
            sql = f"{sql[:start]}{'~' * (end - start)}{sql[end:]}"
        return sql

    @cached_property
    def words(self) -> list[Span]:
        """Texts that are data: quoted in SQL, or in Jinja without being SQL or a meaning."""
        jinja = [found.span() for found in JINJA.finditer(self.code)]
        found = []
        for quoted in QUOTED.finditer(self.code):
            in_jinja = any(start <= quoted.start() < end for start, end in jinja)
            body = quoted[0][1:-1]
            if quoted[0][0] != quoted[0][-1]:
                continue
            if in_jinja and (body in MEANINGS or re.search(r"[(.\",]|\b(is|case)\b", body) or self.siblings(body)):
                continue
            if in_jinja or quoted[0][0] == "'":
                found.append((quoted.start() + 1, quoted.end() - 1))
        return found

    def with_(self, kind: str, span: Span, to: str, site: int | None = None) -> Mutant:
        """The mutant that has something else at a place."""
        text = f"{self.text[: span[0]]}{to}{self.text[span[1] :]}"
        begin = self.text.rfind("\n", 0, span[0]) + 1
        rest = len(self.text) - max(self.text.find("\n", span[1]), span[1])
        before, after = (" ".join(each[begin : len(each) - rest].split()) for each in (self.text, text))
        return Mutant(kind, text, f"{before}  ->  {after}", site)

    def siblings(self, name: str, parent: str | None = None, *, is_last: bool = True) -> list[str]:
        """The names that a step of a path could be taken for, likeliest first; an account is taken for nothing else."""
        bare = name.strip('"')
        if bare in PLACE:
            return []
        found = [
            nearest(bare, [each for each, shape in fields.items() if _are_alike(shape, fields[bare])])
            for fields in self._holders(bare, parent)
            if is_last or not isinstance(fields[bare], Leaf)
        ]
        if is_last:
            found += [nearest(bare, family) for family in self.families]
        others = dict.fromkeys(other for names in found for other in names if other not in PLACE)
        return [_quoted(other) for other in sorted(others, key=lambda other: not _is_confused(bare, other))]

    @cached_property
    def tables(self) -> list[str]:
        """What columns are read from: inputs and CTEs, by the names they go by here."""
        names = (own or query or renamed or name for own, query, name, renamed in TABLE.findall(self.text))
        return list(dict.fromkeys(names))

    def leaf(self, path: str) -> Leaf | None:
        """What a path leads to, where it is a field."""
        *parents, name = (step.strip('"') for step in re.findall(NAME, path))
        shape = next(self._holders(name, parents[-1] if parents else None), {}).get(name)
        return shape if isinstance(shape, Leaf) else None

    def _holders(self, name: str, parent: str | None) -> Iterator[Mapping[str, Shape]]:
        """The objects that have a field of this name: those that the path names, else all, outer ones first."""
        holders = [(by, dict(record)) for shape in self.shapes for by, record in _records(shape)]
        holders = [(by, fields) for by, fields in holders if name in fields]
        named = [(by, fields) for by, fields in holders if by == parent]
        yield from (fields for _, fields in named or holders)


def paths(macro: Macro) -> Iterator[re.Match[str]]:
    """Where columns are read, not named."""
    for found in PATH.finditer(macro.sql):
        is_named = macro.sql[: found.start()].endswith(" as ") or bool(re.match(r" :=|=", macro.sql[found.end() :]))
        if not is_named:
            yield found


def partitions(macro: Macro) -> list[Span]:
    """What things are counted apart by; one column too few or a wrong one are noticed alike."""
    return [found.span("list") for pattern in (PARTITION, NAMES) for found in pattern.finditer(macro.code)]


def arguments(code: str, at: int) -> list[Span]:
    """The spans of what commas part in the bracket that opens at a position."""
    depth, quote, start = 0, "", at + 1
    spans: list[Span] = []
    for place in range(at, len(code)):
        letter = code[place]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}" or (letter == "," and depth == 1):
            depth -= letter != ","
            if depth == 0 or letter == ",":
                inner = code[start:place]
                spans.append((start + len(inner) - len(inner.lstrip()), place - len(inner) + len(inner.rstrip())))
                start = place + 1
            if depth == 0:
                return spans
    raise ValueError(f"The bracket at {at} never closes.")


def _records(shape: Shape, name: str | None = None) -> Iterator[tuple[str | None, Record]]:
    """The objects of a contract, outer ones first, each with the name of the field that holds it."""
    if isinstance(shape, Many):
        yield from _records(shape.of, name)
    if isinstance(shape, Record):
        yield name, shape
        for field_name, inner in shape:
            yield from _records(inner, field_name)


def nearest(name: str, family: Sequence[str]) -> list[str]:
    """The other members of a name's family, the nearest first."""
    places = {each: place for place, each in enumerate(family)}
    if name not in places:
        return []
    return sorted((each for each in places if each != name), key=lambda each: abs(places[each] - places[name]))


def _are_alike(one: Shape, other: Shape) -> bool:
    if isinstance(one, Leaf) and isinstance(other, Leaf) and one.wire == other.wire:
        return one == other or any({one.meaning, other.meaning} <= meanings for meanings in ALIKE)
    return one == other


def _is_confused(one: str, other: str) -> bool:
    return any(one.replace(a, b) == other or one.replace(b, a) == other for a, b in CONFUSED)


def _quoted(name: str) -> str:
    return name if name.isidentifier() and name != "end" else f'"{name}"'
