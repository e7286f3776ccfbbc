"""Three shops, their payments and one analytics tool: what was really paid for each order, and for which one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from pipeline.config.accounts import Account
from pipeline.config.codes import CURRENCIES
from pipeline.config.tenant import Tenant
from tests.warehouse.conftest import source
from warehouse.projects.reference_tables import reference_rows

Json = dict[str, Any]
NOON = 1_768_910_400  # 2026-01-20 12:00 UTC, in seconds


def charge(charge_id: str, amount: int, **more: Any) -> Json:
    """A charge that took its whole amount, in minor units."""
    taken = {"amount": amount, "amount_captured": amount, "amount_refunded": 0, "currency": "usd"}
    return {"id": charge_id, "created": NOON, "status": "succeeded", "livemode": True} | taken | more


def failed(charge_id: str, amount: int, **more: Any) -> Json:
    return charge(charge_id, amount, status="failed", amount_captured=0, **more)


def order(order_id: int, total: str, *charge_ids: str, **more: Any) -> Json:
    """An order of the Shopify shop, with the payment ids that an app noted."""
    notes = [{"name": "stripe_charge_id", "value": charge_id} for charge_id in charge_ids]
    said = {
        "created_at": "2026-01-20T12:00:00Z",
        "currency": "USD",
        "financial_status": "paid",
        "note_attributes": notes,
    }
    return {"id": order_id, "total_price": total} | said | more


def woo(order_id: int, total: str, *kept: tuple[str, Any], **more: Any) -> Json:
    """An order of the WooCommerce shop, with what plugins keep in its meta_data."""
    meta = [{"id": n, "key": key, "value": value} for n, (key, value) in enumerate(kept, 1)]
    said = {"date_created_gmt": "2026-01-20T12:00:00", "currency": "USD", "status": "completed", "meta_data": meta}
    return {"id": order_id, "number": str(order_id), "total": total} | said | more


def purchase(user: str, transaction: str, value: float) -> Json:
    params = [
        {"key": "transaction_id", "value": {"string_value": transaction}},
        {"key": "value", "value": {"double_value": value}},
        {"key": "currency", "value": {"string_value": "USD"}},
    ]
    said = {"event_timestamp": NOON * 1_000_000, "event_date": "20260120", "user_pseudo_id": user}
    return {"event_name": "purchase", "event_params": params} | said


SHOPIFY = [
    order(11, "50.00", "ch_11"),
    order(12, "50.00", "ch_12"),  # the same amount, day and currency as 11
    order(13, "50.00"),  # the same again, and the shop kept nothing
    order(14, "77.00", "pi_14"),
    order(15, "60.00", "pi_15"),
    order(16, "30.00", "ch_shared"),
    order(17, "5000", "ch_17", currency="JPY"),
    order(18, "40.00", "ch_18", currency="EUR"),
    order(19, "20.00", "ch_19"),
    order(20, "20.00", "ch_of_nobody"),
    order(21, "0.00", "ch_21", currency="XYZ"),
    order(22, "80.00", "ch_22a", "ch_22b"),
    order(1001, "10.00"),  # WooCommerce and BigCommerce have 1001 as well
    order(30, "10.00", name="2002"),  # what WooCommerce calls one of its orders
]
WOO = [
    woo(2001, "30.00", ("_stripe_charge_id", "ch_shared")),
    woo(2002, "21.00", ("_stripe_charge_id", "ch_2002"), ("_stripe_fee", {"net": [1]})),
    woo(2003, "22.00", ("_stripe_intent_id", "pi_2003")),
    woo(2004, "23.00", transaction_id="ch_2004"),
    woo(2005, "24.00", transaction_id="PAYID-1", number="W-2005"),
    woo(2006, "26.00", ("_stripe_charge_id", "ch_2006"), ("_stripe_intent_id", "pi_2006"), transaction_id="ch_2006"),
    woo(2007, "27.00", number="2004"),  # the id of another order
    woo(1001, "11.00"),
]
BIGCOMMERCE = [
    {"id": 3001, "date_created": "Tue, 20 Jan 2026 12:00:00 +0000", "status_id": 11, "status": "Awaiting Fulfillment"}
    | {"total_inc_tax": "25.0000", "default_currency_code": "USD", "payment_provider_id": "ch_3001"},
    {"id": 1001, "date_created": "Tue, 20 Jan 2026 12:00:00 +0000", "status_id": 0, "status": "Incomplete"}
    | {"total_inc_tax": "12.0000", "default_currency_code": "USD"},
]
CHARGES = [
    charge("ch_11", 5000),
    charge("ch_12", 5000, amount_refunded=1000),
    charge("ch_13", 5000),  # 13's, if amount and day could tell
    failed("ch_14a", 7700, payment_intent="pi_14"),
    failed("ch_14b", 7700, payment_intent="pi_14"),
    failed("ch_15a", 6000, payment_intent="pi_15"),
    charge("ch_15b", 6000, payment_intent={"id": "pi_15", "object": "payment_intent"}, created=NOON + 60),
    charge("ch_shared", 3000),
    charge("ch_17", 5000, currency="jpy"),
    charge("ch_18", 4000),
    charge("ch_19", 2000, livemode=False),
    charge("ch_21", 100, currency="xyz"),
    charge("ch_22a", 5000),
    charge("ch_22b", 3000, status="pending"),
    charge("ch_2002", 2100),
    charge("ch_2003", 2200, payment_intent="pi_2003"),
    charge("ch_2004", 2300),
    charge("ch_2006", 2600, payment_intent="pi_2006"),
    charge("ch_3001", 2500, amount_captured=2400),
]


@pytest.fixture(scope="session")
def star(tyrell: Callable[..., Tenant], make_hub: Callable[[], Any], build_star: Callable[..., Any]) -> Any:
    hub = make_hub()
    hub.add("shopify", "orders", SHOPIFY)
    hub.add("shopify", "orders", [order(1001, "10.00"), order(11, "9.00")], account="eu")
    hub.add("woocommerce", "orders", WOO)
    hub.add("bigcommerce", "orders", BIGCOMMERCE)
    hub.add("bigcommerce", "order_products", [{"id": 1, "order_id": 3001, "quantity": 2, "price_ex_tax": "12.5000"}])
    hub.add("stripe", "charges", CHARGES)
    hub.add("stripe", "charges", [charge("ch_11", 5000)], account="second")
    hub.add("google_analytics", "events", [purchase("of several shops", "1001", 10), purchase("of one", "12", 50)])
    hub.add("google_analytics", "events", [purchase("by number", "W-2005", 24), purchase("by either", "2002", 21)])
    hub.add("google_analytics", "events", [purchase("by id", "2004", 23)])
    accounts = (Account(name="eu"), Account(name="main"))
    sources = (
        source("bigcommerce"),
        source("google_analytics"),
        source("shopify", accounts=accounts),
        source("stripe", accounts=(Account(name="main"), Account(name="second"))),
        source("woocommerce"),
    )
    return build_star(tyrell(sources=sources), hub)


def paid(star: Any, order_id: int, platform: str = "shopify") -> tuple[Any, ...]:
    """The order's charge_id and net_paid_amount."""
    where = f"order_id = '{order_id}' and source_platform = '{platform}' and source_account = 'main'"
    row: tuple[Any, ...] = star.one("fct_orders", "charge_id, net_paid_amount", where)
    return row


def test_the_star_is_built_and_keeps_its_promises(star: Any) -> None:
    wrong = {name: node.message for name, node in star.nodes.items() if node.status in ("fail", "error", "skipped")}
    assert wrong == {}


def test_orders_of_one_amount_day_and_currency_have_their_own_charges(star: Any) -> None:
    assert paid(star, 11) == ("ch_11", 50)
    assert paid(star, 12) == ("ch_12", 40)


def test_a_charge_of_the_right_amount_on_the_right_day_is_not_linked(star: Any) -> None:
    assert paid(star, 13) == (None, None)
    assert star.finding("every_charge_has_an_order") == [
        "1 charges of stripe main took 50.000000 USD and are named by no order."
    ]


def test_failed_charges_of_an_order_count_nothing(star: Any) -> None:
    assert paid(star, 14) == ("ch_14a", 0)


def test_the_attempt_that_succeeded_is_the_orders_charge(star: Any) -> None:
    assert paid(star, 15) == ("ch_15b", 60)


def test_a_charge_that_two_orders_name_is_nobodys_and_said(star: Any) -> None:
    assert paid(star, 16) == paid(star, 2001, "woocommerce") == (None, None)
    assert star.finding("charges_of_one_order") == [
        "1 charges of stripe main are named by several orders and count for none."
    ]


def test_yen_have_no_cents(star: Any) -> None:
    assert paid(star, 17) == ("ch_17", 5000)


def test_a_charge_in_another_currency_is_never_added(star: Any) -> None:
    assert paid(star, 18) == ("ch_18", None)
    assert star.finding("charges_in_the_orders_currency") == [
        "1 charges of stripe main are in another currency than their order and not in net_paid_amount."
    ]


def test_a_test_charge_paid_nothing(star: Any) -> None:
    assert paid(star, 19) == ("ch_19", 0)
    assert star.finding("charges_of_real_money") == [
        "1 charges of stripe main that orders name are tests and not in net_paid_amount."
    ]


def test_a_payment_that_is_no_charge_says_nothing(star: Any) -> None:
    assert paid(star, 20) == (None, None)
    assert paid(star, 2005, "woocommerce") == (None, None)


def test_several_charges_of_an_order_are_added_once_they_succeed(star: Any) -> None:
    assert paid(star, 22) == ("ch_22a", 50)


@pytest.mark.parametrize(("order_id", "charge_id", "amount"), [(2002, "ch_2002", 21), (2003, "ch_2003", 22)])
def test_woocommerce_keeps_charge_ids_under_old_and_new_keys(
    star: Any, order_id: int, charge_id: str, amount: int
) -> None:
    assert paid(star, order_id, "woocommerce") == (charge_id, amount)


def test_woocommerce_keeps_charge_ids_in_transaction_id(star: Any) -> None:
    assert paid(star, 2004, "woocommerce") == ("ch_2004", 23)


def test_a_charge_that_an_order_names_thrice_counts_once(star: Any) -> None:
    assert paid(star, 2006, "woocommerce") == ("ch_2006", 26)


def test_bigcommerce_keeps_the_providers_id_and_only_what_was_captured_is_paid(star: Any) -> None:
    assert paid(star, 3001, "bigcommerce") == ("ch_3001", 24)


def test_a_charge_that_two_accounts_deliver_counts_once(star: Any) -> None:
    assert star.one("int_charges", "count(*)", "charge_id = 'ch_11'") == (2,)
    assert paid(star, 11) == ("ch_11", 50)


def test_an_unknown_currency_is_kept_and_said_and_its_unit_is_not_guessed(star: Any) -> None:
    assert star.one("fct_orders", "currency, charge_id, net_paid_amount", "order_id = '21'") == ("XYZ", "ch_21", None)
    findings = [test for test in star.nodes if test.startswith("every_currency_is_known_int_tyrell_corp__orders")]
    assert len(findings) == 1
    assert star.finding(findings[0]) == ["1 rows of shopify main are in the unknown currency XYZ."]


def test_shops_and_accounts_with_the_same_order_ids_are_all_there_once(star: Any) -> None:
    rows = star.rows("fct_orders", "source_platform, source_account, total_price", "order_id = '1001'")
    assert rows == [
        ("bigcommerce", "main", 12),
        ("shopify", "eu", 10),
        ("shopify", "main", 10),
        ("woocommerce", "main", 11),
    ]
    assert star.one("fct_orders", "count(*) = count(distinct order_key)") == (True,)
    orders = len(SHOPIFY) + 2 + len(WOO) + len(BIGCOMMERCE)
    assert star.one("fct_orders", "count(*)") == (orders,)


def test_a_purchase_whose_id_several_shops_have_is_linked_to_none_and_said(star: Any) -> None:
    assert star.one("fct_orders", "count(session_id)", "order_id = '1001'") == (0,)
    assert star.one("fct_orders", "count(session_id)", "order_id in ('2002', '30')") == (0,)
    assert star.finding("purchases_of_one_order") == [
        "2 purchases of google_analytics carry an id that several orders have, and are linked to none."
    ]


def test_a_purchase_is_linked_by_the_id_or_the_number_that_one_order_has(star: Any) -> None:
    linked = star.tables.sql(f"""
        select o.source_platform, o.order_id, u.user_pseudo_id
        from {star.name("fct_orders")} as o
        inner join {star.name("dim_users")} as u on u.user_key = o.user_key
        order by all
    """).fetchall()
    assert linked == [
        ("shopify", "12", "of one"),
        ("woocommerce", "2004", "by id"),  # and not 2007, which has the number 2004
        ("woocommerce", "2005", "by number"),
    ]


def test_an_order_that_never_left_the_payment_page_is_no_valid_order(star: Any) -> None:
    valid = "is_valid, is_cancelled, financial_status"
    assert star.one("fct_orders", valid, "source_platform = 'bigcommerce' and order_id = '1001'") == (
        False,
        False,
        "failed",
    )


def test_lines_of_bigcommerce_come_from_their_own_object(star: Any) -> None:
    columns = "order_id, quantity, unit_price, item_amount"
    assert star.rows("fct_order_items", columns) == [("3001", 2, Decimal("12.5"), 25)]


def test_without_a_payments_source_the_star_has_no_payments(
    tyrell: Callable[..., Tenant], make_hub: Callable[[], Any], build_star: Callable[..., Any]
) -> None:
    hub = make_hub()
    hub.add("woocommerce", "orders", WOO)
    star = build_star(tyrell(sources=(source("woocommerce"),)), hub, ("run",))
    columns = {row[0] for row in star.tables.sql(f"describe {star.name('fct_orders')}").fetchall()}
    assert "order_id" in columns
    assert not columns & {"charge_id", "net_paid_amount"}
    assert not any("order_charges" in name for name in star.nodes)


def test_every_currency_that_tenants_may_name_is_in_the_reference_table(star: Any) -> None:
    known = {
        code
        for (code,) in star.tables.sql(
            f"select currency from ({reference_rows('platform_ref__currencies')})"
        ).fetchall()
    }
    assert known >= CURRENCIES
