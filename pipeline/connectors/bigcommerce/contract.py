"""BigCommerce: orders and their products (REST V2), and the catalog's products (REST V3).

Source: the OpenAPI documents of bigcommerce/api-specs (orders.v2, catalog.v3), and the sample responses of
Space48/bigcommerce-api-js (MIT). V2 sends money as text with four decimals, times as RFC 2822, and absent values as
empty text; V3 sends money as numbers and times as ISO 8601. The lines of an order are a link (`products.resource`), not
inline: they come as `order_products`. All money of an order is in `default_currency_code`, the currency the shopper
pays in; `currency_code` is the one of displayed prices. `customer_id` 0 is a guest. An order that was deleted is
archived: `is_deleted`, which lists of orders leave out unless asked for. A line with a `gift_certificate_id` sells a
gift certificate.
"""

from __future__ import annotations

from pipeline.contracts.fields import (
    Contract,
    DecimalText,
    Flag,
    Instant,
    Integer,
    Nested,
    Number,
    Quantity,
    Rfc2822,
    Text,
)
from pipeline.contracts.measures import always, unless_zero


class Address(Nested):
    email: Text = None
    city: Text = None
    state: Text = None
    zip: Text = None
    country: Text = None
    country_iso2: Text = None


class Order(Contract):
    """One order in its present state."""

    key = ("id",)
    required = ("id",)
    version_field = "date_modified"
    date_field = "date_created"
    wrappers = ("orders", "order", "data")
    identity = ("customer_id", "billing_address.email")
    personal = ("billing_address.city", "billing_address.state", "billing_address.zip")
    money = "text in major units of default_currency_code"
    zone = "offset"
    lenient = (
        "date_shipped",
        "custom_status",
        "payment_method",
        "payment_status",
        "subtotal_inc_tax",
        "shipping_cost_inc_tax",
        "total_ex_tax",
        "store_credit_amount",
        "gift_certificate_amount",
        "currency_exchange_rate",
        "items_total",
        "order_source",
        "channel_id",
        "billing_address.city",
        "billing_address.state",
        "billing_address.zip",
        "billing_address.country",
        "billing_address.country_iso2",
    )
    measures = (always("total_inc_tax"), unless_zero("refunded_amount"))

    id: Integer = None
    customer_id: Integer = None  # 0 for guests
    date_created: Rfc2822 = None
    date_modified: Rfc2822 = None
    date_shipped: Rfc2822 = None
    status_id: Integer = None
    status: Text = None  # the label of status_id; custom_status is the merchant's own label
    custom_status: Text = None
    payment_method: Text = None
    payment_status: Text = None  # empty where the provider sends none
    payment_provider_id: Text = None  # the payment's id at its provider
    subtotal_ex_tax: DecimalText = None
    subtotal_inc_tax: DecimalText = None
    shipping_cost_ex_tax: DecimalText = None
    shipping_cost_inc_tax: DecimalText = None
    handling_cost_ex_tax: DecimalText = None
    wrapping_cost_ex_tax: DecimalText = None
    total_ex_tax: DecimalText = None
    total_inc_tax: DecimalText = None
    total_tax: DecimalText = None
    discount_amount: DecimalText = None
    coupon_discount: DecimalText = None
    store_credit_amount: DecimalText = None
    gift_certificate_amount: DecimalText = None
    refunded_amount: DecimalText = None
    currency_code: Text = None  # currency of displayed prices
    currency_exchange_rate: DecimalText = None
    default_currency_code: Text = None  # currency that the shopper paid in
    items_total: Integer = None
    is_deleted: Flag = None  # archived: the store's own lists and reports leave it out
    order_source: Text = None
    channel_id: Integer = None
    billing_address: Address | None = None


class AppliedDiscount(Nested):
    id: Text = None
    amount: DecimalText = None  # without tax, of the whole line
    target: Text = None  # order or product
    code: Text = None  # of a coupon


class OrderProduct(Contract):
    """One line of an order in its present state."""

    key = ("id",)
    required = ("id", "order_id")
    wrappers = ("data",)
    money = "text in major units of the order's currency"
    lenient = (
        "product_id",
        "variant_id",
        "type",
        "base_price",
        "price_inc_tax",
        "base_total",
        "total_inc_tax",
        "total_tax",
        "quantity_refunded",
        "refund_amount",
        "applied_discounts.id",
        "applied_discounts.target",
        "applied_discounts.code",
    )
    measures = (always("quantity"), always("price_ex_tax"), always("total_ex_tax"))

    id: Integer = None
    order_id: Integer = None
    product_id: Integer = None  # 0 for a product that is not in the catalog
    variant_id: Integer = None
    name: Text = None
    sku: Text = None
    type: Text = None  # physical or digital
    quantity: Quantity = None
    base_price: DecimalText = None
    price_ex_tax: DecimalText = None  # of one unit
    price_inc_tax: DecimalText = None
    base_total: DecimalText = None
    total_ex_tax: DecimalText = None  # of the whole line, discounts not deducted
    total_inc_tax: DecimalText = None
    total_tax: DecimalText = None
    quantity_refunded: Integer = None
    refund_amount: DecimalText = None
    gift_certificate_id: Integer = None  # of a line that sells a gift certificate
    applied_discounts: list[AppliedDiscount] | None = None


class Variant(Nested):
    id: Integer = None
    sku: Text = None
    price: Number = None  # null where the product's own price applies


class Product(Contract):
    """One product in its present state."""

    key = ("id",)
    required = ("id",)
    version_field = "date_modified"
    date_field = "date_created"
    wrappers = ("data",)
    money = "numbers in major units of the store's currency"
    zone = "offset"
    lenient = (
        "sku",
        "price",
        "sale_price",
        "calculated_price",
        "categories",
        "brand_id",
        "availability",
        "is_visible",
        "variants",
    )

    id: Integer = None
    name: Text = None
    sku: Text = None
    type: Text = None  # physical or digital
    price: Number = None
    sale_price: Number = None
    calculated_price: Number = None
    categories: list[Integer] | None = None
    brand_id: Integer = None
    availability: Text = None
    is_visible: Flag = None
    date_created: Instant = None
    date_modified: Instant = None
    variants: list[Variant] | None = None


OBJECTS: dict[str, type[Contract]] = {"orders": Order, "products": Product, "order_products": OrderProduct}
