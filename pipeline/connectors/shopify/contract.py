"""Shopify Admin REST API: orders and products.

Source: shopify.dev/docs/api/admin-rest, and the fixtures of Shopify/shopify_python_api (MIT). Money is text in major
units of `currency`; times carry the shop's offset; `customer` and `email` may be null; `total_price` does not fall
after refunds, the refunds are inside `refunds[].transactions[]`. An amount comes twice in a `..._set`: in the shop's
currency (`shop_money`) and in the one that the shopper paid in; a transaction is in the latter. Discounts by code and
automatic ones are in a line's `discount_allocations` alone, which Shopify recommends over `total_discount`
(fivetran/dbt_shopify#128). A line that an edit takes off the order stays in `line_items` with its `quantity`; its
`current_quantity` is 0, and is lower after a refund too (API 2024-01 and later, bold-commerce/go-shopify#299).
Fivetran's tables (fivetran/dbt_shopify, Apache-2.0) have an order's lines, refunds and note attributes in tables of
their own, and times in UTC without an offset.
"""

from __future__ import annotations

from pipeline.contracts.fields import Contract, DecimalText, Flag, Instant, Integer, Layout, Nested, Quantity, Text
from pipeline.contracts.measures import always, unless_zero, with_some


class Customer(Nested):
    id: Integer = None
    email: Text = None
    first_name: Text = None
    last_name: Text = None


class Address(Nested):
    country: Text = None
    country_code: Text = None
    province: Text = None
    city: Text = None
    zip: Text = None


class Money(Nested):
    amount: DecimalText = None
    currency_code: Text = None


class MoneySet(Nested):
    """An amount in the shop's currency; the one in the shopper's currency is left in place."""

    shop_money: Money | None = None


class DiscountCode(Nested):
    code: Text = None


class DiscountAllocation(Nested):
    amount: DecimalText = None  # of the whole line, refunded and removed units included
    amount_set: MoneySet | None = None


class TaxLine(Nested):
    price: DecimalText = None  # of the whole line
    price_set: MoneySet | None = None


class LineItem(Nested):
    id: Integer = None
    product_id: Integer = None  # null once the product is deleted, or for a custom line
    variant_id: Integer = None
    sku: Text = None
    title: Text = None
    quantity: Quantity = None  # units ordered, refunded and removed ones included
    current_quantity: Quantity = None  # without refunded and removed units
    price: DecimalText = None  # of one unit; with tax where the order says taxes_included
    price_set: MoneySet | None = None
    total_discount: DecimalText = None  # of the whole line; without discounts by code and automatic ones
    total_discount_set: MoneySet | None = None
    discount_allocations: list[DiscountAllocation] | None = None
    tax_lines: list[TaxLine] | None = None
    gift_card: Flag = None  # the line sells a gift card
    tip_payment_gateway: Text = None  # only a tip has one
    tip_payment_method: Text = None


class ShippingLine(Nested):
    title: Text = None
    price: DecimalText = None  # before discounts; with tax where the order says taxes_included
    price_set: MoneySet | None = None
    discounted_price: DecimalText = None
    discounted_price_set: MoneySet | None = None
    discount_allocations: list[DiscountAllocation] | None = None
    tax_lines: list[TaxLine] | None = None
    is_removed: Flag = None


class NoteAttribute(Nested):
    name: Text = None
    value: Text = None


class Transaction(Nested):
    id: Integer = None
    kind: Text = None  # refund, void, capture, sale, authorization
    status: Text = None  # success, failure, pending, error
    amount: DecimalText = None
    currency: Text = None  # that the shopper paid in
    amount_set: MoneySet | None = None
    created_at: Instant = None


class RefundLineItem(Nested):
    line_item_id: Integer = None
    quantity: Quantity = None
    restock_type: Text = None  # return: of what was delivered; cancel, no_restock: of what was not, or by an edit
    subtotal: DecimalText = None
    subtotal_set: MoneySet | None = None
    total_tax: DecimalText = None
    total_tax_set: MoneySet | None = None


class RefundShippingLine(Nested):
    subtotal_amount_set: MoneySet | None = None  # API 2024-10 and later; earlier an order adjustment


class OrderAdjustment(Nested):
    """Shipping that was refunded, or the difference of a refund to what its lines come to; below 0 it adds to it."""

    kind: Text = None
    amount: DecimalText = None
    amount_set: MoneySet | None = None
    tax_amount: DecimalText = None
    tax_amount_set: MoneySet | None = None


class Refund(Nested):
    id: Integer = None
    created_at: Instant = None
    refund_line_items: list[RefundLineItem] | None = None
    refund_shipping_lines: list[RefundShippingLine] | None = None
    order_adjustments: list[OrderAdjustment] | None = None
    transactions: list[Transaction] | None = None


ORDER_TIMES = ("created_at", "processed_at", "updated_at", "cancelled_at", "closed_at")
PRODUCT_TIMES = ("created_at", "updated_at", "published_at")


class Order(Contract):
    """One order in its present state."""

    key = ("id",)
    required = ("id",)
    version_field = "updated_at"
    date_field = "created_at"
    wrappers = ("orders", "order", "data")
    identity = ("email", "contact_email", "customer.id", "customer.email")
    personal = ("shipping_address", "billing_address", "landing_site", "referring_site", "note_attributes")
    measures = (
        always("total_price", "total_price_set.shop_money.amount"),
        with_some("line_items"),
        always("line_items.quantity"),
        always("line_items.price", "line_items.price_set.shop_money.amount"),
        unless_zero("line_items.total_discount"),
        with_some("refunds"),
        always("refunds.transactions.amount"),
    )
    lenient = (
        "order_number",
        "closed_at",
        "cancel_reason",
        "presentment_currency",
        "fulfillment_status",
        "gateway",
        "source_name",
        "landing_site",
        "referring_site",
        "customer.first_name",
        "customer.last_name",
        "shipping_address",
        "billing_address",
        "discount_codes",
        "line_items.id",
        "line_items.product_id",
        "line_items.variant_id",
        "shipping_lines.title",
        "refunds.id",
        "refunds.order_adjustments.kind",
        "refunds.transactions.id",
    )
    layouts = (
        Layout(
            name="fivetran",
            known_by=("customer_id", "shipping_address_country_code", "_fivetran_synced", "total_price"),
            columns={
                **{name: name for name in ORDER_TIMES},
                "customer.id": "customer_id",
                "landing_site": "landing_site_base_url",
                **{
                    f"{address}.{part}": f"{address}_{part}"
                    for address in ("shipping_address", "billing_address")
                    for part in Address.model_fields
                },
            },
            utc=ORDER_TIMES,
        ),
    )

    id: Integer = None
    name: Text = None
    order_number: Integer = None
    email: Text = None
    contact_email: Text = None
    created_at: Instant = None
    processed_at: Instant = None
    updated_at: Instant = None
    cancelled_at: Instant = None
    closed_at: Instant = None
    cancel_reason: Text = None
    test: Flag = None
    currency: Text = None  # ISO 4217, of the shop
    presentment_currency: Text = None
    financial_status: Text = None
    fulfillment_status: Text = None
    taxes_included: Flag = None  # prices and discounts of lines are with tax
    total_price: DecimalText = None
    total_price_set: MoneySet | None = None
    current_total_price: DecimalText = None  # after edits, returns and refunds
    current_total_price_set: MoneySet | None = None
    subtotal_price: DecimalText = None
    subtotal_price_set: MoneySet | None = None
    total_line_items_price: DecimalText = None
    total_line_items_price_set: MoneySet | None = None
    total_discounts: DecimalText = None  # of lines and shipping
    total_discounts_set: MoneySet | None = None
    total_shipping_price_set: MoneySet | None = None
    total_tax: DecimalText = None
    total_tax_set: MoneySet | None = None
    total_tip_received: DecimalText = None
    original_total_duties_set: MoneySet | None = None
    original_total_additional_fees_set: MoneySet | None = None
    gateway: Text = None
    source_name: Text = None
    landing_site: Text = None
    referring_site: Text = None
    customer: Customer | None = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    line_items: list[LineItem] | None = None
    shipping_lines: list[ShippingLine] | None = None
    refunds: list[Refund] | None = None
    note_attributes: list[NoteAttribute] | None = None
    discount_codes: list[DiscountCode] | None = None


class InventoryItem(Nested):
    """What GraphQL has in a variant; the REST API has it in an object of its own."""

    unit_cost: Money | None = None  # what one unit costs the shop now


class Variant(Nested):
    id: Integer = None
    title: Text = None
    sku: Text = None
    price: DecimalText = None
    inventory_item: InventoryItem | None = None


class Product(Contract):
    """One product in its present state."""

    key = ("id",)
    required = ("id",)
    version_field = "updated_at"
    date_field = "created_at"
    wrappers = ("products", "product", "data")
    lenient = ("handle", "vendor", "status", "tags", "published_at", "variants.title", "variants.sku", "variants.price")
    layouts = (
        Layout(
            name="fivetran",
            known_by=("title", "handle", "_fivetran_synced"),
            columns={name: name for name in PRODUCT_TIMES},
            utc=PRODUCT_TIMES,
        ),
    )

    id: Integer = None
    title: Text = None
    handle: Text = None
    product_type: Text = None
    vendor: Text = None
    status: Text = None
    tags: Text = None
    created_at: Instant = None
    updated_at: Instant = None
    published_at: Instant = None
    variants: list[Variant] | None = None


OBJECTS: dict[str, type[Contract]] = {"orders": Order, "products": Product}
