"""Macros in dbt's documentation: the header above each macro is its only description, and is lifted from there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from warehouse.projects.properties.property_file import Tree

_MACRO = re.compile(
    r"(?:\{#-(?P<header>(?:(?!#\}).)*?)-?#\}\s*)?\{%-?\s*(?P<kind>macro|test)\s+(?P<name>\w+)\((?P<parameters>.*?)\)\s*-?%\}",
    re.DOTALL,
)
_SECTIONS = re.compile(r"\n\s*(Takes|Gives|Note) +")
_ARGUMENT = re.compile(r"(?:^|(?<=[.;] ))((?:\w+, )*\w+): ")


@dataclass(frozen=True)
class MacroHeader:
    """A macro of a file, and what its header says: a sentence, what it takes by parameter, what it gives."""

    name: str
    """As dbt knows it: a generic test is the macro test_<name>."""
    sentence: str
    parameters: tuple[str, ...]
    takes: str = ""
    gives: str = ""
    note: str = ""

    @property
    def description(self) -> str:
        """The header as a text of Markdown."""
        parts = [self.sentence]
        parts += [
            f"**{title}** {text}"
            for title, text in (("Takes", self.takes), ("Gives", self.gives), ("Note", self.note))
            if text
        ]
        return "\n\n".join(parts)


def macro_headers(text: str) -> Iterator[MacroHeader]:
    """The macros and generic tests of a file, each with its header; the sentence is empty where it has none."""
    for found in _MACRO.finditer(text):
        sentence, *rest = _SECTIONS.split(found["header"] or "")
        sections = dict(zip(rest[::2], rest[1::2], strict=True))
        said = {title.lower(): _one_line(section) for title, section in sections.items()}
        prefix = "test_" if found["kind"] == "test" else ""
        parameters = tuple(part.split("=")[0].strip() for part in _split(found["parameters"]) if part.strip())
        yield MacroHeader(prefix + found["name"], _one_line(sentence), parameters, **said)


def macro_properties(headers: Iterable[MacroHeader]) -> Tree:
    """A property file of macros, by name."""
    return {
        "macros": [
            {
                "name": header.name,
                "description": header.description,
                "arguments": [
                    {"name": name, "description": _argument(header.takes, name)} for name in header.parameters
                ],
            }
            for header in sorted(headers, key=lambda header: header.name)
        ]
    }


def _argument(takes: str, name: str) -> str:
    """What a header says that a parameter is; empty where it does not name it."""
    found = list(_ARGUMENT.finditer(takes))
    ends = [each.start() for each in found[1:]] + [len(takes)]
    said = (takes[each.end() : end] for each, end in zip(found, ends, strict=False) if name in each[1].split(", "))
    return next(said, "").strip().rstrip(";")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _split(parameters: str) -> list[str]:
    """The parameters of a macro; a default may hold commas."""
    return re.findall(r"(?:[^,'\"]|'[^']*'|\"[^\"]*\")+", parameters)
