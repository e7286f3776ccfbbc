"""Shopify's GraphQL types in the form of the REST contract: orders and products.

Source: shopify.dev/docs/api/admin-graphql (Order, LineItem, Refund, OrderTransaction, Product) and
shopify.dev/docs/api/admin-rest. Names differ by case but for those below; ids are global, `gid://shopify/Order/1`; an
amount is a bag of the shop's and the customer's money, `totalPriceSet.shopMoney.amount`, of which the REST field
without `_set` has the shop's (presentment money is never put in its place); enums are in capitals. REST's
`fulfillment_status` is null for an order that is not fulfilled.
"""

from __future__ import annotations

import re
from typing import Any

from pipeline.ingest.envelopes.graphql import NodeType

Json = Any  # a value of json.loads

NAMES = {
    "currencyCode": "currency",
    "presentmentCurrencyCode": "presentment_currency",
    "displayFinancialStatus": "financial_status",
    "displayFulfillmentStatus": "fulfillment_status",
    "originalUnitPriceSet": "price_set",
    "originalUnitPrice": "price",
    "totalDiscountSet": "total_discount_set",
    "customAttributes": "note_attributes",
    "landingPageUrl": "landing_site",
    "referrerUrl": "referring_site",
    "countryCodeV2": "country_code",
    "allocatedAmountSet": "amount_set",
    "originalPriceSet": "price_set",
    "priceSet": "price_set",
    "subtotalPriceSet": "subtotal_price_set",
    "productType": "product_type",
}
"""Names that differ by more than their case."""
LOWERED = frozenset({"financial_status", "fulfillment_status", "cancel_reason", "status", "kind", "restock_type"})
"""Enums that REST writes in small letters."""
FULFILLED = {"unfulfilled": None, "fulfilled": "fulfilled", "partially_fulfilled": "partial"}
REFERENCES = frozenset({"product", "variant", "line_item", "parent_transaction", "location"})
"""Objects of which REST has the id: `product_id` for `product.id`."""
CHILDREN = {
    "LineItem": "lineItems",
    "ProductVariant": "variants",
    "OrderTransaction": "transactions",
    "Refund": "refunds",
    "RefundLineItem": "refundLineItems",
    "ShippingLine": "shippingLines",
    "Fulfillment": "fulfillments",
    "ProductImage": "images",
    "MediaImage": "media",
    "Metafield": "metafields",
    "FulfillmentOrder": "fulfillmentOrders",
}


def order_record(node: Json) -> Json:
    """A GraphQL order as the REST API sends it."""
    record = rest(node)
    email = record.get("email")
    customer = record.get("customer")
    if email is not None:
        record.setdefault("contact_email", email)
    if isinstance(customer, dict) and isinstance(customer.get("default_email_address"), dict):
        customer.setdefault("email", customer["default_email_address"].get("email_address"))
    codes = record.get("discount_codes")
    if isinstance(codes, list):
        record["discount_codes"] = [{"code": code} for code in codes]
    status = record.get("fulfillment_status")
    if status in FULFILLED:
        record["fulfillment_status"] = FULFILLED[status]
    for refund in record.get("refunds") or ():
        for transaction in refund.get("transactions") or ():
            _in_shop_money(transaction)
    return record


def product_record(node: Json) -> Json:
    """A GraphQL product as the REST API sends it."""
    record = rest(node)
    if isinstance(record.get("tags"), list):
        record["tags"] = ", ".join(map(str, record["tags"]))
    return record


def rest(value: Json) -> Json:
    """A value with REST's names, ids as numbers, and the shop's money beside each bag."""
    if isinstance(value, list):
        return [rest(each) for each in value]
    if not isinstance(value, dict):
        return value
    record: dict[str, Json] = {}
    for name, inner in value.items():
        key = NAMES.get(name) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
        record[key] = _value(key, inner)
    for name in sorted(record):
        inner = record[name]
        shop = inner.get("shop_money") if name.endswith("_set") and isinstance(inner, dict) else None
        if isinstance(shop, dict):
            record.setdefault(name.removesuffix("_set"), shop.get("amount"))
        if name in REFERENCES and isinstance(inner, dict) and "id" in inner:
            record.setdefault(f"{name}_id", inner["id"])
    return record


def _value(name: str, value: Json) -> Json:
    if name == "id":
        return number_of(value)
    if name in LOWERED and isinstance(value, str):
        return value.lower()
    if name == "shop_money" and isinstance(value, dict):
        return {"amount": value.get("amount"), "currency_code": value.get("currencyCode")}
    if name == "presentment_money" and isinstance(value, dict):
        return {"amount": value.get("amount"), "currency_code": value.get("currencyCode")}
    if name == "note_attributes" and isinstance(value, list):
        return [{"name": each.get("key"), "value": each.get("value")} for each in value if isinstance(each, dict)]
    return rest(value)


def number_of(value: Json) -> Json:
    """The number in a global id; another id is unchanged."""
    found = re.fullmatch(r"gid://shopify/\w+/([0-9]+)(?:\?.*)?", value) if isinstance(value, str) else None
    return int(found.group(1)) if found else value


def _in_shop_money(transaction: Json) -> None:
    """Give a transaction the shop's currency beside the shop's amount."""
    shop = (transaction.get("amount_set") or {}).get("shop_money")
    if isinstance(shop, dict):
        transaction["amount"], transaction["currency"] = shop.get("amount"), shop.get("currency_code")


NODES = {
    "orders": NodeType("Order", order_record, CHILDREN),
    "products": NodeType("Product", product_record, CHILDREN),
}
