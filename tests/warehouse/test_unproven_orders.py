"""Findings about numbers that a shop's records do not prove: a sentence, and whose, how many and how much of them."""

from __future__ import annotations

import re
from typing import Any

import duckdb
import jinja2
import pytest

from tests.warehouse.engine_fixture import MACROS
from tests.warehouse.test_factories import CHARGE, ORDER, Row, fill
from warehouse.projects.canonical_tables import CHARGES, ORDERS, Canonical

COLUMNS = ["finding", "source_platform", "source_account", "records", "amount", "currency"]


def found(test: str, table: Canonical, *rows: Row) -> list[dict[str, Any]]:
    """The findings of a test over canonical rows."""
    texts = [(MACROS / "tests" / f"{name}.sql").read_text(encoding="utf-8") for name in ("orders", "unproven_orders")]
    as_macros = re.sub(r"({%-? (?:end)?)test\b", r"\1macro", "\n".join(texts))
    macros: Any = jinja2.Environment().from_string(as_macros).module  # SQL
    with duckdb.connect(config={"threads": 1}) as con:
        fill(con, table, rows)
        result = con.execute(getattr(macros, test)(f"int_t__{table.name}"))
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@pytest.mark.parametrize(
    ("test", "doubt", "said"),
    [
        ("parts_of_orders_are_proven", "unproven_parent", "2 orders of shopify main have a parent order"),
        ("edits_are_proven", "unproven_edit", "2 orders of shopify main were edited"),
        ("taxes_of_lines_are_known", "unproven_tax", "2 orders of shopify main have prices with tax"),
    ],
)
def test_what_an_order_does_not_prove_is_counted_with_its_money(test: str, doubt: str, said: str) -> None:
    doubtful = ORDER | {"doubts": f"['{doubt}']", "total_price": 12.5}
    sound = [ORDER | {"order_id": "3", "doubts": "[]", "total_price": 99}, ORDER | {"doubts": "['another']"}]
    (finding,) = found(test, ORDERS, doubtful, doubtful | {"order_id": "2"}, *sound)
    assert list(finding) == COLUMNS
    assert finding["finding"].startswith(said)
    assert (finding["records"], finding["amount"], finding["currency"]) == (2, 25, "USD")


def test_an_unknown_refund_is_counted_with_the_money_of_its_order() -> None:
    rows = [ORDER | {"foreign_refunds": 2, "total_price": 130}, ORDER | {"order_id": "2", "foreign_refunds": 0}]
    (finding,) = found("refunds_in_the_orders_currency", ORDERS, *rows)
    assert list(finding) == [*COLUMNS, "first_day", "last_day"]
    assert finding["finding"] == (
        "2 refunds of shopify main do not say their amount in the currency of their order: refunded_amount of 1 orders "
        "of 130.000000 USD is unknown."
    )
    assert (finding["records"], finding["amount"]) == (2, 130)


def test_a_dispute_without_its_outcome_is_counted_with_what_was_taken() -> None:
    known = CHARGE | {"charge_id": "ch_1", "captured_amount": 10, "disputed_amount": 10}
    unknown = CHARGE | {"charge_id": "ch_2", "captured_amount": 7, "disputed_amount": None}
    (finding,) = found("disputes_say_what_came_of_them", CHARGES, known, unknown)
    assert list(finding) == COLUMNS
    assert (finding["records"], finding["amount"], finding["currency"]) == (1, 7, "USD")
    assert "are disputed and do not say what came of it" in finding["finding"]
