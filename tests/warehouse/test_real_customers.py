"""Customers, refunds and discounts of the Online Retail records, against SQL written by hand over the files.

The ten months are a shop's order book: an invoice is an order, one that begins with C pays back an earlier order of its
customer. Single months in the shape of Shopify and WooCommerce are in test_real_stars.py and in the tests end to end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.warehouse.engine_fixture import add_references, render
from tests.warehouse.test_factories import orders
from warehouse.projects.canonical_tables import ORDER_REFUND
from warehouse.star_schema import VALUE_DAYS

BOOK = """
    create table lines as
        select
            InvoiceNo as invoice, InvoiceDate::timestamp as moment, try_cast(CustomerID as double)::bigint as customer,
            StockCode as code, Quantity::int as quantity, UnitPrice::decimal(18, 6) as price
        from read_csv('{folder}/*.csv.gz', all_varchar = true);
    create table invoices as
        select
            invoice, min(moment) as moment, any_value(customer) as customer, sum(quantity * price) as amount,
            sum(quantity * price) filter (where price > 0) as goods
        from lines group by invoice having count(distinct customer) <= 1;
    create table sales as from invoices where invoice not like 'C%' and invoice not like 'A%' and amount > 0;
    create table paybacks as
        select c.invoice, c.moment, -c.amount as amount, s.invoice as sale
        from (from invoices where invoice like 'C%' and amount < 0 and customer is not null) as c
        asof join sales as s on s.customer = c.customer and s.moment <= c.moment;
"""
CANONICAL = """
    create or replace table int_t__orders as
    select * replace (
        'shopify' as source_platform, 'main' as source_account, sales.invoice as order_id, sales.moment as ordered_at,
        sales.amount as total_price, sales.amount + 1 as gross_sales, 1 as discount_amount, 0 as shipping_amount,
        0 as tax_amount, 0 as other_charges, coalesce(back.amount, 0) as refunded_amount, 'GBP' as currency,
        'paid' as financial_status, false as is_cancelled, false as is_test, sales.customer::varchar as customer_id,
        back.refunds::REFUNDS as refunds
    )
    from sales
    left join (
        select
            sale, sum(amount) as amount,
            list({'refund_id': invoice, 'refunded_at': moment, 'amount': amount}) as refunds
        from paybacks group by sale
    ) as back on back.sale = sales.invoice
    cross join (from int_t__orders)
"""


@pytest.fixture(scope="module")
def book(real_data: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Ten months of orders, and the stars of orders and refunds made of them."""
    with duckdb.connect(config={"threads": 2}) as con:
        con.execute("set TimeZone = 'UTC'")
        add_references(con)
        con.execute(BOOK.format(folder=real_data / "orders_large/online_retail"))
        query = orders(con, [{"is_cancelled": False, "is_test": False, "order_id": "0"}])
        con.execute(CANONICAL.replace("REFUNDS", ORDER_REFUND))
        con.execute(f"create table fct_t__orders as {query}")
        con.execute(f"create table fct_t__refunds as {render('build_fct_refunds', {'tenant': 't', 'timezone': 'UTC'})}")
        yield con


def one(con: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    (row,) = con.execute(sql).fetchall()
    return tuple(row)


@pytest.mark.parametrize("days", VALUE_DAYS)
def test_lifetime_value_is_that_of_a_query_over_the_invoices(book: duckdb.DuckDBPyConnection, days: int) -> None:
    ours = one(
        book,
        f"""select sum(customer_value_{days}_days), count(customer_value_{days}_days),
            count(*) filter (is_first_order and customer_value_{days}_days is null) from fct_t__orders""",
    )
    theirs = one(
        book,
        f"""
        with mine as (select *, min(moment) over (partition by customer) as first from sales where customer is not null)
        select
            sum(amount) filter (where is_old and moment::date - first::date < {days}),
            nullif(count(distinct customer) filter (where is_old), -1),
            count(distinct customer) filter (where not is_old)
        from (select *, first::date + {days} <= (select max(moment)::date from sales) as is_old from mine)
        """,
    )
    assert ours == theirs
    assert (ours[1] > 1_000) == (days < 365)  # the book holds ten months


def test_repeat_rate_and_days_to_the_second_order_are_those_of_a_query(book: duckdb.DuckDBPyConnection) -> None:
    ours = one(
        book,
        """select
            count(distinct customer_key) filter (customer_order_count > 1), count(distinct customer_key),
            count(customer_key), median(days_to_second_order)
        from fct_t__orders where is_valid""",
    )
    theirs = one(
        book,
        """with mine as (
            select customer, list(moment::date order by moment, invoice) as days from sales where customer is not null
            group by customer
        )
        select count(*) filter (len(days) > 1), count(*), sum(len(days)), median(days[2] - days[1]) from mine""",
    )
    assert ours == theirs
    assert ours[1] > 3_000


def test_returning_customers_of_a_month_have_an_invoice_before(book: duckdb.DuckDBPyConnection) -> None:
    ours = book.execute(
        """select month(order_date), count(distinct customer_key) from fct_t__orders
        where is_valid and customer_order_number > 1 group by 1 order by 1"""
    ).fetchall()
    theirs = book.execute(
        """select month(later.moment), count(distinct later.customer) from sales as later where exists (
            select 1 from sales as earlier
            where earlier.customer = later.customer
                and (earlier.moment, earlier.invoice) < (later.moment, later.invoice)
        ) group by 1 order by 1"""
    ).fetchall()
    assert ours == theirs
    assert len(ours) == 10


def test_refunds_lie_on_their_own_days_and_come_to_what_orders_gave_back(book: duckdb.DuckDBPyConnection) -> None:
    ours = book.execute(
        "select refund_date, count(*), sum(amount) from fct_t__refunds group by 1 order by 1"
    ).fetchall()
    theirs = book.execute("select moment::date, count(*), sum(amount) from paybacks group by 1 order by 1").fetchall()
    assert ours == theirs
    assert len(ours) > 200
    back = "select (select sum(refunded_amount) from fct_t__orders), (select sum(amount) from fct_t__refunds)"
    assert len(set(one(book, back))) == 1
