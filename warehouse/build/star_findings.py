"""Reads the rows of a star's data tests as findings.

A test of warehouse/macros/tests selects one row per finding: `finding`, its sentence, and any of these columns:

    kind                              one of FindingKind; else that of RULES
    source_platform, source_account   the source that it is about
    records, amount, currency         how many rows, and their money
    first_day, last_day               the days that they cover
    measure                           the column of the fact that it is about
    next_step                         where the sentence does not say it
    weight                            the share of a number that it may change; else records by rows of the fact
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipeline.config.tenant import Tenant
from pipeline.gates.finding import Finding, FindingKind
from warehouse.build.finding_facts import FED_BY
from warehouse.run_dbt import Node
from warehouse.star_schema import VALUE_DAYS

COLUMNS = frozenset(
    {
        *("finding", "kind", "source_platform", "source_account", "records", "amount", "currency"),
        *("first_day", "last_day", "measure", "next_step", "weight"),
    }
)

Row = Mapping[str, Any]  # Any: a test's columns


@dataclass(frozen=True)
class Rule:
    """What the findings of a test are about: facts, and the columns of theirs; none of these where it is all rows."""

    kind: FindingKind
    facts: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


PARTS_OF_THE_TOTAL = ("gross_sales", "discount_amount", "shipping_amount", "tax_amount", "other_charges")
VALUES_OF_CUSTOMERS = tuple(f"customer_value_{days}_days" for days in VALUE_DAYS)
_ADS, _ORDERS, _SESSIONS = ("ad_performance",), ("orders",), ("sessions",)
RULES: Mapping[str, Rule] = {
    "one_action_type": Rule(FindingKind.UNKNOWN_ACTION_TYPE, _ADS, ("conversions",)),
    "a_known_action_type": Rule(FindingKind.UNKNOWN_ACTION_TYPE, _ADS, ("conversions",)),
    "rows_of_one_day": Rule(FindingKind.ROWS_OF_SEVERAL_DAYS, _ADS),
    "one_breakdown": Rule(FindingKind.IGNORED_BREAKDOWNS, _ADS),
    "one_source_of_meta": Rule(FindingKind.REPEATED_ROWS, _ADS),
    "nothing_below_zero": Rule(FindingKind.UNUSUAL_VALUES, _ADS),
    "every_currency_is_known": Rule(FindingKind.UNKNOWN_CURRENCY),
    "few_inferred_rows": Rule(FindingKind.UNLINKED_ROWS),
    "every_event_has_a_user": Rule(FindingKind.UNLINKED_ROWS, _SESSIONS),
    "purchases_in_the_sessions_currency": Rule(FindingKind.FOREIGN_PURCHASES, _SESSIONS, ("session_revenue",)),
    "every_purchase_has_an_id": Rule(FindingKind.UNLINKED_ROWS, _SESSIONS, ("session_revenue",)),
    "visits_of_a_day_at_most": Rule(FindingKind.UNUSUAL_VALUES, _SESSIONS, ("session_duration_seconds",)),
    "purchases_of_one_order": Rule(FindingKind.UNLINKED_ROWS),
    "every_order_has_a_time": Rule(FindingKind.ROWS_WITHOUT_A_DAY, ("orders", "order_items")),
    "every_status_is_known": Rule(FindingKind.UNKNOWN_STATUS, _ORDERS, ("is_valid",)),
    "refunds_in_the_orders_currency": Rule(FindingKind.FOREIGN_REFUNDS, _ORDERS, ("refunded_amount",)),
    "parts_of_orders_are_proven": Rule(FindingKind.UNPROVEN_ORDERS, ("orders", "order_items")),
    "edits_are_proven": Rule(FindingKind.UNPROVEN_ORDERS, ("orders", "order_items")),
    "taxes_of_lines_are_known": Rule(FindingKind.UNPROVEN_ORDERS, ("order_items",), ("item_amount",)),
    "disputes_say_what_came_of_them": Rule(FindingKind.UNCOUNTED_CHARGES, _ORDERS, ("net_paid_amount",)),
    "refunds_within_the_total": Rule(FindingKind.UNUSUAL_VALUES, _ORDERS, ("refunded_amount",)),
    "totals_are_explained": Rule(FindingKind.UNEXPLAINED_TOTALS, _ORDERS, PARTS_OF_THE_TOTAL),
    "customers_have_one_currency": Rule(FindingKind.FOREIGN_PURCHASES, _ORDERS, VALUES_OF_CUSTOMERS),
    "every_refund_has_a_day": Rule(FindingKind.ROWS_WITHOUT_A_DAY, ("refunds",)),
    "charges_of_one_order": Rule(FindingKind.UNCOUNTED_CHARGES, _ORDERS, ("net_paid_amount",)),
    "charges_in_the_orders_currency": Rule(FindingKind.UNCOUNTED_CHARGES, _ORDERS, ("net_paid_amount",)),
    "charges_of_real_money": Rule(FindingKind.UNCOUNTED_CHARGES, _ORDERS, ("net_paid_amount",)),
    "every_charge_has_an_order": Rule(FindingKind.UNCOUNTED_CHARGES, _ORDERS, ("net_paid_amount",)),
    "every_charge_status_is_known": Rule(FindingKind.UNKNOWN_STATUS, _ORDERS, ("net_paid_amount",)),
    "every_amount_has_a_rate": Rule(FindingKind.RATES),
    "rates_are_recent": Rule(FindingKind.RATES),
}
"""By test. Findings about rates and unknown currencies name no fact: answers say these with their money. Those of
a test that is not listed are about the facts that its model feeds."""


def writes_findings(columns: Iterable[str]) -> bool:
    """Whether the columns of a test's rows are those of findings."""
    names = set(columns)
    return "finding" in names and names <= COLUMNS


def finding_of_row(row: Row, node: Node, tenant: Tenant, rows: Mapping[str, int]) -> Finding:
    """One row of a test as a finding.

    Args:
        row: By column.
        node: The test.
        tenant: Whose star it is.
        rows: The number of rows of each table of the star.
    """
    rule = RULES.get(node.test or "") or _of_model(node, tenant)
    records = row.get("records")
    facts = sum(rows.get(f"fct_{tenant.slug}__{fact}", 0) for fact in rule.facts[:1])
    share = min(1.0, int(records) / facts) if records is not None and facts else float(bool(rule.facts))
    weight = row.get("weight")
    amount = row.get("amount")
    return Finding(
        kind=FindingKind.read(row.get("kind") or rule.kind),
        sentence=row["finding"],
        rule=node.test,
        table=table_of(node),
        value=None if records is None else Decimal(int(records)),
        threshold=None if records is None else Decimal(0),
        facts=rule.facts,
        columns=(row["measure"],) if row.get("measure") else rule.columns,
        platform=row.get("source_platform"),
        account=row.get("source_account"),
        records=None if records is None else int(records),
        amount=None if amount is None else Decimal(str(amount)),
        currency=row.get("currency"),
        first_day=row.get("first_day"),
        last_day=row.get("last_day"),
        next_step=row.get("next_step"),
        weight=share if weight is None else max(0.0, min(1.0, float(weight))),
    )


def table_of(node: Node) -> str:
    """The table that a test looks at, without the tenant's name."""
    return (node.checks or node.name).rpartition("__")[2]


def _of_model(node: Node, tenant: Tenant) -> Rule:
    """The rule of a test that is not listed: about the facts that its model is or feeds."""
    model = (node.checks or "").rpartition(".")[2]
    name = model.removeprefix(f"int_{tenant.slug}__").removeprefix(f"fct_{tenant.slug}__")
    if model.startswith("fct_"):
        return Rule(FindingKind.OTHER, (name,))
    fed = FED_BY.get(name)
    return Rule(FindingKind.OTHER, fed.facts, fed.columns) if fed else Rule(FindingKind.OTHER)
