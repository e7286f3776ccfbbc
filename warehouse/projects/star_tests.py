"""Schema files of a star, with what dbt checks: enforced contracts, grain, relationships, accepted values, findings.

A required column is NOT NULL by contract, so it holds while the table is written. A test of warehouse/macros/tests
selects one row per finding, with its sentence in the column `finding`; warehouse/build/star_findings.py lists the other
columns. Most only warn.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config.source import Source
from pipeline.config.tenant import Tenant
from pipeline.contracts.engine import Engine
from pipeline.contracts.sql import literal
from pipeline.gate_rules.gate import Severity
from pipeline.gate_rules.gate_registry import GATES
from warehouse.projects.canonical_tables import CANONICAL, NUMBERED, Canonical
from warehouse.projects.engines import engines_of, has_payments
from warehouse.projects.properties.hub_columns import described
from warehouse.projects.properties.property_file import Tree, generated_yaml
from warehouse.projects.properties.star_columns import LINKS
from warehouse.projects.star_models import without_quotes
from warehouse.star_schema import Column, Table, table_named

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
ABOUT_CHARGES = [
    "charges_in_the_orders_currency",
    "charges_of_one_order",
    "charges_of_real_money",
    "every_charge_has_an_order",
]
ABOUT_VISITS = ("visits_of_a_day_at_most", "purchases_in_the_sessions_currency")
ABOUT_ORDERS = (
    "every_order_has_a_time",
    "every_status_is_known",
    "refunds_within_the_total",
    "totals_are_explained",
    "customers_have_one_currency",
)
ABOUT_RECORDS_OF_ORDERS = (
    "refunds_in_the_orders_currency",
    "parts_of_orders_are_proven",
    "edits_are_proven",
    "taxes_of_lines_are_known",
)
CURRENCIES = "platform_ref__currencies"
"""The reference table of the hub that lists every currency."""
RATES_STAY_DAYS = 31
"""Age in days up to which a rate is applied without a finding: files may have one rate a month."""
INFERRED_SHARE = 0.5
"""A dimension with more inferred rows than this is missing its export."""


def star_schema_yaml(tenant: Tenant, tables: Sequence[Table]) -> str:
    """The contracts and tests of the published tables."""
    return generated_yaml({"models": [_star(tenant, table) for table in tables]})


def canonical_schema(tenant: Tenant, *, in_full: bool = False) -> list[Tree]:
    """The contracts of the tables that engines fill, and the findings about their rows.

    Args:
        in_full: With the tests and descriptions that a build does without.
    """
    tables = [_canonical(tenant, canonical, in_full=in_full) for canonical in CANONICAL]
    return [*tables, *_links(tenant, in_full=in_full)]


def exposures(tenant: Tenant, tables: Sequence[Table]) -> str:
    """The exposures of a star: the applications that read it."""
    return generated_yaml(
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
        [*_star_findings(table), *_measure_findings(table), *_rate_findings(tenant, table)],
    )


def _canonical(tenant: Tenant, canonical: Canonical, *, in_full: bool) -> Tree:
    columns = (*canonical.columns, *(NUMBERED if canonical.name == "events" else ()))
    findings = _canonical_findings(tenant, canonical)
    if in_full and canonical.grain and not any("unique_together" in finding for finding in findings):
        findings = [_unique(canonical), *findings]
    return _model(
        canonical.table_name(tenant.slug),
        canonical.sentence,
        [_column(column, ["not_null"] if in_full and column.required else []) for column in columns],
        findings,
    )


def _unique(canonical: Canonical) -> Tree:
    return _test("unique_together", columns=list(canonical.grain))


def _links(tenant: Tenant, *, in_full: bool) -> list[Tree]:
    """The tables that link canonical ones and facts, and the findings about rows that they could not link."""
    links = [
        (
            "purchases",
            "One row per purchase event in a session.",
            ["every_purchase_has_an_id"],
        ),
        ("order_links", "One row per purchase event and order whose id it may carry.", ["purchases_of_one_order"]),
    ]
    if has_payments(tenant):
        sentence = "One row per charge and order whose shop kept its id, or the charge alone."
        links.append(("order_charges", sentence, ABOUT_CHARGES))
    return [
        {
            "name": f"int_{tenant.slug}__{name}",
            "description": sentence,
            "data_tests": [_test(finding) for finding in findings],
            **({"columns": described(LINKS[name])} if in_full else {}),
        }
        for name, sentence, findings in links
    ]


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
            to = f"ref('{table_named(reference.to).table_name(tenant.slug)}')"
            tests.append(_test("relationships", to=to, field=reference.to_column))
    accepted = {"financial_status": FINANCIAL_STATUSES, "attribution": ATTRIBUTIONS}.get(column.name)
    return [*tests, _test("accepted_values", values=list(accepted))] if accepted else tests


def _test(name: str, **arguments: object) -> Tree:
    """A test with the severity of its gate; settings of the gate change what its findings do, not the project."""
    body: Tree = {"arguments": arguments} if arguments else {}
    is_warning = GATES[name].severity is Severity.WARNING
    return {name: body | ({"config": {"severity": "warn"}} if is_warning else {})}


def _star_findings(table: Table) -> list[Tree]:
    if any(column.name == "is_inferred" for column in table.columns):
        return [_test("few_inferred_rows", at_most=INFERRED_SHARE)]
    if table.name == "orders":
        return [_test(finding) for finding in ABOUT_ORDERS]
    if table.name == "refunds":
        return [_test("every_refund_has_a_day")]
    if table.name == "sessions":
        return [_test(each) for each in ABOUT_VISITS]
    return []


def _measure_findings(table: Table) -> list[Tree]:
    """The findings about numbers that a vendor did not say."""
    columns = [column.name for column in table.columns if column.unknown]
    if not columns:
        return []
    return [_test("every_measure_is_said", fact=table.name, day=table.date, columns=columns)]


def _rate_findings(tenant: Tenant, table: Table) -> list[Tree]:
    """The findings about conversions: money without a rate would be missing, so that one is no warning."""
    if tenant.rates is None or not table.converted:
        return []
    fact, day, file = table.name, table.rate_date or table.date, without_quotes(literal(tenant.rates.name))
    return [
        _test("every_amount_has_a_rate", converted=table.converted, fact=fact, day=day, file=file),
        _test("rates_are_recent", at_most=RATES_STAY_DAYS, fact=fact, day=day, file=file),
    ]


def _canonical_findings(tenant: Tenant, canonical: Canonical) -> list[Tree]:
    sources = engines_of(tenant, canonical.name)
    if not sources:
        return []
    has_money = any(column.name == "currency" for column in canonical.columns)
    currencies = [_test("every_currency_is_known")] if has_money else []
    return [*_findings_of_domain(tenant, canonical, sources), *currencies]


def _findings_of_domain(tenant: Tenant, canonical: Canonical, sources: tuple[tuple[Engine, Source], ...]) -> list[Tree]:
    if canonical.name == "ad_performance":
        has_both_of_meta = {"facebook_ads", "instagram_ads"} <= {source.platform for _, source in sources}
        configured = {tenant.conversion_pattern(source.platform) for _, source in sources}
        patterns = sorted(without_quotes(pattern) for pattern in configured if pattern)
        about_patterns = [
            _test("one_action_type", patterns=patterns),
            _test("a_known_action_type", patterns=patterns),
        ]
        return [
            *(about_patterns if patterns else []),
            _test("rows_of_one_day"),
            _test("one_breakdown"),
            _test("nothing_below_zero"),
            *([_test("one_source_of_meta", tenant=tenant.slug)] if has_both_of_meta else []),
        ]
    if canonical.name == "orders":
        return [_test(finding) for finding in ABOUT_RECORDS_OF_ORDERS]
    if canonical.name == "charges":
        about_charges = ("every_charge_status_is_known", "disputes_say_what_came_of_them")
        return [_unique(canonical), *(_test(each) for each in about_charges)]
    if canonical.name == "events":
        return [_test("every_event_has_a_user")]
    return []
