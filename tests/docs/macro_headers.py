"""Headers of hand-written macros."""

from __future__ import annotations

import re

from tests.warehouse.engine_fixture import MACROS

_HEADED = r"\{#-? (?P<header>(?:(?!#\}).)*?)-?#\}\s*\{%-? %(kind)s (?P<name>\w+)\("


def macros(folder: str, kind: str = "macro") -> list[tuple[str, str, str]]:
    """File, name and first sentences of each macro of a folder of warehouse/macros."""
    pattern = re.compile(_HEADED.replace("%(kind)s", kind), re.DOTALL)
    return [
        (path.name, found["name"], _first(found["header"]))
        for path in sorted((MACROS / folder).glob("*.sql"))
        for found in pattern.finditer(path.read_text(encoding="utf-8"))
    ]


def _first(header: str) -> str:
    """The sentences before `Takes`, as one line."""
    return " ".join(re.split(r"\n\s+(?:Takes|Gives|Note)  ", header)[0].split())
