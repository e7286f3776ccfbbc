"""Mutants of a macro: its source with one thing wrong, as a tired writer would get it wrong.

A mutant changes the Jinja source, not the SQL it renders to: one wrong word stands wherever the macro is used, and a
survivor is read where it would be mended. What a change means comes from the contracts: a column is swapped for a
sibling of the same wire type and meaning, an amount for the same amount in another unit.
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

MISREAD = {
    "decimal": "percent",
    "micros": "decimal",
    "minor_units": "micros",
    "integer": "percent",
    "percent": "decimal",
    "epoch_seconds": "epoch_millis",
    "epoch_millis": "epoch_seconds",
    "epoch_micros": "epoch_millis",
}
"""A meaning, and one it could be taken for: the number is powers of ten too large or too small."""
AMOUNTS = ("decimal", "micros", "minor_units", "integer")
MOMENTS = ("instant", "utc_time", "rfc_2822", "epoch_seconds", "epoch_millis", "epoch_micros", "local_time")
MEANINGS = frozenset(meaning.value for meaning in Meaning)
OFFSET = " ?(Z|[+-][0-9]{2}:?[0-9]{2})$"
ELSEWHERE = "'Pacific/Honolulu'"

SWITCHES = (
    ("order", r"\border by [\w.\"$]+(?! desc)", "{0} desc"),
    ("order", r"\bnulls last\b", "nulls first"),
    ("order", r"\bmin\(", "max("),
    ("order", r"\bmax\(", "min("),
    ("order", r"\barg_min\(", "arg_max("),
    ("order", r"\barg_max\(", "arg_min("),
    ("order", r"\[1\]", "[-1]"),
    ("order", r"(?<=, )-1\)", "1)"),
    ("boolean", r"\bis not null\b", "is null"),
    ("boolean", r"\bis null\b", "is not null"),
    ("boolean", r"\bis not distinct from\b", "is distinct from"),
    ("boolean", r" = ", " <> "),
    ("boolean", r" <> ", " = "),
    ("boolean", r" < ", " >= "),
    ("boolean", r" > ", " <= "),
    ("boolean", r"\bor\b", "and"),
    ("boolean", r"\band\b", "or"),
    ("boolean", r"(?<!is )\bnot (?!null|in\b|distinct)", ""),
    ("boolean", r"(?<! not)(?= in \()", " not"),
    ("boolean", r"\btrue\b", "false"),
    ("boolean", r"\bfalse\b", "true"),
    ("boolean", r"(?<!not )(?=\b(starts_with|contains|regexp_matches)\()", "not "),
    ("filter", r"\bwhere\b", "where true or"),
    ("filter", r"\bqualify\b", "qualify true or"),
    ("filter", r"\bhaving\b", "having true or"),
    ("filter", r"\bwhen [a-z_.]+(?= and |\s+then)", "when true"),
    ("filter", r"(?<![\w.])[\w.\"$]+ (=|<>|is not distinct from) [\w.\"$]+(\([^()]*\))?", "true"),
    ("filter", r"\bleft join\b", "inner join"),
    ("sign", r" - (?=[a-z{])", " + "),
    ("unit", r" \* ", " / "),
    ("unit", r" / ", " * "),
    ("unit", r"\b\d+\.\d+\b", "{0} * 10"),
)
"""A class of mutants, a pattern of SQL, and what takes its place; {0} is what was found."""
WRAPPERS = ("nullif", "lower", "upper", "trim", "abs", "list_filter", "list_distinct", "regexp_replace")
"""Functions whose first argument could stand alone."""

PLACE = ("source_platform", "source_account")
"""Columns that every row has and no other resembles."""

COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
INPUT = re.compile(r"\{\{ (?:ref|source)\(.*?\) \}\}(?: as \w+)?")
QUOTED = re.compile(r"'\{\{ (?=')|(?<=') \}\}'|'[^'\n]*'|\"[^\"]*\"")  # first: an expression of texts inside a text
TYPE = re.compile(r"\bas (?:decimal\(18, [06]\)|varchar(?:\[\])?|bigint|double|boolean|json|date|timestamp\w*)(?=\))")
CAST = re.compile(r"cast_as\((?P<said>'[^']*'|\"[^\"]*\"), '(?P<meaning>\w+)'\)")
SAID = re.compile(r"\{\{ said\((?P<what>'[^']*'|event_param\('\w+'\))(?P<nothing>, \w+)?\) \}\}")
NAME = r"(?:\"[$\w]+\"|[A-Za-z_]\w*)"
PATH = re.compile(rf"(?<![\w$.\"]){NAME}(?:\.{NAME})*(?![\w$(\"])")
ALIAS = re.compile(r"\bas (\w+)(?!\()|(\w+) :=")
PARTITION = re.compile(r"\bpartition by\s+(?P<list>[^()]+?)(?=\s*\)|\s+order by)")
NAMES = re.compile(r"'(?P<list>\w+(?:, \w+)+)'")
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
            if in_jinja and (body in MEANINGS or re.search(r"[ (.\"]", body) or self.siblings(body)):
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
        """What a step of a path could be taken for, likeliest first; nobody takes an account for anything else."""
        bare = name.strip('"')
        if bare in PLACE:
            return []
        found = [
            _nearest(bare, [each for each, shape in fields.items() if shape == fields[bare]])
            for fields in self._holders(bare, parent)
            if is_last or not isinstance(fields[bare], Leaf)
        ]
        if is_last:
            found += [_nearest(bare, family) for family in self.families]
        others = dict.fromkeys(other for names in found for other in names if other not in PLACE)
        return [_quoted(other) for other in sorted(others, key=lambda other: not _is_confused(bare, other))]

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


def mutants(macro: Macro) -> Iterator[Mutant]:
    """Every mutant of a macro, the alternatives of one site likeliest first."""
    for make in (_switches, _columns, _casts, _numbers, _wrappers, _coalesces, _lists, _words):
        yield from make(macro)


def _switches(macro: Macro) -> Iterator[Mutant]:
    """A word of SQL for its opposite."""
    for kind, pattern, to in SWITCHES:
        for found in re.finditer(pattern, macro.sql):
            yield macro.with_(kind, found.span(), to.format(found[0]))


def _columns(macro: Macro) -> Iterator[Mutant]:
    """A field for its sibling, an object for another of the same shape, an argument for another."""
    for found in _paths(macro):
        if any(begin <= found.start() < end for begin, end in _partitions(macro)):
            continue
        steps = list(re.finditer(NAME, found[0]))
        for place, step in enumerate(steps):
            parent = steps[place - 1][0].strip('"') if place else None
            at = found.start() + step.start()
            for sibling in macro.siblings(step[0], parent, is_last=place == len(steps) - 1):
                yield macro.with_("column", (at, at + len(step[0])), sibling, site=at)
    arguments = re.findall(r"\w+", re.sub(r"=[^,)]*", "", macro.text[: macro.text.find("%}")]))[2:]
    for found in re.finditer(r"(?<=\{\{ )\w+(?= \}\})", macro.code):
        for other in _nearest(found[0], [each for each in arguments if each not in ("tenant", "platform")]):
            yield macro.with_("column", found.span(), other, site=found.start())


def _casts(macro: Macro) -> Iterator[Mutant]:
    """A wire value in another unit, with the other sign, in another zone or on another day."""
    for found in CAST.finditer(macro.code):
        meaning, whole = found["meaning"], (found.start() - len("{{ "), found.end() + len(" }}"))
        text = macro.code[slice(*whole)]
        if macro.code.startswith(" is ", whole[1]):
            continue
        if meaning in MISREAD:
            yield macro.with_("unit", found.span("meaning"), MISREAD[meaning])
        if meaning in AMOUNTS and not macro.code.endswith("abs(", 0, whole[0]):
            yield macro.with_("sign", whole, f"(-{text})")
        if meaning == "date":
            yield macro.with_("zone", whole, f"({text} - 1)")
        if meaning in MOMENTS:
            yield macro.with_("zone", whole, f"timezone({ELSEWHERE}, {text})")
        if meaning in ("instant", "rfc_2822"):
            clock = f"\"regexp_replace(\" ~ {found['said']} ~ \", '{OFFSET}', '')\""
            read = "local_time" if meaning == "instant" else meaning
            yield macro.with_("zone", found.span(), f"cast_as({clock}, '{read}')")
    for found in re.finditer(r"timezone\('UTC', timezone(?=\()", macro.code):
        zone, clock = _arguments(macro.code, found.end())
        yield macro.with_("zone", (found.start(), clock[1] + len("))")), macro.code[slice(*clock)])
        yield macro.with_("zone", zone, ELSEWHERE)


def _numbers(macro: Macro) -> Iterator[Mutant]:
    """A number that needs no cast: its sign, and the unit of money. A number that is written: another."""
    casts = [found.span() for found in CAST.finditer(macro.code)]
    for found in _paths(macro):
        if macro.sql.startswith(" is ", found.end()):
            continue
        leaf = macro.leaf(found[0])
        if leaf and leaf.wire in ("BIGINT", "DOUBLE") and not any(a <= found.start() < z for a, z in casts):
            yield macro.with_("sign", found.span(), f"(-{found[0]})")
            if leaf.wire == "DOUBLE":
                yield macro.with_("unit", found.span(), f"({found[0]} * 100)")
    for found in re.finditer(r"(?<=, )[01](?=\))", macro.sql):
        yield macro.with_("literal", found.span(), str(int(found[0]) + 1))


def _wrappers(macro: Macro) -> Iterator[Mutant]:
    """A function left out; what says nothing taken for text."""
    for name in WRAPPERS:
        for found in re.finditer(rf"\b{name}(?=\()", macro.code):
            spans = _arguments(macro.code, found.end())
            whole = (found.start(), macro.code.index(")", spans[-1][1]) + 1)
            yield macro.with_("dropped", whole, macro.code[slice(*spans[0])])
    for found in SAID.finditer(macro.code):
        what = found["what"]
        yield macro.with_("dropped", found.span(), what[1:-1] if what[0] in "'\"" else f"{{{{ {what} }}}}")
        if found["nothing"]:
            yield macro.with_("dropped", found.span("nothing"), "")


def _coalesces(macro: Macro) -> Iterator[Mutant]:
    """One of a value's sources left out, or tried before the one that goes before it."""
    for found in re.finditer(r"\bcoalesce(?=\()", macro.code):
        spans = _arguments(macro.code, found.end())
        whole = (found.start(), macro.code.index(")", spans[-1][1]) + 1)
        values = [macro.code[slice(*span)] for span in spans]
        for place in range(len(values)):
            rest = [*values[:place], *values[place + 1 :]]
            yield macro.with_("dropped", whole, f"coalesce({', '.join(rest)})" if len(rest) > 1 else rest[0])
        for place in range(1, len(values) if not macro.code.startswith(" is ", whole[1]) else 0):
            turned = [*values[: place - 1], values[place], values[place - 1], *values[place + 1 :]]
            yield macro.with_("order", whole, f"coalesce({', '.join(turned)})")


def _lists(macro: Macro) -> Iterator[Mutant]:
    """An item of a list left out: a value, or what things are counted apart by."""
    brackets = re.finditer(r"(?<![\w\])])(?=[\[(]['{\[])|(?<=\bconcat_ws)(?=\()", macro.code)
    lists = [_arguments(macro.code, found.start()) for found in brackets]
    for begin, end in _partitions(macro):
        commas = [found.span() for found in re.finditer(r",\s*", macro.code[begin:end])]
        starts = [begin, *(begin + after for _, after in commas)]
        ends = [*(begin + before for before, _ in commas), end]
        lists.append(list(zip(starts, ends, strict=True)))
    for items in lists:
        for place in range(len(items) if len(items) > 1 else 0):
            if macro.code[slice(*items[place])] == "' '":
                continue
            is_last = place == len(items) - 1
            span = (items[place - 1][1], items[place][1]) if is_last else (items[place][0], items[place + 1][0])
            yield macro.with_("dropped", span, "")


def _words(macro: Macro) -> Iterator[Mutant]:
    """Another word."""
    for start, end in macro.words:
        word = macro.code[start:end]
        if word not in ("", " ", "UTC"):
            yield macro.with_("literal", (start, end), "other" if word == "{{ platform }}" else f"other {word}")


def _paths(macro: Macro) -> Iterator[re.Match[str]]:
    """Where columns are read, not named."""
    for found in PATH.finditer(macro.sql):
        is_named = macro.sql[: found.start()].endswith(" as ") or macro.sql.startswith(" :=", found.end())
        if not is_named:
            yield found


def _partitions(macro: Macro) -> list[Span]:
    """What things are counted apart by; one column too few or a wrong one are noticed alike."""
    return [found.span("list") for pattern in (PARTITION, NAMES) for found in pattern.finditer(macro.code)]


def _arguments(code: str, at: int) -> list[Span]:
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


def _nearest(name: str, family: Sequence[str]) -> list[str]:
    """The other members of a name's family, the nearest first."""
    places = {each: place for place, each in enumerate(family)}
    if name not in places:
        return []
    return sorted((each for each in places if each != name), key=lambda each: abs(places[each] - places[name]))


def _is_confused(one: str, other: str) -> bool:
    return any(one.replace(a, b) == other or one.replace(b, a) == other for a, b in CONFUSED)


def _quoted(name: str) -> str:
    return name if name.isidentifier() and name != "end" else f'"{name}"'
