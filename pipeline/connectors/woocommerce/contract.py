"""WooCommerce REST API v3: orders and products.

Source: woocommerce.github.io/woocommerce-rest-api-docs, whose responses are in woocommerce/woocommerce-rest-api-docs
(Apache-2.0). Money is text, but for a line's `price`, which is a number; `total` does not fall after refunds. Every
time comes twice: in the site's own time zone without an offset, and in UTC without an offset (`_gmt`). Absent is null,
empty text or 0: `customer_id` 0 is a guest, `product_id` 0 a line without a product. `number` is what shoppers see:
text, the id or whatever a plugin makes of it. A quantity has decimals where plugins sell by metre or kilo
(woocommerce/woocommerce#52198, #64641). Marketplace plugins split an order into one per vendor: the parts have the
order's id as `parent_id`, and both are in `/orders` (getdokan/dokan#868); a renewal of a subscription may have a
parent too, and is a sale of its own.
"""

from __future__ import annotations

from pipeline.contracts.fields import (
    Anything,
    Contract,
    DecimalText,
    Integer,
    LocalTime,
    Nested,
    Number,
    Quantity,
    Text,
    UtcTime,
)
from pipeline.contracts.measures import always, with_some


class Address(Nested):
    email: Text = None
    city: Text = None
    state: Text = None
    postcode: Text = None
    country: Text = None


class ShippingAddress(Nested):
    country: Text = None


class MetaData(Nested):
    id: Integer = None
    key: Text = None
    value: Anything = None  # any JSON: plugins store what they like


class CouponLine(Nested):
    code: Text = None


class CostOfGoods(Nested):
    value: Number = None  # of the whole line; sent where the shop has turned the feature on


class LineItem(Nested):
    id: Integer = None
    name: Text = None
    product_id: Integer = None  # 0 for a deleted product
    variation_id: Integer = None
    sku: Text = None
    quantity: Quantity = None  # 1.52 of what is sold by metre; the vendor's schema says integer
    subtotal: DecimalText = None  # of the whole line without tax, before discounts
    subtotal_tax: DecimalText = None
    total: DecimalText = None  # of the whole line without tax, after discounts
    total_tax: DecimalText = None
    price: Number = None  # total of one unit
    cost_of_goods_sold: CostOfGoods | None = None


class FeeLine(Nested):
    id: Integer = None
    name: Text = None
    total: DecimalText = None  # without tax; below 0 it is a reduction


class RefundLine(Nested):
    id: Integer = None
    quantity: Quantity = None  # negative
    total: DecimalText = None  # negative, without tax


class Refund(Nested):
    """An order has the first three; the rest is in `/orders/<id>/refunds`, which some exports put in their place."""

    id: Integer = None
    reason: Text = None
    total: DecimalText = None  # negative
    date_created: LocalTime = None
    date_created_gmt: UtcTime = None
    line_items: list[RefundLine] | None = None


class Order(Contract):
    """One order in its present state."""

    key = ("id",)
    required = ("id",)
    version_field = "date_modified_gmt"
    date_field = "date_created_gmt"
    wrappers = ("orders", "order", "data")
    identity = ("customer_id", "billing.email")
    personal = ("billing.city", "billing.state", "billing.postcode", "order_key", "meta_data")
    money = "text in major units of currency"
    zone = "utc"
    lenient = (
        "order_key",
        "date_modified",
        "date_paid_gmt",
        "date_completed_gmt",
        "billing.city",
        "billing.state",
        "billing.postcode",
        "billing.country",
        "shipping",
        "coupon_lines",
        "payment_method",
        "created_via",
        "meta_data.id",
        "line_items.id",
        "line_items.product_id",
        "line_items.variation_id",
        "line_items.subtotal_tax",
        "line_items.total_tax",
        "line_items.cost_of_goods_sold",
        "fee_lines.id",
        "fee_lines.name",
        "refunds.id",
        "refunds.reason",
        "refunds.line_items.id",
    )
    measures = (
        always("total"),
        with_some("line_items"),
        always("line_items.quantity"),
        always("line_items.total"),
        with_some("refunds"),
        always("refunds.total"),
    )

    id: Integer = None
    parent_id: Integer = None
    number: Text = None
    order_key: Text = None
    status: Text = None
    currency: Text = None
    date_created: LocalTime = None
    date_created_gmt: UtcTime = None
    date_modified: LocalTime = None
    date_modified_gmt: UtcTime = None
    date_paid_gmt: UtcTime = None
    date_completed_gmt: UtcTime = None
    total: DecimalText = None  # tax and shipping included
    total_tax: DecimalText = None
    shipping_total: DecimalText = None
    discount_total: DecimalText = None
    customer_id: Integer = None  # 0 for guests
    billing: Address | None = None
    payment_method: Text = None
    transaction_id: Text = None  # the payment's id at its provider
    created_via: Text = None
    meta_data: list[MetaData] | None = None
    line_items: list[LineItem] | None = None
    fee_lines: list[FeeLine] | None = None
    refunds: list[Refund] | None = None
    shipping: ShippingAddress | None = None
    coupon_lines: list[CouponLine] | None = None


class Category(Nested):
    id: Integer = None
    name: Text = None
    slug: Text = None


class Product(Contract):
    """One product in its present state."""

    key = ("id",)
    required = ("id",)
    version_field = "date_modified_gmt"
    date_field = "date_created_gmt"
    wrappers = ("products", "product", "data")
    money = "text in major units of the store's currency"
    zone = "utc"
    lenient = (
        "parent_id",
        "slug",
        "sku",
        "type",
        "status",
        "price",
        "regular_price",
        "sale_price",
        "categories.id",
        "categories.slug",
        "date_created",
        "date_modified",
    )

    id: Integer = None
    parent_id: Integer = None
    name: Text = None
    slug: Text = None
    sku: Text = None
    type: Text = None  # simple, grouped, external, variable
    status: Text = None
    price: DecimalText = None
    regular_price: DecimalText = None
    sale_price: DecimalText = None
    categories: list[Category] | None = None
    date_created: LocalTime = None
    date_created_gmt: UtcTime = None
    date_modified: LocalTime = None
    date_modified_gmt: UtcTime = None


OBJECTS: dict[str, type[Contract]] = {"orders": Order, "products": Product}
