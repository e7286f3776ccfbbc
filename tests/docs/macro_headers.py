"""Headers of hand-written macros."""

from __future__ import annotations

from tests.warehouse.engine_fixture import MACROS
from warehouse.projects.properties.macro_headers import macro_headers


def macros(folder: str, kind: str = "macro") -> list[tuple[str, str, str]]:
    """File, name and first sentences of each macro or test of a folder of warehouse/macros."""
    return [
        (path.name, header.name.removeprefix("test_"), header.sentence)
        for path in sorted((MACROS / folder).glob("*.sql"))
        for header in macro_headers(path.read_text(encoding="utf-8"))
        if header.name.startswith("test_") == (kind == "test")
    ]
