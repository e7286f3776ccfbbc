"""Quantities carry decimals; a whole one has the text, and so the hash, that it had as a BIGINT."""

from __future__ import annotations

import json
from decimal import Decimal

import duckdb
import pytest

from pipeline.contracts.fields import Contract, Integer, Nested, Quantity, Text, shape_of
from pipeline.contracts.sql import canonical_record, parsed_columns, whole_record
from pipeline.ingest.landing_tables import prepare_landing_tables
from tests.pipeline.landing_fixture import LandingFixture, table_of
from tests.pipeline.vendor_records import woo_order


class WholeLine(Nested):
    pieces: Integer = None


class Whole(Contract):
    id: Text = None
    pieces: Integer = None
    lines: list[WholeLine] | None = None


class ExactLine(Nested):
    pieces: Quantity = None


class Exact(Contract):
    id: Text = None
    pieces: Quantity = None
    lines: list[ExactLine] | None = None


def texts(contract: type[Contract], pieces: str) -> tuple[str, str]:
    """The canonical payload and the sink's payload of a record with so many pieces."""
    shape = shape_of(contract)
    type_ = "bigint" if contract is Whole else "decimal(18, 6)"
    lines = json.dumps([{"pieces": json.loads(pieces)}])
    landed = f"select 'a' as id, {pieces}::{type_} as pieces, '{lines}'::json as lines, null::json as _extra"
    parsed = f"select *, {', '.join(parsed_columns(shape))} from ({landed})"
    with duckdb.connect(config={"threads": 1}) as con:
        found = con.execute(f"select {canonical_record(shape)}, {whole_record(shape)} from ({parsed})").fetchall()
    return found[0][0], str(found[0][1])


@pytest.mark.parametrize("pieces", ["0", "1", "10", "120", "-3", "999999999999"])
def test_a_whole_number_has_the_same_texts_in_both_types(pieces: str) -> None:
    assert texts(Exact, pieces) == texts(Whole, pieces)


@pytest.mark.parametrize("pieces", ["1.52", "0.5", "-0.000001", "100.25"])
def test_a_decimal_has_its_own_digits(pieces: str) -> None:
    canonical, payload = texts(Exact, pieces)
    assert canonical == f'{{"id":"a","pieces":{pieces},"lines":[{{"pieces":{pieces}}}]}}'
    assert json.loads(payload, parse_float=Decimal)["pieces"] == Decimal(pieces)


def test_a_decimal_quantity_lands_beside_whole_ones(sandbox: LandingFixture) -> None:
    lines = [{"id": 1, "quantity": 1.52, "total": "22.80"}, {"id": 2, "quantity": "2", "total": "1.00"}]
    sandbox.write("orders.jsonl", json.dumps(woo_order(1) | {"line_items": lines}))
    sandbox.write(
        "products.jsonl", json.dumps({"id": 5, "order_id": 1, "quantity": 0.75, "price_ex_tax": "1"} | PRICED)
    )
    assert table_of(sandbox.land_of("woocommerce", orders="orders.jsonl"), "orders").quarantined == 0
    assert sandbox.query("select line_items::varchar from woocommerce__orders")[0][0].count("1.52") == 1
    table_of(sandbox.land_of("bigcommerce", order_products="products.jsonl"), "order_products")
    assert sandbox.query("select quantity from bigcommerce__order_products") == [(Decimal("0.75"),)]


PRICED = {"total_ex_tax": "0.75"}


def test_a_landing_table_takes_the_wider_type_and_keeps_its_values(sandbox: LandingFixture) -> None:
    tenant = sandbox.tenant()
    with duckdb.connect() as hub:
        prepare_landing_tables(hub, tenant, {"lines": (("pieces", "BIGINT"),)})
        hub.execute("insert into landing_acme.lines values (2), (null)")
        prepare_landing_tables(hub, tenant, {"lines": (("pieces", "DECIMAL(18,6)"),)})
        assert hub.execute("from landing_acme.lines order by all").fetchall() == [(Decimal(2),), (None,)]
