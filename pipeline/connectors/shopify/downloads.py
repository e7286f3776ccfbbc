"""Files that people download from Shopify's admin.

Source of the orders export's header: help.shopify.com/en/manual/orders/exporting-orders, and public importers of it
(julionc/awesome-shopify#81, solidusio-contrib/solidus_importer#87, laplace-live/shopify-csv-converter). It has a row
per line of an order, the order's own columns on the first row only, and `Id`, the id that the API sends too, late in
the row. Its titles are English and its numbers have a point for every reader. `Refunded Amount` is what was paid
back; `Total` does not fall with it. A discount code's amount is on the order alone (`Discount Amount`), so it is
spread over the lines by what they are worth, as Shopify does in `discount_allocations`.
"""

from __future__ import annotations

from pipeline.contracts.downloads import Discount, Download, Element, Language, NotRead, Ref

ADDRESS = {"country_code": "Country", "province": "Province", "city": "City", "zip": "Zip"}
ORDERS = Download(
    name="a Shopify orders export (orders_export.csv)",
    objects=("orders",),
    languages=(
        Language(
            name="English",
            known_by=(
                ("Lineitem name", "Lineitem quantity"),
                ("Lineitem name", "Lineitem price"),
                ("Financial Status", "Fulfillment Status", "Lineitem sku"),
            ),
            titles={
                "id": ("Id",),
                "name": ("Name",),
                "email": ("Email",),
                "financial_status": ("Financial Status",),
                "fulfillment_status": ("Fulfillment Status",),
                "created_at": ("Created at",),
                "cancelled_at": ("Cancelled at", "Canceled at"),
                "currency": ("Currency",),
                "subtotal_price": ("Subtotal",),
                "total_tax": ("Taxes",),
                "total_price": ("Total",),
                "total_discounts": ("Discount Amount",),
                "total_shipping_price_set.shop_money.amount": ("Shipping",),
                "original_total_duties_set.shop_money.amount": ("Duties",),
                "gateway": ("Payment Method",),
                "source_name": ("Source",),
                **{f"shipping_address.{part}": (f"Shipping {title}",) for part, title in ADDRESS.items()},
                **{f"billing_address.{part}": (f"Billing {title}",) for part, title in ADDRESS.items()},
                "refunded": ("Refunded Amount",),
                "discount code": ("Discount Code",),
                "line name": ("Lineitem name",),
                "line quantity": ("Lineitem quantity",),
                "line price": ("Lineitem price",),
                "line sku": ("Lineitem sku",),
                "line discount": ("Lineitem discount",),
            },
        ),
    ),
    needs=(
        ("id",),
        ("name",),
        ("created_at",),
        ("financial_status",),
        ("cancelled_at",),
        ("currency",),
        ("total_price",),
        ("subtotal_price",),
        ("total_discounts",),
        ("refunded",),
        ("line name",),
        ("line quantity",),
        ("line price",),
        ("line discount",),
    ),
    bring="export the orders again under Orders > Export, and leave its columns as they are",
    fixed_numbers="1,234.56",
    rows_of="id",
    rows_with="name",
    elements=(
        Element(
            path="line_items",
            template={
                "title": Ref("line name"),
                "sku": Ref("line sku"),
                "quantity": Ref("line quantity"),
                "price": Ref("line price"),
                "total_discount": Ref("line discount"),
            },
            where="line name",
        ),
        Element(path="discount_codes", template={"code": Ref("discount code")}, where="discount code"),
        Element(
            path="refunds",
            template={
                "transactions": (
                    {"kind": "refund", "status": "success", "amount": Ref("refunded"), "currency": Ref("currency")},
                )
            },
            where="refunded",
            unless_zero=True,
        ),
    ),
    per_row=("line_items",),
    discounted=Discount(
        subtotal="subtotal_price",
        discount="total_discounts",
        quantity="line quantity",
        price="line price",
        line_discount="line discount",
    ),
)

DOWNLOADS = (ORDERS,)
NOT_READ = (
    NotRead(
        name="a Shopify customers export, which no fact needs",
        known_by=(
            ("First Name", "Last Name", "Accepts Email Marketing"),
            ("First Name", "Accepts Marketing", "Total Spent"),
        ),
        bring="bring the orders (Orders > Export), which name their customers",
    ),
    NotRead(
        name="a Shopify products export, whose rows have no product id",
        known_by=(
            ("Handle", "Title", "Body (HTML)"),
            ("Handle", "Variant SKU", "Variant Price"),
            ("URL handle", "Title"),
        ),
        bring="bring products of the Admin API or of a loader",
    ),
    NotRead(
        name="a Shopify transactions or payouts export, which no fact needs",
        known_by=(("Order", "Kind", "Gateway", "Status"), ("Payout Status", "Payout Date", "Type")),
        bring="bring the orders (Orders > Export), which have their refunds",
    ),
    NotRead(
        name="a Shopify analytics report of totals",
        known_by=(("Gross sales", "Net sales", "Total sales"), ("Total sales", "Returns", "Discounts")),
        bring="bring the orders (Orders > Export)",
    ),
    NotRead(
        name="a Shopify discounts or abandoned checkouts export, which no fact needs",
        known_by=(("Abandoned Checkout Recovery URL",), ("Recovery Status", "Lineitem name"), ("Times Used In Total",)),
        bring="bring the orders (Orders > Export)",
    ),
)
