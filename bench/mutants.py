"""Mutants of a macro: its source with one thing wrong, as a tired writer would get it wrong.

A mutant changes the Jinja source, not the SQL it renders to: one wrong word stands wherever the macro is used, and a
survivor is read where it would be mended. What a change means comes from the contracts: a column is swapped for a
sibling of the same wire type and a meaning like its own, an amount for the same amount in another unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bench.macro_source import NAME, Macro, Mutant, arguments, nearest, partitions, paths

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
OFFSET = " ?(Z|[+-][0-9]{2}:?[0-9]{2})$"
ELSEWHERE = "'Pacific/Honolulu'"

SWITCHES = (
    ("order", r"\bnulls last\b", "nulls first"),
    ("order", r"\bmin\(", "max("),
    ("order", r"\bmax\(", "min("),
    ("order", r"\barg_min\(", "arg_max("),
    ("order", r"\barg_max\(", "arg_min("),
    ("order", r"\[1\]", "[-1]"),
    ("order", r"(?<=, )-1\)", "1)"),
    ("distinct", r"\bselect distinct\b", "select"),
    ("distinct", r"\bcount\(distinct ", "count("),
    ("distinct", r"\bunion all\b", "union"),
    ("distinct", r"\bunion\b(?! all)", "union all"),
    ("boolean", r"\bis not null\b", "is null"),
    ("boolean", r"\bis null\b", "is not null"),
    ("boolean", r"\bis not distinct from\b", "is distinct from"),
    ("boolean", r"\bis not distinct from\b", "="),
    ("boolean", r" = ", " <> "),
    ("boolean", r" <> ", " = "),
    ("boolean", r" < ", " >= "),
    ("boolean", r" > ", " <= "),
    ("boundary", r" < ", " <= "),
    ("boundary", r" > ", " >= "),
    ("boundary", r" <= ", " < "),
    ("boundary", r" >= ", " > "),
    ("boolean", r"\bor\b", "and"),
    ("boolean", r"\band\b", "or"),
    ("boolean", r"(?<!is )\bnot (?!null|in\b|distinct)", ""),
    ("boolean", r"(?<! not)(?= in \()", " not"),
    ("boolean", r"\btrue\b", "false"),
    ("boolean", r"\bfalse\b", "true"),
    ("boolean", r"(?<!not )(?=\b(starts_with|contains|regexp_matches|bool_or)\()", "not "),
    ("filter", r"\bwhere\b", "where true or"),
    ("filter", r"\bqualify\b", "qualify true or"),
    ("filter", r"\bhaving\b", "having true or"),
    ("filter", r"\bwhen [a-z_.]+(?= and )", "when true"),
    ("filter", r"(?<![\w.])[\w.\"$]+ (=|<>|is not distinct from) [\w.\"$]+(\([^()]*\))?", "true"),
    ("filter", r"\bleft join\b", "inner join"),
    ("filter", r"\binner join\b", "left join"),
    ("filter", r"\banti join\b", "semi join"),
    ("sign", r" - (?=[a-z{])", " + "),
    ("sign", r" \+ ", " - "),
    ("unit", r" \* ", " / "),
    ("unit", r" / ", " * "),
    ("unit", r"\b\d+\.\d+\b", "{0} * 10"),
    ("sum", r"(?<!\w)sum\(", "max("),
    ("sum", r"\blist_sum\(", "list_max("),
)
"""A class of mutants, a pattern of SQL, and what takes its place; {0} is what was found."""
WRAPPERS = ("nullif", "lower", "upper", "trim", "abs", "list_filter", "list_distinct", "regexp_replace")
"""Functions whose first argument could stand alone."""

CAST = re.compile(r"cast_as\((?P<expression>'[^']*'|\"[^\"]*\"), '(?P<meaning>\w+)'\)")
NULLIF_EMPTY = re.compile(r"\{\{ nullif_empty\((?P<what>'[^']*'|event_param\('\w+'\))(?P<nothing>, \w+)?\) \}\}")


ASKED = re.compile(
    r"zero_if_omitted\(\s*'[^']*',\s*\[(?P<siblings>[^\]]*)\]|\bcoalesce\((?P<values>[^()]*)\) is "
    r"|value_of_conversions\('[^']*', '(?P<conversions>[^']*)'"
)
"""What is only asked whether it is there, or 0: of such a number, neither sign nor unit is read."""


def mutants(macro: Macro) -> Iterator[Mutant]:
    """Every mutant of a macro, the alternatives of one site likeliest first."""
    for make in (_switches, _branches, _orders, _columns, _casts, _numbers, _wrappers, _coalesces, _lists, _words):
        yield from make(macro)


def _switches(macro: Macro) -> Iterator[Mutant]:
    """A word of SQL for its opposite."""
    for kind, pattern, to in SWITCHES:
        for found in re.finditer(pattern, macro.sql):
            yield macro.with_(kind, found.span(), to.format(found[0]))


def _branches(macro: Macro) -> Iterator[Mutant]:
    """A condition of a case that always holds, or never; the values of `case x when 1` are literals like others."""
    open_cases: list[bool] = []
    for word in re.finditer(
        r"\b(?P<case>case)\b(?P<is_searched>\s+when\b)?|\b(?P<when>when)\b|(?<!\")\bend\b", macro.sql
    ):
        if word["case"]:
            open_cases.append(bool(word["is_searched"]))
        elif not word["when"]:
            open_cases = open_cases[:-1]
        if word["is_searched"] or (word["when"] and open_cases and open_cases[-1]):
            condition = re.compile(r"\s*(?P<it>.+?)(?=\s+then\b)", re.DOTALL).match(macro.sql, word.end())
            if condition:
                yield from (macro.with_("filter", condition.span("it"), always) for always in ("true", "false"))


def _orders(macro: Macro) -> Iterator[Mutant]:
    """What things are ordered by: turned round, or left out where more than that decides."""
    for found in re.finditer(r"\border by (?=\S)", macro.sql):
        begin = found.end() - 1
        items = [(begin + a - 1, begin + z - 1) for a, z in arguments(f"({macro.code[begin:]}", 0)]
        for place, item in enumerate(items):
            by = macro.code[slice(*item)]
            bare = re.sub(r" desc\b", "", by)
            turned = bare if bare != by else re.sub(r"( nulls \w+)?$", r" desc\1", by, count=1)
            yield macro.with_("order", item, turned)
            if len(items) > 1:
                is_last = place == len(items) - 1
                yield macro.with_(
                    "order", (items[place - 1][1], item[1]) if is_last else (item[0], items[place + 1][0]), ""
                )


def _columns(macro: Macro) -> Iterator[Mutant]:
    """A field for its sibling, an object or a table for another, an argument for another or for nothing."""
    for found in paths(macro):
        if any(begin <= found.start() < end for begin, end in partitions(macro)):
            continue
        steps = list(re.finditer(NAME, found[0]))
        for table in nearest(steps[0][0], macro.tables) if len(steps) > 1 else ():
            yield macro.with_("table", (found.start(), found.start() + len(steps[0][0])), table)
        for place, step in enumerate(steps):
            parent = steps[place - 1][0].strip('"') if place else None
            at = found.start() + step.start()
            for sibling in macro.siblings(step[0], parent, is_last=place == len(steps) - 1):
                yield macro.with_("column", (at, at + len(step[0])), sibling, site=at)
    takes = re.findall(r"\w+", re.sub(r"=[^,)]*", "", macro.text[: macro.text.find("%}")]))[2:]
    for found in re.finditer(r"(?<=\{\{ )\w+(?= \}\})", macro.code):
        own = [each for each in takes if each not in ("tenant", "platform")]
        for other in nearest(found[0], own):
            yield macro.with_("column", found.span(), other, site=found.start())
        if found[0] in own and found.span() not in macro.words and not macro.code.startswith(" }}'", found.end()):
            yield macro.with_("dropped", (found.start() - len("{{ "), found.end() + len(" }}")), "null")


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
            bare = f"\"regexp_replace(\" ~ {found['expression']} ~ \", '{OFFSET}', '')\""
            read = "local_time" if meaning == "instant" else meaning
            yield macro.with_("zone", found.span(), f"cast_as({bare}, '{read}')")
    for found in re.finditer(r"timezone\('UTC', timezone(?=\()", macro.code):
        zone, clock = arguments(macro.code, found.end())
        yield macro.with_("zone", (found.start(), clock[1] + len("))")), macro.code[slice(*clock)])
        yield macro.with_("zone", zone, ELSEWHERE)


def _numbers(macro: Macro) -> Iterator[Mutant]:
    """A number that needs no cast: its sign, and the unit of money. A number that is written: another."""
    casts = [found.span() for found in CAST.finditer(macro.code)]
    asked = [found.span(found.lastindex or 0) for found in ASKED.finditer(macro.code)]
    for found in paths(macro):
        if any(start <= found.start() < end for start, end in asked):
            continue
        if macro.sql.startswith(" is ", found.end()):
            continue
        leaf = macro.leaf(found[0])
        if leaf and leaf.wire in ("BIGINT", "DOUBLE") and not any(a <= found.start() < z for a, z in casts):
            yield macro.with_("sign", found.span(), f"(-{found[0]})")
            if leaf.wire == "DOUBLE":
                yield macro.with_("unit", found.span(), f"({found[0]} * 100)")
    for found in re.finditer(r"(?<![\w.$\[(-])\d+(?![\w.])|(?<=\()\d+(?=,)", macro.sql):
        yield macro.with_("literal", found.span(), str(int(found[0]) + 1))


def _wrappers(macro: Macro) -> Iterator[Mutant]:
    """A function left out; what says nothing taken for text."""
    for name in WRAPPERS:
        for found in re.finditer(rf"\b{name}(?=\()", macro.code):
            spans = arguments(macro.code, found.end())
            whole = (found.start(), macro.code.index(")", spans[-1][1]) + 1)
            yield macro.with_("dropped", whole, macro.code[slice(*spans[0])])
    for found in NULLIF_EMPTY.finditer(macro.code):
        what = found["what"]
        yield macro.with_("dropped", found.span(), what[1:-1] if what[0] in "'\"" else f"{{{{ {what} }}}}")
        if found["nothing"]:
            yield macro.with_("dropped", found.span("nothing"), "")


def _coalesces(macro: Macro) -> Iterator[Mutant]:
    """One of a value's sources left out, or tried before the one that goes before it."""
    for found in re.finditer(r"\bcoalesce(?=\()", macro.code):
        spans = arguments(macro.code, found.end())
        whole = (found.start(), macro.code.index(")", spans[-1][1]) + 1)
        values = [macro.code[slice(*span)] for span in spans]
        for place in range(len(values) if len(values) > 1 else 0):
            rest = [*values[:place], *values[place + 1 :]]
            yield macro.with_("dropped", whole, f"coalesce({', '.join(rest)})" if len(rest) > 1 else rest[0])
        for place in range(1, len(values) if not macro.code.startswith(" is ", whole[1]) else 0):
            turned = [*values[: place - 1], values[place], values[place - 1], *values[place + 1 :]]
            yield macro.with_("order", whole, f"coalesce({', '.join(turned)})")


def _lists(macro: Macro) -> Iterator[Mutant]:
    """An item of a list left out: a value, or what things are counted apart by."""
    brackets = re.finditer(r"(?<![\w\])])(?=[\[(]['{\[])|(?<=\bconcat_ws)(?=\()", macro.code)
    opens = [found.start() for found in brackets]
    lists = [arguments(macro.code, at) for at in opens if not any(start <= at < end for start, end in macro.words)]
    for begin, end in partitions(macro):
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
