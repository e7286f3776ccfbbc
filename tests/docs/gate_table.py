"""The gates, from their registry; those that are tests of the star, from the generated projects and their macros."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from pipeline.config.tenant import Tenant
from pipeline.gate_rules.gate import Gate
from pipeline.gate_rules.gate_registry import GATES
from tests.docs.macro_headers import macros
from tests.docs.markdown import code, codes, table
from tests.docs.star_columns import PATTERN, SLUG
from tests.warehouse.engine_fixture import a_source
from warehouse.own_models.schema_file import TESTS
from warehouse.projects.rates_table import with_rates
from warehouse.projects.star_tests import canonical_schema, star_schema_yaml
from warehouse.star_schema import star_schema

BUILT_IN = {
    "unique": "Every value occurs once.",
    "not_null": "Every row has a value.",
    "relationships": "Every key of a fact has its row in the dimension table.",
    "accepted_values": "Every value is one of a list.",
}


def gates() -> str:
    """Every gate that is no test of the star."""
    rows = [
        (
            code(gate.id),
            gate.layer.value,
            gate.checks,
            f"{gate.check.value} {gate.threshold:f}{_of_tables(gate)}",
            "always holds" if gate.is_fixed else code(gate.severity.value),
            gate.next_step,
        )
        for gate in GATES.values()
        if gate.threshold is not None
    ]
    return table(("gate", "layer", "what it measures", "passes", "severity", "next step"), rows)


def _of_tables(gate: Gate) -> str:
    """The thresholds that tables have of their own."""
    by_rate: dict[Decimal, list[str]] = {}
    for name, threshold in gate.tables.items():
        by_rate.setdefault(threshold, []).append(name)
    own = "; ".join(f"{threshold:f} for {codes(names)}" for threshold, names in sorted(by_rate.items()))
    near = f"; warns from {gate.warns_from:f} of it" if gate.warns_from < 1 else ""
    return f"{f' ({own})' if own else ''}{near}"


def checks() -> str:
    """Every test of the star: its id in the registry is its name."""
    meanings = BUILT_IN | _meanings()
    found = found_tests()
    rows = [
        (code(name), codes(sorted(found[name])), code(GATES[name].severity.value), meanings[name])
        for name in sorted(found, key=lambda name: (GATES[name].severity, name))
    ]
    return table(("gate", "tables", "severity", "meaning"), rows)


def found_tests() -> dict[str, set[str]]:
    """By test: the tables it looks at."""
    found: dict[str, set[str]] = {}
    tenant = _tenant()
    tables = [with_rates(each, tenant.currency) for each in star_schema(has_payments=True)]
    models: list[Any] = [*yaml.safe_load(star_schema_yaml(tenant, tables))["models"], *canonical_schema(tenant)]
    for model in models:
        tests = [
            *model.get("data_tests", ()),
            *(t for c in model.get("columns", ()) for t in c.get("data_tests", ())),
        ]
        for each in tests:
            found.setdefault(each if isinstance(each, str) else next(iter(each)), set()).add(_short(model))
    for name in TESTS:
        found.setdefault(name, set()).add("own models")
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
