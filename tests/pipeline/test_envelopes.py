"""Records come out of what loaders and APIs wrap them in, or their file is refused in one sentence that says why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from pipeline.ingest.land import LandedTable
from tests.pipeline.landing_fixture import LandingFixture, table_of
from tests.pipeline.vendor_records import ad_day, charge, ga4_event, jsonl, order, times

Json = Any  # values of JSON


def orders(sandbox: LandingFixture, name: str, content: Json) -> LandedTable:
    sandbox.write(name, content if isinstance(content, str) else json.dumps(content))
    return table_of(sandbox.land(orders=name), "orders")


def refused(table: LandedTable, *, because: str) -> None:
    (finding,) = table.findings
    assert table.rows == 0
    assert because in finding, finding


def money(amount: str, presentment: str | None = None) -> Json:
    shop = {"amount": amount, "currencyCode": "USD"}
    return {"shopMoney": shop, "presentmentMoney": {"amount": presentment or amount, "currencyCode": "EUR"}}


ORDER = {
    "id": "gid://shopify/Order/5001",
    "name": "#1001",
    "createdAt": "2026-01-05T10:00:00Z",
    "updatedAt": "2026-01-06T10:00:00Z",
    "currencyCode": "USD",
    "presentmentCurrencyCode": "EUR",
    "displayFinancialStatus": "PARTIALLY_REFUNDED",
    "displayFulfillmentStatus": "UNFULFILLED",
    "email": "a@example.com",
    "totalPriceSet": money("80.0", "70.0"),
    "customer": {"id": "gid://shopify/Customer/71"},
    "customAttributes": [{"key": "gift", "value": "no"}],
    "shippingAddress": {"countryCodeV2": "DE"},
    "discountCodes": ["SPRING", "WELCOME"],
    "refunds": [
        {
            "id": "gid://shopify/Refund/1",
            "createdAt": "2026-01-06T10:00:00Z",
            "refundLineItems": {
                "edges": [
                    {
                        "node": {
                            "quantity": 1,
                            "subtotalSet": money("25.0", "22.0"),
                            "lineItem": {"id": "gid://shopify/LineItem/911"},
                        }
                    }
                ],
                "pageInfo": {"hasNextPage": False},
            },
            "transactions": {
                "nodes": [{"kind": "REFUND", "status": "SUCCESS", "amountSet": money("25.0", "22.0")}],
                "pageInfo": {"hasNextPage": False},
            },
        }
    ],
}
LINE = {
    "id": "gid://shopify/LineItem/911",
    "title": "Mug",
    "quantity": 2,
    "currentQuantity": 1,
    "originalUnitPriceSet": money("50.0", "45.0"),
    "totalDiscountSet": money("0.0"),
    "discountAllocations": [{"allocatedAmountSet": money("20.0", "18.0")}],
    "product": {"id": "gid://shopify/Product/1"},
    "variant": None,
}
PAGE = {
    "data": {
        "orders": {
            "edges": [{"cursor": "x", "node": ORDER | {"lineItems": {"nodes": [LINE], "pageInfo": {}}}}],
            "pageInfo": {"hasNextPage": True, "endCursor": "x"},
        }
    },
    "extensions": {"cost": {"requestedQueryCost": 1}},
}


def as_rest(sandbox: LandingFixture) -> Json:
    """The one order that landed."""
    columns = "id, total_price, currency, presentment_currency, financial_status, fulfillment_status, contact_email"
    ((*scalars, customer, address, notes, lines, refunds),) = sandbox.query(
        f"select {columns}, customer, shipping_address, note_attributes, line_items, refunds from shopify__orders"
    )
    nested = [json.loads(text) for text in (customer, address, notes, lines, refunds)]
    return [*scalars, *nested]


def test_a_graphql_order_is_the_rest_order_with_the_money_of_the_shop(sandbox: LandingFixture) -> None:
    table = orders(sandbox, "page.json", PAGE)
    assert (table.rows, table.drift) == (1, ())
    ((codes,),) = sandbox.query("select discount_codes from shopify__orders")
    assert json.loads(codes) == [{"code": "SPRING"}, {"code": "WELCOME"}]
    *scalars, customer, address, notes, lines, refunds = as_rest(sandbox)
    assert scalars == [5001, "80.0", "USD", "EUR", "partially_refunded", None, "a@example.com"]
    assert customer["id"] == 71
    assert address["country_code"] == "DE"
    assert notes == [{"name": "gift", "value": "no"}]
    (line,), (refund,) = lines, refunds
    assert {name: line[name] for name in ("id", "product_id", "quantity", "current_quantity", "price")} == {
        "id": 911,
        "product_id": 1,
        "quantity": 2,
        "current_quantity": 1,
        "price": "50.0",
    }
    (allocation,) = line["discount_allocations"]
    assert allocation["amount"] == "20.0"
    assert allocation["amount_set"]["shop_money"] == {"amount": "20.0", "currency_code": "USD"}
    (back,), (paid,) = refund["refund_line_items"], refund["transactions"]
    assert (back["line_item_id"], back["subtotal"]) == (911, "25.0")
    assert (paid["kind"], paid["status"], paid["amount"], paid["currency"]) == ("refund", "success", "25.0", "USD")


CHILD = LINE | {"__parentId": ORDER["id"]}
OTHER = ORDER | {"id": "gid://shopify/Order/5002", "refunds": []}
BULKS = {
    "after": [ORDER, CHILD, OTHER],
    "before": [CHILD, OTHER, ORDER],
    "apart": [ORDER, OTHER, CHILD],
}


@pytest.mark.parametrize("lines", BULKS.values(), ids=BULKS)
def test_lines_of_a_bulk_operation_are_put_into_their_orders_wherever_they_stand(
    sandbox: LandingFixture, lines: Sequence[Json]
) -> None:
    table = orders(sandbox, "bulk.jsonl", jsonl(lines))
    assert (table.rows, table.drift) == (2, ())
    found = sandbox.query("select id, line_items from shopify__orders order by id")
    assert [(number, text and json.loads(text)[0]["id"]) for number, text in found] == [(5001, 911), (5002, None)]


def test_products_and_their_variants_of_a_bulk_operation_land(sandbox: LandingFixture) -> None:
    product = {"id": "gid://shopify/Product/1", "title": "Mug", "productType": "Cup", "status": "ACTIVE", "tags": ["a"]}
    variant = {"id": "gid://shopify/ProductVariant/5", "sku": "M", "price": "9.90", "__parentId": product["id"]}
    sandbox.write("p.jsonl", jsonl([variant, product | {"createdAt": "2026-01-05T10:00:00Z"}]))
    assert table_of(sandbox.land(products="p.jsonl"), "products").rows == 1
    ((number, kind, status, tags, variants),) = sandbox.query(
        "select id, product_type, status, tags, variants from shopify__products"
    )
    assert (number, kind, status, tags) == (1, "Cup", "active", "a")
    assert [(one["id"], one["price"]) for one in json.loads(variants)] == [(5, "9.90")]


MORE = {"nodes": [LINE], "pageInfo": {"hasNextPage": True}}
REFUSED: dict[str, tuple[str, Json, str]] = {
    "errors": ("a.json", {"errors": [{"message": "Throttled"}], "data": None}, "GraphQL API with errors: Throttled"),
    "another object": (
        *("a.json", {"data": {"customers": {"edges": [{"node": {"id": "gid://shopify/Customer/1"}}]}}}),
        "GraphQL API for customers, and not for orders",
    ),
    "more lines": (
        *("a.json", {"data": {"orders": {"nodes": [ORDER | {"lineItems": MORE}]}}}),
        "lineItems of a node in its GraphQL answer holds only the first of them",
    ),
    "another type": ("a.jsonl", jsonl([{"id": "gid://shopify/Customer/1"}]), "bulk operation over Customer, and not"),
    "a lost parent": ("a.jsonl", jsonl([CHILD]), "1 of 1 child lines of its bulk operation name a parent that is not"),
    "a line without id": (
        *("a.jsonl", jsonl([ORDER, {"quantity": 2, "__parentId": ORDER["id"]}])),
        "has no id that says its type; select id in every connection of the query",
    ),
    "several streams": (
        "a.jsonl",
        jsonl(
            {"type": "RECORD", "stream": stream, "record": record}
            for stream, record in (("orders_a", order(1)), ("customers", {"id": 1}), ("customers", {"id": 2}))
        ),
        "for several streams: customers (2), orders_a (1); bring one file for each stream, or name the stream orders",
    ),
    "rows without a schema": (
        *("a.json", {"kind": "bigquery#tableDataList", "rows": [{"f": [{"v": "1"}]}]}),
        "rows of BigQuery",
    ),
    "row lines": ("a.jsonl", jsonl([{"f": [{"v": "1"}]}]), "without the schema that names their values"),
}


@pytest.mark.parametrize(("name", "content", "because"), REFUSED.values(), ids=REFUSED)
def test_an_envelope_that_does_not_hold_the_records_is_refused_by_name(
    sandbox: LandingFixture, name: str, content: Json, because: str
) -> None:
    refused(orders(sandbox, name, content), because=because)


def test_presentment_money_never_stands_for_the_shops(sandbox: LandingFixture) -> None:
    total = {"totalPriceSet": {"presentmentMoney": {"amount": "70.0", "currencyCode": "EUR"}}}
    table = orders(sandbox, "bulk.jsonl", jsonl([ORDER | total, OTHER | total]))
    assert table.rows == 0
    assert table.drift[0].startswith(
        "the contract says that total_price or total_price_set.shop_money.amount is in every "
    )


def message(stream: str, record: Json, **more: Json) -> Json:
    return {"type": "RECORD", "stream": stream, "record": record} | more


def test_of_several_streams_the_one_with_the_objects_name_is_read(sandbox: LandingFixture) -> None:
    lines = [message("customers", {"id": 7}), message("orders", order(1)), {"type": "STATE", "value": {}}]
    assert orders(sandbox, "a.jsonl", jsonl(lines)).rows == 1


def test_messages_of_an_airbyte_source_and_withdrawn_versions(sandbox: LandingFixture) -> None:
    lines = [{"type": "LOG", "log": {"message": "x"}}]
    lines += [{"type": "RECORD", "record": {"stream": "orders", "data": order(1), "emitted_at": 1}}]
    assert orders(sandbox, "a.jsonl", jsonl(lines)).rows == 1
    versions = [message("orders", order(2), version=1), message("orders", order(3), version=2)]
    active = {"type": "ACTIVATE_VERSION", "stream": "orders", "version": 2}
    assert orders(sandbox, "b.jsonl", jsonl([*versions, active])).rows == 1
    assert sandbox.query("select id from shopify__orders order by id") == [(1,), (3,)]


def test_a_broken_line_among_messages_is_quarantined_alone(sandbox: LandingFixture) -> None:
    table = orders(sandbox, "a.jsonl", jsonl([message("orders", order(n)) for n in range(30)]) + "oops\n")
    assert (table.rows, table.quarantined) == (30, 1)
    assert sandbox.query("select line from quarantine") == [(31,)]


def typed(value: Json) -> Json:
    """The BigQuery field of a value."""
    if isinstance(value, list):
        return typed(value[0]) | {"mode": "REPEATED"}
    if isinstance(value, dict):
        return {"type": "RECORD", "fields": [typed(inner) | {"name": name} for name, inner in value.items()]}
    return {"type": "STRING" if isinstance(value, str) else "FLOAT"}


def cell(value: Json) -> Json:
    """A value as BigQuery's API sends it."""
    if isinstance(value, list):
        return {"v": [cell(each) for each in value]}
    return {"v": {"f": [cell(inner) for inner in value.values()]} if isinstance(value, dict) else str(value)}


def response(records: Sequence[Json]) -> Json:
    rows = [{"f": [cell(value) for value in record.values()]} for record in records]
    return {"kind": "bigquery#queryResponse", "schema": {"fields": typed(records[0])["fields"]}, "rows": rows}


def test_rows_of_bigquery_with_their_schema_are_its_records(sandbox: LandingFixture) -> None:
    param = {"event_params": [{"key": "ga_session_id", "value": {"int_value": "1"}}]}
    sandbox.write("a.json", json.dumps(response([record | param for record in times(2, ga4_event)])))
    assert table_of(sandbox.land_of("google_analytics", events="a.json"), "events").rows == 2
    found = sandbox.query("select event_params, ecommerce from google_analytics__events order by event_timestamp")
    assert json.loads(found[0][0]) == param["event_params"]
    assert json.loads(found[1][1]) == {"transaction_id": "t1", "purchase_revenue": "9.9"}
    sandbox.write("b.jsonl", jsonl([response([ad_day(1)]), response([ad_day(2)])]))
    assert table_of(sandbox.land_of("google_ads", ad_performance="b.jsonl"), "ad_performance").rows == 2


def test_stripes_other_objects_are_not_charges(sandbox: LandingFixture) -> None:
    events = [
        {"id": f"evt_{n}", "object": "event", "type": "charge.succeeded", "data": {"object": charge(n)}} for n in (1, 2)
    ]
    intents = [charge(n) | {"id": f"pi_{n}", "object": "payment_intent"} for n in (1, 2)]
    for kind, records in {"event": events, "payment_intent": intents}.items():
        for name, content in (
            (f"{kind}.json", json.dumps({"object": "list", "data": records})),
            (f"{kind}.jsonl", jsonl(records)),
        ):
            sandbox.write(name, content)
            table = table_of(sandbox.land_of("stripe", charges=name), "charges")
            refused(table, because=f"its records are {kind} objects, and not charge objects (object says so)")
    own = [charge(n) | {"object": "charge"} for n in (1, 2)]
    sandbox.write("own.json", json.dumps({"object": "list", "data": own}))
    assert table_of(sandbox.land_of("stripe", charges="own.json"), "charges").rows == 2
