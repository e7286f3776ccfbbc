"""Files that people download from a WooCommerce site.

WooCommerce itself exports orders only as a table of its analytics, whose money is net sales (woocommerce/woocommerce,
Admin/API/Reports/Orders/Controller.php, get_export_columns): it has no order totals, so it is refused. What is read is
the export of two plugins that people use for it: Advanced Order Export For WooCommerce (a row for each line; its
default titles in realflightsystems' orders.pl and other public readers), and WebToffee's Order Export (a row for each
order, its lines in `line_item_1`, ...). Their times are of the site's own clock.
"""

from __future__ import annotations

from pipeline.contracts.downloads import Download, Element, Language, NotRead, Ref

STATUSES = {
    "pending": ("pending", "pending payment", "zahlung ausstehend"),
    "processing": ("processing", "in bearbeitung"),
    "on-hold": ("on-hold", "on hold", "in wartestellung"),
    "completed": ("completed", "abgeschlossen", "fertiggestellt"),
    "cancelled": ("cancelled", "canceled", "storniert"),
    "refunded": ("refunded", "rückerstattet"),
    "failed": ("failed", "fehlgeschlagen"),
    "checkout-draft": ("checkout-draft", "draft"),
    "trash": ("trash",),
}
STATUS_OF = {said: status for status, words in STATUSES.items() for word in words for said in (word, f"wc-{word}")}
BRING = "export the orders again with these columns, or bring orders of the REST API"

BY_LINE = Download(
    name="an order export of the plugin Advanced Order Export For WooCommerce",
    objects=("orders",),
    languages=(
        Language(
            name="English",
            known_by=(
                ("Order Number", "Order Status", "Order Total Amount"),
                ("Order ID", "Order Status", "Order Total Amount"),
                ("Order Number", "Order Date", "Item Name"),
                ("Order Number", "Order Status", "Order Date"),
            ),
            titles={
                "id": ("Order ID", "Order Number"),
                "number": ("Order Number",),
                "status": ("Order Status",),
                "date_created": ("Order Date",),
                "currency": ("Currency", "Order Currency"),
                "total": ("Order Total Amount",),
                "total_tax": ("Order Total Tax Amount", "Order Tax Amount"),
                "shipping_total": ("Order Shipping Amount",),
                "discount_total": ("Cart Discount Amount",),
                "customer_id": ("Customer ID", "Customer User ID"),
                "billing.email": ("Email (Billing)",),
                "billing.city": ("City (Billing)",),
                "billing.state": ("State Code (Billing)",),
                "billing.postcode": ("Postcode (Billing)",),
                "billing.country": ("Country Code (Billing)",),
                "payment_method": ("Payment Method Title", "Payment Method"),
                "transaction_id": ("Transaction ID",),
                "refunded": ("Order Refund Amount",),
                "line name": ("Item Name", "Product Name (main)", "Product Name", "Name"),
                "line sku": ("SKU",),
                "line quantity": ("Quantity", "Quantity (- Refund)"),
                "line price": ("Item Cost", "Item Cost Before Discount"),
                "line total": ("Order Line (w/o tax)", "Order Line Total (w/o tax)"),
                "line product": ("Product Id", "Product ID"),
            },
        ),
    ),
    needs=(
        ("id",),
        ("status",),
        ("date_created",),
        ("total",),
        ("refunded",),
        ("line name",),
        ("line quantity",),
        ("line total",),
    ),
    bring=BRING,
    values={"status": STATUS_OF},
    rows_of="id",
    elements=(
        Element(
            path="line_items",
            template={
                "name": Ref("line name"),
                "sku": Ref("line sku"),
                "product_id": Ref("line product"),
                "quantity": Ref("line quantity"),
                "price": Ref("line price"),
                "total": Ref("line total"),
            },
            where="line name",
        ),
        Element(path="refunds", template={"total": Ref("refunded")}, where="refunded", unless_zero=True),
    ),
    per_row=("line_items",),
)

DOWNLOADS = (BY_LINE,)
NOT_READ = (
    NotRead(
        name="the orders table of WooCommerce's analytics, which has net sales and no order totals",
        known_by=(
            ("Order #", "N. Revenue (formatted)"),
            ("Order #", "Net Sales", "Customer type"),
            ("Order #", "Items sold"),
        ),
        bring="bring the orders of the REST API, or of an order export plugin",
    ),
    NotRead(
        name="a WooCommerce products export, which has no times",
        known_by=(("ID", "Type", "SKU", "Name", "Is featured?"), ("ID", "SKU", "Visibility in catalog")),
        bring="bring products of the REST API",
    ),
    NotRead(
        name="a WooCommerce customers export, which no fact needs",
        known_by=(("Username", "Last active", "Sign up"), ("Last active", "Orders", "Total spend", "AOV")),
        bring="bring the orders, which name their customers",
    ),
)
