"""The steps between a sink and the star, from the code that makes them."""

from __future__ import annotations

from pipeline.contracts.engine import engines_like
from tests.docs.macro_headers import macros
from tests.docs.markdown import code, codes, table
from tests.warehouse.engine_fixture import CATALOG
from warehouse.projects.canonical_tables import CANONICAL, PROFILES


def engines() -> str:
    rows = [
        (code(name), code(engine.macro), codes([*engine.objects, *engine.history]), code(engine.fills))
        for name, connector in CATALOG.items()
        for engine in engines_like(connector.reads_as)
    ]
    return table(("connector", "engine", "reads", "fills"), rows)


def canonical_tables() -> str:
    rows = [(code(each.name), each.sentence, codes(c.name for c in each.columns)) for each in (*CANONICAL, PROFILES)]
    return table(("canonical table", "grain", "columns"), rows)


def factories() -> str:
    return _macros("factories", "visits")


def onboarding_macros() -> str:
    return _macros("onboarding")


def shared_macros() -> str:
    return _macros("utils")


def _macros(*folders: str) -> str:
    described = sorted((name, first) for folder in folders for _, name, first in macros(folder))
    return table(("macro", "what it is"), [(code(name), first) for name, first in described])
