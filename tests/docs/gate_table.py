"""The checks of a star and its inputs, from the generated projects and the headers of their macros."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pipeline.config.tenant import Tenant
from tests.docs.macro_headers import macros
from tests.docs.markdown import code, codes, table
from tests.docs.star_columns import PATTERN, SLUG
from tests.warehouse.engine_fixture import a_source
from warehouse.projects.rates_table import with_rates
from warehouse.projects.star_tests import canonical_schema_yaml, star_schema_yaml
from warehouse.star_schema import star_schema

BUILT_IN = {
    "unique": "Every value occurs once.",
    "relationships": "Every key of a fact has its row in the dimension table.",
    "accepted_values": "Every value is one of a list.",
}
LEVELS = {"error": "failure", "warn": "finding"}


def checks() -> str:
    meanings = BUILT_IN | _meanings()
    found = _found()
    rows = [
        (code(name), codes(sorted(found[name][1])), LEVELS[found[name][0]], meanings[name])
        for name in sorted(found, key=lambda name: (found[name][0], name))
    ]
    return table(("check", "tables", "level", "meaning"), rows)


def _found() -> dict[str, tuple[str, set[str]]]:
    """By check: its severity and the tables it looks at."""
    found: dict[str, tuple[str, set[str]]] = {}
    tenant = _tenant()
    tables = [with_rates(each, tenant.currency) for each in star_schema(has_payments=True)]
    for text in (star_schema_yaml(tenant, tables), canonical_schema_yaml(tenant)):
        for model in yaml.safe_load(text)["models"]:
            tests = [
                *model.get("data_tests", ()),
                *(t for c in model.get("columns", ()) for t in c.get("data_tests", ())),
            ]
            for each in tests:
                name, body = (each, {}) if isinstance(each, str) else next(iter(each.items()))
                severity = body.get("config", {}).get("severity", "error")
                found.setdefault(name, (severity, set()))[1].add(_short(model))
    return found


def _short(model: dict[str, Any]) -> str:  # Any: YAML
    kind, _, name = str(model["name"]).partition(f"_{SLUG}__")
    return name if kind == "int" else f"{kind} {name}"


def _tenant() -> Tenant:
    platforms = ("facebook_ads", "instagram_ads", "shopify", "google_analytics", "stripe")
    logic = {"facebook_ads": {"facebook_insights": PATTERN}}
    sources = tuple(a_source(platform, logic=logic.get(platform, {})) for platform in platforms)
    return Tenant(slug=SLUG, business_name="T", sources=sources, rates=Path("rates.csv"))


def _meanings() -> dict[str, str]:
    """The first sentences of the headers of test macros."""
    return {name: first for _, name, first in macros("tests", "test")}
