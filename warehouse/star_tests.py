"""What dbt checks of a star, as schema files: enforced contracts, grain, relationships, accepted values, findings.

A required column is NOT NULL by contract, so it holds while the table is written. A test of warehouse/macros/tests
selects one row per thing to say, as a sentence in the column `finding`; most only warn.
"""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from pipeline.tenants import Tenant
from warehouse.canonical import CANONICAL, NUMBERED, Canonical
from warehouse.engines import engines_of
from warehouse.hub_projects import GENERATED
from warehouse.star_models import plain
from warehouse.stars import Column, Table

Tree = dict[str, object]

FINANCIAL_STATUSES = (
    "paid",
    "pending",
    "authorized",
    "partially_refunded",
    "refunded",
    "voided",
    "failed",
    "cancelled",
)
ATTRIBUTIONS = ("matched", "ambiguous", "none")
INFERRED_SHARE = 0.5
"""A dimension with more inferred rows than this is missing its export."""


def to_yaml(tree: Tree) -> str:
    """A generated YAML file: keys in the order given, SQL as it is written."""
    return f"# {GENERATED}\n" + yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Dumper(yaml.SafeDumper):
    """No anchors, and text of several lines as a block."""

    def ignore_aliases(self, _data: object) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _Dumper.represent_text)


def star_schema(tenant: Tenant, tables: Sequence[Table]) -> str:
    """The contracts and tests of the published tables."""
    return to_yaml({"models": [_star(tenant, table) for table in tables]})


def canonical_schema(tenant: Tenant) -> str:
    """The contracts of the tables that engines fill, and what there is to say about their rows."""
    purchases: Tree = {
        "name": f"int_{tenant.slug}__purchases",
        "description": "One row per purchase event in a session.",
        "data_tests": [_test("purchases_in_the_sessions_currency", severity="warn")],
    }
    return to_yaml({"models": [*(_canonical(tenant, canonical) for canonical in CANONICAL), purchases]})


def exposures(tenant: Tenant, tables: Sequence[Table]) -> str:
    """Who reads the star."""
    return to_yaml(
        {
            "exposures": [
                {
                    "name": f"{tenant.slug}__semantic_layer",
                    "type": "application",
                    "description": "Published runs, read by gata's semantic layer over MCP, REST and the command line.",
                    "owner": {"name": "gata"},
                    "depends_on": [f"ref('{table.table_name(tenant.slug)}')" for table in tables],
                }
            ]
        }
    )


def _star(tenant: Tenant, table: Table) -> Tree:
    name = table.table_name(tenant.slug)
    return _model(
        name,
        table.sentence,
        [_column(column, _column_tests(tenant, table, column)) for column in table.columns],
        _star_findings(table),
    )


def _canonical(tenant: Tenant, canonical: Canonical) -> Tree:
    columns = (*canonical.columns, *(NUMBERED if canonical.name == "events" else ()))
    return _model(
        canonical.table_name(tenant.slug),
        canonical.sentence,
        [_column(column, []) for column in columns],
        _canonical_findings(tenant, canonical),
    )


def _model(name: str, sentence: str, columns: list[Tree], tests: list[Tree]) -> Tree:
    model: Tree = {
        "name": name,
        "description": sentence,
        "config": {"materialized": "table", "contract": {"enforced": True}},
        "columns": columns,
    }
    return model | ({"data_tests": tests} if tests else {})


def _column(column: Column, tests: list[object]) -> Tree:
    described: Tree = {"name": column.name, "data_type": column.type, "description": column.description}
    if column.required:
        described["constraints"] = [{"type": "not_null"}]
    if tests:
        described["data_tests"] = tests
    return described


def _column_tests(tenant: Tenant, table: Table, column: Column) -> list[object]:
    tests: list[object] = ["unique"] if table.grain == (column.name,) else []
    for reference in table.references:
        if reference.column == column.name:
            kind = "dim" if reference.to in ("campaigns", "users", "products") else "fct"
            to = f"ref('{kind}_{tenant.slug}__{reference.to}')"
            tests.append(_test("relationships", to=to, field=reference.to_column))
    accepted = {"financial_status": FINANCIAL_STATUSES, "attribution": ATTRIBUTIONS}.get(column.name)
    return [*tests, _test("accepted_values", values=list(accepted))] if accepted else tests


def _test(name: str, *, severity: str = "error", **arguments: object) -> Tree:
    body: Tree = {"arguments": arguments} if arguments else {}
    return {name: body | ({"config": {"severity": severity}} if severity != "error" else {})}


def _star_findings(table: Table) -> list[Tree]:
    if any(column.name == "is_inferred" for column in table.columns):
        return [_test("few_inferred_rows", severity="warn", at_most=INFERRED_SHARE)]
    if table.name == "orders":
        return [_test("every_order_has_a_time", severity="warn"), _test("every_status_is_known", severity="warn")]
    return []


def _canonical_findings(tenant: Tenant, canonical: Canonical) -> list[Tree]:
    sources = engines_of(tenant, canonical.name)
    if not sources:
        return []
    if canonical.name == "ad_performance":
        said = {tenant.conversion_pattern(source.platform) for _, source in sources}
        patterns = sorted(plain(pattern) for pattern in said if pattern)
        about_patterns = [
            _test("one_action_type", patterns=patterns),
            _test("a_known_action_type", severity="warn", patterns=patterns),
        ]
        return [
            *(about_patterns if patterns else []),
            _test("rows_of_one_day", severity="warn"),
            _test("one_breakdown", severity="warn"),
        ]
    if canonical.name == "orders":
        return [_test("refunds_in_the_orders_currency", severity="warn")]
    if canonical.name == "events":
        return [_test("every_event_has_a_user", severity="warn")]
    return []
